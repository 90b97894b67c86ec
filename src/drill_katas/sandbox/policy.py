"""The system calls that a SUT may make, as rules for `seccomp.py`. Every call without a rule fails with EPERM.

The list names the calls that CPython 3.11 to 3.13, SQLAlchemy, aiohttp, threads and processes were seen to make, and
their close relatives. Two tests keep it: the right arms of all katas pass under it, and libseccomp compiles it to the
same verdicts.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Final

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_* of linux/seccomp.h
WORD: Final = 0xFFFFFFFF  # the half of an argument that the kernel reads where it expects an int


@dataclass(frozen=True)
class Among:
    """An argument, masked, is one of these values."""

    argument: int
    values: tuple[int, ...]
    mask: int = WORD


@dataclass(frozen=True)
class Rule:
    """The verdict on a system call; with conditions, only where all of one of them are met."""

    name: str
    verdict: int
    conditions: tuple[tuple[Among, ...], ...] = ()


EVERYWHERE: Final = (
    # files by descriptor
    "read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup dup2 dup3 pipe fstat "
    "sendfile copy_file_range fstatfs fchdir getdents getdents64 "
    # files by name, which Landlock and the mounts decide on
    "open openat creat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd chdir "
    "umask statfs getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr "
    # memory
    "munmap mprotect mremap brk "
    # waiting
    "select poll ppoll pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd "
    "eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 futex set_robust_list rseq "
    # threads and processes of its own
    "fork vfork execve execveat exit exit_group wait4 waitid set_tid_address gettid getpid getppid getpgrp "
    "getpgid getsid setsid setpgid getuid geteuid getgid getegid getresuid getresgid getgroups capget "
    # signals to itself, and timers
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack "
    "restart_syscall pause alarm setitimer getitimer timer_create timer_settime timer_gettime timer_getoverrun "
    "timer_delete "
    # time and the machine
    "nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times getrusage sysinfo uname getcpu "
    "getrandom sched_yield sched_getaffinity sched_get_priority_max sched_get_priority_min getrlimit setrlimit "
    # sockets that are there
    "listen accept accept4 getsockname getpeername shutdown recvfrom recvmsg "
)  # fmt: skip
WITH_FILES_OF_ITS_OWN: Final = (  # Landlock has no rights for modes, owners and times, and older ones none for sizes
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat bind connect "
    "ftruncate truncate fallocate mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink "
    "symlinkat"
)
ABSENT: Final = (  # newer calls, which libraries try first, and then older ones
    "clone3 openat2 futex_waitv futex_wake futex_wait futex_requeue membarrier cachestat map_shadow_stack "
    "landlock_create_ruleset io_uring_setup pkey_alloc get_mempolicy"
)
IDLE: Final = "fsync fdatasync msync"  # succeed without an effect: none of a SUT's own files is on a disk

# https://man7.org/linux/man-pages/man2/clone.2.html: shared memory, files, handlers and semaphores, thread ids and the
# exit signal. Not: namespaces, CLONE_PARENT, CLONE_PTRACE, CLONE_PIDFD.
CLONE_FLAGS: Final = 0x017D4FFF
HUGETLB_OR_LOCKED: Final = 0x40000 | 0x2000  # of mmap: pages from the machine's pool, pages that stay
NOTIFICATIONS: Final = 0x80  # of pipe2: O_NOTIFICATION_PIPE
OUT_OF_BAND: Final = 1  # MSG_OOB, by which unix sockets have been broken into
# madvise: MADV_NORMAL to _DONTNEED, _FREE, _DONTFORK, _DOFORK, _HUGEPAGE, _NOHUGEPAGE, _DONTDUMP to _KEEPONFORK.
# Not MADV_MERGEABLE and MADV_PAGEOUT, which have an effect on others' pages.
ADVICE: Final = (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19)
DESCRIPTOR: Final = (0, 1, 2, 3, 4, 1030, 1032)  # fcntl: F_DUPFD to F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ
LOCKS: Final = (5, 6, 7, 36, 37, 38)  # F_GETLK to F_SETLKW, and those of open files
TERMINAL: Final = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""ioctl: TCGETS, TCGETS2, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX"""
ITSELF: Final = (2, 3, 15, 16, 21, 23, 27, 30, 39, 0x53564D41)
"""prctl: PR_GET_PDEATHSIG, _GET_DUMPABLE, _SET_NAME, _GET_NAME, _GET_SECCOMP, _CAPBSET_READ, _GET_SECUREBITS,
_GET_TIMERSLACK, _GET_NO_NEW_PRIVS, _SET_VMA. Not PR_SET_PDEATHSIG, and not PR_SET_DUMPABLE, which blinds the zygote."""
SEGMENTS: Final = (0x1001, 0x1002, 0x1003, 0x1004)  # arch_prctl: ARCH_SET_GS, ARCH_SET_FS, and both read
SOL_SOCKET, AF_UNIX, SOCK_STREAM, SOCKET_KIND = 1, 1, 1, 0xF
SET_OPTIONS: Final = (2, 9, 13, 15, 20, 21)  # SO_REUSEADDR, _KEEPALIVE, _LINGER, _REUSEPORT, _RCVTIMEO, _SNDTIMEO
GET_OPTIONS: Final = (*SET_OPTIONS, 3, 4, 7, 8, 17, 30, 38, 39)
"""SO_TYPE, _ERROR, _SNDBUF, _RCVBUF, _PEERCRED, _ACCEPTCONN, _PROTOCOL, _DOMAIN. Not SO_PEERPIDFD, a handle of the
judge; and SO_SNDBUF and SO_RCVBUF cannot be set, so that a buffer has the kernel's default size."""
CONDITIONAL: Final = (
    Rule("mmap", ALLOW, ((Among(3, (0,), HUGETLB_OR_LOCKED),),)),
    Rule("sendto", ALLOW, ((Among(3, (0,), OUT_OF_BAND),),)),
    Rule("sendmsg", ALLOW, ((Among(2, (0,), OUT_OF_BAND),),)),
    Rule("madvise", ALLOW, ((Among(2, ADVICE),),)),
    Rule("ioctl", ALLOW, ((Among(1, TERMINAL),),)),
    Rule("clone", ALLOW, ((Among(0, (0,), WORD & ~CLONE_FLAGS),),)),
    Rule("pipe2", ALLOW, ((Among(1, (0,), NOTIFICATIONS),),)),
    Rule("prctl", ALLOW, ((Among(0, ITSELF),),)),
    Rule("arch_prctl", ALLOW, ((Among(0, SEGMENTS),),)),
    Rule("prlimit64", ALLOW, ((Among(0, (0,)),),)),
    Rule("getpriority", ALLOW, ((Among(0, (0,)), Among(1, (0,))),)),  # PRIO_PROCESS, itself
    Rule("setpriority", ALLOW, ((Among(0, (0,)), Among(1, (0,))),)),
    Rule("setsockopt", ALLOW, ((Among(1, (SOL_SOCKET,)), Among(2, SET_OPTIONS)),)),
    Rule("getsockopt", ALLOW, ((Among(1, (SOL_SOCKET,)), Among(2, GET_OPTIONS)),)),
)
SIGNALS: Final = ("kill", "tkill", "tgkill")
SOCKETS: Final = ("socket", "socketpair")


