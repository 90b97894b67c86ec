"""Compiles the rules of `seccomp_rules.py` to a seccomp filter, which refuses all other system calls.

The filter is the second line of defense behind namespaces; without namespaces it works together with Landlock.
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import functools
import struct
from typing import TYPE_CHECKING, Final

from drill_katas.sandbox import seccomp_rules
from drill_katas.sandbox.seccomp_rules import ALLOW, ERRNO, KILL, WORD, OneOf, Rule
from drill_katas.sandbox.syscall_numbers import MACHINES, NUMBERS
from drill_katas.sandbox.syscalls import MACHINE, prctl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_* of linux/audit.h
PR_SET_SECCOMP, MODE_FILTER = 22, 2
X32: Final = 0x40000000  # flag of the x32 call numbers, which a SUT does not need
# classic BPF: load a word; jump if equal, if greater, if greater or equal; return; mask the word
LOAD, EQUAL, ABOVE, FROM, RETURN, MASK = 0x20, 0x15, 0x25, 0x35, 0x06, 0x54
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]
"""Code, number of instructions to skip if true, the same if false, value."""
REFUSED: Final[Instruction] = (RETURN, 0, 0, ERRNO | errno.EPERM)
ALLOWED: Final[Instruction] = (RETURN, 0, 0, ALLOW)


def confine(own_pid: int | None) -> None:
    """Restrict this process and its children to the allowed system calls, for good. Raises `OSError`.

    `own_pid` is its process id if it can see the host's processes, and None in namespaces.
    """
    install(filter_for(own_pid))


def install(code: bytes) -> None:
    """Install a filter for all further system calls of this process. Raises `OSError`.

    The process must have set PR_SET_NO_NEW_PRIVS.
    """
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_SECCOMP, MODE_FILTER, program)


def filter_for(own_pid: int | None, machine: str = MACHINE) -> bytes:
    """Return the filter for `confine` in the kernel's format. Raises `OSError` on an unknown architecture."""
    if machine not in MACHINES:
        raise OSError(f"seccomp: the system call numbers of {machine} are unknown")
    signals = [] if own_pid is None else list(_conditional(seccomp_rules.signals_to(own_pid), machine))
    return assembled([*_head(machine), *signals]) + _tail(machine, isolated=own_pid is None)


def assembled(instructions: Iterable[Instruction]) -> bytes:
    """Return a filter in the kernel's format."""
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


def _head(machine: str) -> Iterator[Instruction]:
    yield LOAD, 0, 0, ARCHITECTURE
    yield EQUAL, 1, 0, ARCHITECTURES[machine]
    yield RETURN, 0, 0, KILL  # a call of another architecture
    yield LOAD, 0, 0, NUMBER
    if machine == "x86_64":
        yield FROM, 0, 1, X32
        yield RETURN, 0, 0, KILL


@functools.cache
def _tail(machine: str, *, isolated: bool) -> bytes:
    """Return the part of the filter that is the same for every process of a tier; the zygote fills this cache."""
    rules = seccomp_rules.rules(isolated=isolated)
    always = [rule for rule in rules if rule.verdict == ALLOW and not rule.conditions]
    allowed = sorted(number for rule in always if (number := number_of(rule.name, machine)) is not None)
    return assembled([*_conditional([rule for rule in rules if rule not in always], machine), *_search(allowed)])


def number_of(name: str, machine: str) -> int | None:
    """Return the number of a system call, or None if the architecture has no such call."""
    return NUMBERS[name][MACHINES.index(machine)]


def _conditional(rules: Iterable[Rule], machine: str) -> Iterator[Instruction]:
    """Yield the instructions of these rules. A call that meets none of its rule's conditions is refused."""
    for rule in rules:
        number = number_of(rule.name, machine)
        if number is None:
            continue
        verdict = (RETURN, 0, 0, rule.verdict)
        tests = [each for condition in rule.conditions for each in _unless_met(condition, verdict)]
        then = [*tests, REFUSED] if rule.conditions else [verdict]
        yield EQUAL, 0, len(then), number
        yield from then


def _unless_met(condition: Sequence[OneOf], verdict: Instruction) -> Iterator[Instruction]:
    """Yield the instructions that return the verdict if a condition is met, and otherwise continue after them."""
    pieces = [_test(each) for each in condition]
    for place, piece in enumerate(pieces):
        rest = sum(map(len, pieces[place + 1 :])) + 1  # instructions to skip if this part is not met; + 1: the verdict
        *tests, (code, met, _, value) = piece
        yield from tests
        yield code, met, rest, value
    yield verdict


def _test(among: OneOf) -> list[Instruction]:
    """Return instructions that continue if the condition is met; the caller sets the last one's second jump."""
    load = [(LOAD, 0, 0, ARGUMENTS + 8 * among.argument)]
    mask = [] if among.mask == WORD else [(MASK, 0, 0, among.mask)]
    left = range(len(among.values) - 1, -1, -1)
    return [*load, *mask, *((EQUAL, after, 0, value) for after, value in zip(left, among.values, strict=True))]


def _search(numbers: Sequence[int]) -> Iterator[Instruction]:
    """Yield instructions that allow these sorted numbers and refuse all others; a range takes one comparison."""
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
