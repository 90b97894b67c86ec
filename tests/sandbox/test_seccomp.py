"""The seccomp filter allows the same system calls as libseccomp's filter of the same rules."""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import random
import struct
import tempfile

import pytest

from drill_katas.sandbox import seccomp, seccomp_rules
from drill_katas.sandbox.seccomp_rules import ALLOW, ERRNO, KILL
from drill_katas.sandbox.syscall_numbers import MACHINES, NUMBERS

PID = 4321
HIGHEST = 600  # above the number of any system call
MASKED_EQUAL = 7  # SCMP_CMP_MASKED_EQ
BAD_ARCHITECTURE = 2  # SCMP_FLTATR_ACT_BADARCH
KILL_PROCESS = 0x80000000
LEAST = 5_000  # comparisons that a filter is worth


class Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp` of seccomp.h."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


@pytest.fixture(scope="module")
def library():
    """libseccomp; Debian has it as libseccomp2, on which apt itself depends."""
    try:
        loaded = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed; .ci/run installs it")
    loaded.seccomp_init.restype = ctypes.c_void_p
    loaded.seccomp_arch_native.restype = ctypes.c_uint32
    return loaded


def rules_of(own_pid):
    return [*seccomp_rules.rules(isolated=own_pid is None), *(seccomp_rules.signals_to(own_pid) if own_pid else [])]


def compiled(library, own_pid, machine):
    """Return the filter that libseccomp makes of the rules."""
    context = ctypes.c_void_p(library.seccomp_init(ERRNO | errno.EPERM))
    wanted = seccomp.ARCHITECTURES[machine]
    if library.seccomp_arch_native() != wanted:
        assert library.seccomp_arch_add(context, wanted) == 0
        assert library.seccomp_arch_remove(context, library.seccomp_arch_native()) == 0
    assert library.seccomp_attr_set(context, BAD_ARCHITECTURE, ctypes.c_uint32(KILL_PROCESS)) == 0
    for rule in rules_of(own_pid):
        number = seccomp.number_of(rule.name, machine)
        for chosen in itertools.chain.from_iterable(map(choices, rule.conditions or [()])):
            comparisons = (Comparison * len(chosen))(*chosen)
            if number is not None:
                native = library.seccomp_syscall_resolve_name(rule.name.encode())  # of this machine; it translates
                done = library.seccomp_rule_add_exact_array(
                    context, ctypes.c_uint32(rule.verdict), native, len(chosen), comparisons
                )
                assert done == 0, (rule, os.strerror(-done))
    with tempfile.TemporaryFile() as file:
        assert library.seccomp_export_bpf(context, file.fileno()) == 0
        library.seccomp_release(context)
        file.seek(0)
        return file.read()


def choices(condition):
    """Return the comparisons for every way to meet a condition: one value of each argument."""
    ways = [[(each.argument, MASKED_EQUAL, each.mask, value) for value in each.values] for each in condition]
    return itertools.product(*ways)


def verdict(code, number, architecture, arguments):
    """Run a filter as the kernel does: classic BPF on a `struct seccomp_data`."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *arguments)
    at = accumulator = 0
    while True:
        operation, met, unmet, value = struct.unpack_from("<HBBI", code, 8 * at)
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x15:
                at += met if accumulator == value else unmet
            case 0x25:
                at += met if accumulator > value else unmet
            case 0x35:
                at += met if accumulator >= value else unmet
            case 0x05:
                at += value
            case 0x54:
                accumulator &= value
            case 0x06:
                return value
            case _:
                raise AssertionError(f"no such instruction: {operation:#x}")
        at += 1


def arguments_of(rule, chance):
    """Return arguments that meet each of the conditions, and others that miss one by a bit, or are anything."""
    yield from ([chance.getrandbits(64) for _ in range(6)] for _ in range(4))
    yield [0] * 6
    for condition in rule.conditions:
        for chosen in choices(condition):
            met = [chance.getrandbits(64) for _ in range(6)]
            for argument, _, mask, value in chosen:
                met[argument] = (met[argument] & ~mask) | value
            yield met
            for argument, *_ in chosen:
                for bit in (*range(32), 32, 63):
                    yield [each ^ (1 << bit) if place == argument else each for place, each in enumerate(met)]


def questions(own_pid, machine):
    """Return numbers, architectures and arguments to ask a filter about."""
    chance = random.Random(1)
    known = {seccomp.number_of(rule.name, machine): rule for rule in rules_of(own_pid)}
    nothing = seccomp_rules.Rule("", 0)
    for number in (*range(HIGHEST), seccomp.X32, seccomp.X32 + 1, 1 << 31, 0xFFFFFFFE):
        for arguments in arguments_of(known.get(number, nothing), chance):
            yield number, seccomp.ARCHITECTURES[machine], arguments
    for architecture in (0x40000003, 0x40000028, *seccomp.ARCHITECTURES.values()):  # i386 and ARM as well
        yield 1, architecture, [0] * 6


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("own_pid", [None, PID], ids=["strong", "reduced"])
def test_libseccomp_compiles_the_same_verdicts(library, own_pid, machine):
    """Two compilers, one policy: a jump that is off by one lets a call pass that has no rule."""
    ours, theirs = seccomp.filter_for(own_pid, machine), compiled(library, own_pid, machine)
    asked = list(questions(own_pid, machine))
    assert len(asked) > LEAST
    assert [each for each in asked if verdict(ours, *each) != verdict(theirs, *each)] == []


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_libseccomp_knows(library, machine):
    for name in NUMBERS:
        number = library.seccomp_syscall_resolve_name_arch(seccomp.ARCHITECTURES[machine], name.encode())
        assert seccomp.number_of(name, machine) == (number if number >= 0 else None), name


def test_every_number_in_table_is_used():
    assert NUMBERS.keys() == seccomp_rules.names()


@pytest.mark.parametrize("own_pid", [None, PID], ids=["strong", "reduced"])
def test_a_call_without_a_rule_is_refused(own_pid):
    for machine, architecture in seccomp.ARCHITECTURES.items():
        code = seccomp.filter_for(own_pid, machine)
        known = {seccomp.number_of(rule.name, machine) for rule in rules_of(own_pid)}
        for number in set(range(HIGHEST)) - known:
            assert verdict(code, number, architecture, [0] * 6) == ERRNO | errno.EPERM
        assert verdict(code, 1, 0x40000003, [0] * 6) == KILL
        assert verdict(code, seccomp.number_of("getpid", machine), architecture, [0] * 6) == ALLOW
