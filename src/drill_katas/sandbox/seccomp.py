"""Refuses all system calls but those that a SUT may make: compiles the rules of `policy.py` to a seccomp filter.

This is the second wall behind namespaces, and one of two where there are none.
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import functools
import struct
from typing import TYPE_CHECKING, Final

from drill_katas.sandbox import policy
from drill_katas.sandbox.policy import ALLOW, ERRNO, KILL, WORD, Among, Rule
from drill_katas.sandbox.syscall_numbers import MACHINES, NUMBERS
from drill_katas.sandbox.syscalls import MACHINE, prctl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_* of linux/audit.h
PR_SET_SECCOMP, MODE_FILTER = 22, 2
X32: Final = 0x40000000  # the other numbering of x86_64, which nothing here uses
# instructions of classic BPF: load a word, jump if equal, if greater, if greater or equal, jump, return, mask the word
LOAD, EQUAL, ABOVE, FROM, RETURN, MASK = 0x20, 0x15, 0x25, 0x35, 0x06, 0x54
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]
"""Its code, how many to skip if so and if not, and its value."""
REFUSED: Final[Instruction] = (RETURN, 0, 0, ERRNO | errno.EPERM)
ALLOWED: Final[Instruction] = (RETURN, 0, 0, ALLOW)


def confine(own_pid: int | None) -> None:
    """Refuse all other system calls from here on, for good, to this process and all that it starts. Raises `OSError`.

    `own_pid` is its process id where the host's processes and files are in sight.
    """
    install(filter_for(own_pid))


def install(code: bytes) -> None:
    """Have the kernel ask this filter about every system call from here on. Raises `OSError`.

    The process must not be able to gain privileges.
    """
    held = ctypes.create_string_buffer(code)
    loaded = struct.pack("HP", len(code) // 8, ctypes.addressof(held))
    prctl(PR_SET_SECCOMP, MODE_FILTER, loaded)


def filter_for(own_pid: int | None, machine: str = MACHINE) -> bytes:
    """Return the filter for `confine`, as the kernel reads it. Raises `OSError`."""
    if machine not in MACHINES:
        raise OSError(f"seccomp: the numbers of {machine} are not known")
    signals = [] if own_pid is None else list(_conditional(policy.signals_to(own_pid), machine))
    return assembled([*_head(machine), *signals]) + _tail(machine, alone=own_pid is None)


def assembled(instructions: Iterable[Instruction]) -> bytes:
    """Return a filter as the kernel reads it."""
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


def _head(machine: str) -> Iterator[Instruction]:
    yield LOAD, 0, 0, ARCHITECTURE
    yield EQUAL, 1, 0, ARCHITECTURES[machine]
    yield RETURN, 0, 0, KILL  # another architecture's call
    yield LOAD, 0, 0, NUMBER
    if machine == "x86_64":
        yield FROM, 0, 1, X32
        yield RETURN, 0, 0, KILL


@functools.cache
def _tail(machine: str, *, alone: bool) -> bytes:
    """Return the part that is the same for every process of a tier; the zygote has it ready for all of them."""
    rules = policy.rules(alone=alone)
    always = [rule for rule in rules if rule.verdict == ALLOW and not rule.conditions]
    allowed = sorted(number for rule in always if (number := number_of(rule.name, machine)) is not None)
    return assembled([*_conditional([rule for rule in rules if rule not in always], machine), *_search(allowed)])


def number_of(name: str, machine: str) -> int | None:
    """Return the number of a system call, or None when the machine has no such call."""
    return NUMBERS[name][MACHINES.index(machine)]


def _conditional(rules: Iterable[Rule], machine: str) -> Iterator[Instruction]:
    """Return the verdicts of these rules. A call whose conditions are not met is refused."""
    for rule in rules:
        number = number_of(rule.name, machine)
        if number is None:
            continue
        verdict = (RETURN, 0, 0, rule.verdict)
        tests = [each for condition in rule.conditions for each in _unless_met(condition, verdict)]
        then = [*tests, REFUSED] if rule.conditions else [verdict]
        yield EQUAL, 0, len(then), number
        yield from then


def _unless_met(condition: Sequence[Among], verdict: Instruction) -> Iterator[Instruction]:
    """Return the verdict when all of a condition is met, and go on after it otherwise."""
    pieces = [_test(each) for each in condition]
    for place, piece in enumerate(pieces):
        rest = sum(map(len, pieces[place + 1 :])) + 1  # to skip when this one is not met; the verdict is one
        *tests, (code, met, _, value) = piece
        yield from tests
        yield code, met, rest, value
    yield verdict


def _test(among: Among) -> list[Instruction]:
    """Go on after it if so. The last instruction's second jump is left open."""
    load = [(LOAD, 0, 0, ARGUMENTS + 8 * among.argument)]
    mask = [] if among.mask == WORD else [(MASK, 0, 0, among.mask)]
    left = range(len(among.values) - 1, -1, -1)
    return [*load, *mask, *((EQUAL, after, 0, value) for after, value in zip(left, among.values, strict=True))]


def _search(numbers: Sequence[int]) -> Iterator[Instruction]:
    """Allow these numbers, which are sorted, and refuse all others; neighbours are compared as one."""
    first = 0
    for place, number in enumerate(numbers):
        if place + 1 < len(numbers) and numbers[place + 1] == number + 1:
            continue
        yield ABOVE, 3, 0, number
        yield FROM, 0, 1, numbers[first]
        yield ALLOWED
        yield REFUSED
        first = place + 1
    yield REFUSED