def rules(*, alone: bool) -> list[Rule]:
    """Return the rules for a SUT that is `alone` in namespaces of its own, or sees the host's processes and files.

    The latter makes unix stream sockets only, for a datagram names its recipient, and connects and signals nobody.
    """
    found = [*CONDITIONAL, Rule("fcntl", ALLOW, ((Among(1, DESCRIPTOR + LOCKS * alone),),))]
    unix = Among(0, (AF_UNIX,))
    kinds = (unix,) if alone else (unix, Among(1, (SOCK_STREAM,), SOCKET_KIND))
    found += [Rule(name, ALLOW, (kinds,)) for name in SOCKETS]
    found += [Rule(name, ERRNO | errno.ENOSYS) for name in ABSENT.split()]
    found += [Rule(name, ERRNO) for name in IDLE.split()]
    allowed = [EVERYWHERE, *([WITH_FILES_OF_ITS_OWN, " ".join(SIGNALS)] if alone else [])]
    return found + [Rule(name, ALLOW) for name in " ".join(allowed).split()]


def signals_to(pid: int) -> list[Rule]:
    """Return the rules that let a process signal itself, and no other."""
    return [Rule(name, ALLOW, ((Among(0, (pid,)),),)) for name in SIGNALS]


def names() -> set[str]:
    """Return the names of all calls that have rules."""
    return {rule.name for rule in (*rules(alone=True), *rules(alone=False), *signals_to(1))}
