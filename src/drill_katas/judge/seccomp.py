"""System calls that a SUT has no business with, refused by a seccomp filter.

What is left are files it may open, memory, threads, processes of its own, and unix sockets. This is the second wall
behind namespaces, and one of two where there are none. https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import functools
import struct
from typing import TYPE_CHECKING, Final

from drill_katas.judge import namespaces
from drill_katas.judge.system import MACHINE, prctl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_* of linux/audit.h
PR_SET_SECCOMP, MODE_FILTER = 22, 2
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
X32: Final = 0x40000000  # the other numbering of x86_64, which nothing here uses
# instructions of classic BPF: load a word, jump if equal, if any bit is set, if greater or equal, return, mask the word
LOAD, EQUAL, ANY, FROM, RETURN, MASK = 0x20, 0x15, 0x45, 0x35, 0x06, 0x54
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

FORBIDDEN: Final = {  # by its numbers on x86_64 and aarch64; None where there is no such call
    # other processes, and the kernel's view of them
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # files other than by their names, and devices
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "mknod": (133, None), "mknodat": (259, 33),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "fanotify_init": (300, 262),
    # memory that no limit counts
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # the machine
    "acct": (163, 89), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "syslog": (103, 116), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "settimeofday": (164, 170),
    "adjtimex": (159, 171), "vhangup": (153, 58), "personality": (135, 92),
    # where kernels have been broken into
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}  # fmt: skip
METADATA: Final = (  # what Landlock has no rights for: modes, owners, times and attributes of files
    (90, None), (91, 52), (268, 53), (452, 452),  # chmod, fchmod, fchmodat, fchmodat2
    (92, None), (93, 55), (94, None), (260, 54),  # chown, fchown, lchown, fchownat
    (132, None), (235, None), (261, None), (280, 88),  # utime, utimes, futimesat, utimensat
    (188, 5), (189, 6), (190, 7), (463, 463),  # setxattr, lsetxattr, fsetxattr, setxattrat
    (197, 14), (198, 15), (199, 16), (466, 466), (469, 469),  # removexattr and its kin; file_setattr
)  # fmt: skip
CONNECT: Final = (42, 203)
OWN: Final = {  # the call, and which argument says for which process: only 0, oneself, is allowed
    (302, 261): 0, (203, 122): 0, (144, 119): 0, (142, 118): 0, (314, 274): 0, (251, 30): 1, (141, 140): 1,
}  # fmt: skip
"""prlimit64, sched_setaffinity, sched_setscheduler, sched_setparam, sched_setattr, ioprio_set, setpriority"""
SOCKETS: Final = ((41, 198), (53, 199))  # socket, socketpair
CLONE, CLONE3, FCNTL, IOCTL = (56, 220), (435, 435), (72, 25), (16, 29)
SIGNALS: Final = ((62, 129), (200, 130), (234, 131))  # kill, tkill, tgkill
AF_UNIX, SOCK_STREAM = 1, 1
SENDS_SIGNALS: Final = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: have somebody else be sent a signal
TAKES_OVER: Final = (0x5412, 0x8901, 0x8902)  # TIOCSTI, FIOSETOWN, SIOCSPGRP: type for a terminal, and as above
NAMESPACES: Final = (
    namespaces.NEWNS | namespaces.NEWUTS | namespaces.NEWIPC | namespaces.NEWUSER | namespaces.NEWPID
    | namespaces.NEWNET | 0x02000000  # cgroups
)  # fmt: skip


Instruction = tuple[int, int, int, int]
"""Its code, how many to skip if so and if not, and its value."""
REFUSED: Final[Instruction] = (RETURN, 0, 0, ERRNO | errno.EPERM)
ALLOWED: Final[Instruction] = (RETURN, 0, 0, ALLOW)


def confine(own_pid: int | None) -> None:
    """Refuse these calls from here on, for good, to this process and all that it starts. Raises `OSError`.

    With `own_pid`, which is its process id where the host's processes and files are in sight, signals go to itself
    alone, connections to nobody, and modes, owners, times and attributes of files stay as they are.
    """
    install(filter_for(own_pid))


def install(code: bytes) -> None:
    """Have the kernel ask this filter about every system call from here on. Raises `OSError`.

    The process must not be able to gain privileges.
    """
    held = ctypes.create_string_buffer(code)
    loaded = struct.pack("HP", len(code) // 8, ctypes.addressof(held))
    prctl(PR_SET_SECCOMP, MODE_FILTER, loaded)


@functools.cache
def filter_for(own_pid: int | None) -> bytes:
    """Return the filter for `confine`, as the kernel reads it. Raises `OSError`."""
    if MACHINE not in ARCHITECTURES:
        raise OSError(f"seccomp: the numbers of {MACHINE} are not known")
    return assembled(_program(own_pid))


def assembled(instructions: Iterable[Instruction]) -> bytes:
    """Return a filter as the kernel reads it."""
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


def _program(own_pid: int | None) -> Iterator[Instruction]:
    """Say what becomes of each system call."""
    yield LOAD, 0, 0, ARCHITECTURE
    yield EQUAL, 1, 0, ARCHITECTURES[MACHINE]
    yield RETURN, 0, 0, KILL  # another architecture's call
    yield LOAD, 0, 0, NUMBER
    if MACHINE == "x86_64":
        yield FROM, 0, 1, X32
        yield RETURN, 0, 0, KILL
    for numbers in FORBIDDEN.values():
        yield from rule(numbers, [REFUSED])
    yield from rule(CLONE3, [(RETURN, 0, 0, ERRNO | errno.ENOSYS)])  # its flags lie in memory; clone is taken then
    yield from rule(CLONE, [*argument(0), (ANY, 0, 1, NAMESPACES), REFUSED, ALLOWED])
    yield from rule(FCNTL, [*argument(1), *unless(SENDS_SIGNALS)])
    yield from rule(IOCTL, [*argument(1), *unless(TAKES_OVER)])
    for numbers in SOCKETS:
        yield from rule(numbers, [*argument(0), *only(AF_UNIX)] if own_pid is None else STREAMS)
    for numbers, whose in OWN.items():
        yield from rule(numbers, [*argument(whose), *only(0)])
    if own_pid is not None:
        for numbers in SIGNALS:
            yield from rule(numbers, [*argument(0), *only(own_pid)])
        for numbers in (CONNECT, *METADATA):
            yield from rule(numbers, [REFUSED])
    yield ALLOWED


def rule(numbers: tuple[int, int | None], then: Sequence[Instruction]) -> Iterator[Instruction]:
    """Say what becomes of one system call; `then` ends with a return."""
    number = numbers[list(ARCHITECTURES).index(MACHINE)]
    if number is not None:
        yield EQUAL, 0, len(then), number
        yield from then


def argument(number: int) -> list[Instruction]:
    """Load an argument: its lower half, for all that are looked at are ints to the kernel."""
    return [(LOAD, 0, 0, ARGUMENTS + 8 * number)]


def only(value: int) -> list[Instruction]:
    """Allow it with this value."""
    return [(EQUAL, 1, 0, value), REFUSED, ALLOWED]


def unless(values: Sequence[int]) -> list[Instruction]:
    """Allow it unless it is one of these values."""
    tests = [(EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*tests, ALLOWED, REFUSED]


STREAMS: Final = [*argument(0), (EQUAL, 1, 0, AF_UNIX), REFUSED, *argument(1), (MASK, 0, 0, 0xF), *only(SOCK_STREAM)]
"""Unix sockets that say nothing to anybody they are not connected to; a datagram could name whom it is for."""
