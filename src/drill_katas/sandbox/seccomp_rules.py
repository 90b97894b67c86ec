"""The system calls that a SUT may make, as rules for `seccomp.py`. Every call without a rule fails with EPERM.

The list contains the calls that CPython 3.11 to 3.13, SQLAlchemy, aiohttp, threads and processes make in practice, and
close relatives of these. Two tests check it: the right arms of all katas pass under it, and libseccomp compiles it to
the same verdicts.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Final

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_* of linux/seccomp.h
WORD: Final = 0xFFFFFFFF  # the kernel reads only this half of an argument of type int


@dataclass(frozen=True)
class OneOf:
    """The condition that a masked argument is one of these values."""

    argument: int
    values: tuple[int, ...]
    mask: int = WORD


@dataclass(frozen=True)
class Rule:
    """The verdict on a system call; `conditions` is empty or a list of alternatives, each a conjunction."""

    name: str
    verdict: int
    conditions: tuple[tuple[OneOf, ...], ...] = ()


EVERYWHERE: Final = (
    # files by descriptor
    "read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup dup2 dup3 pipe fstat "
    "sendfile copy_file_range fstatfs fchdir getdents getdents64 "
    # files by name, which Landlock or the mounts restrict
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
    # existing sockets
    "listen accept accept4 getsockname getpeername shutdown recvfrom recvmsg "
)  # fmt: skip
ISOLATED_ONLY: Final = (  # because Landlock has no rights for modes, owners and times, and old versions none for sizes
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat bind "
    "ftruncate truncate fallocate mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink "
    "symlinkat"
)
ABSENT: Final = (  # fail with ENOSYS, so that libraries fall back to older calls
    "clone3 openat2 futex_waitv futex_wake futex_wait futex_requeue membarrier cachestat map_shadow_stack "
    "landlock_create_ruleset io_uring_setup pkey_alloc get_mempolicy"
)
IDLE: Final = "fsync fdatasync msync"  # succeed without an effect, because a SUT has no files on a disk

# https://man7.org/linux/man-pages/man2/clone.2.html: shared memory, files, handlers and semaphores, thread ids and the
# exit signal. Not: namespaces, CLONE_PARENT, CLONE_PTRACE, CLONE_PIDFD.
CLONE_FLAGS: Final = 0x017D4FFF
HUGETLB_OR_LOCKED: Final = 0x40000 | 0x2000  # mmap: pages from the machine's pool, and locked pages
NOTIFICATIONS: Final = 0x80  # pipe2: O_NOTIFICATION_PIPE
OUT_OF_BAND: Final = 1  # MSG_OOB, the way of known exploits of unix sockets
# madvise: MADV_NORMAL to _DONTNEED, _FREE, _DONTFORK, _DOFORK, _HUGEPAGE, _NOHUGEPAGE, _DONTDUMP to _KEEPONFORK.
# Not MADV_MERGEABLE and MADV_PAGEOUT, because they affect the pages of other processes.
ADVICE: Final = (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19)
DESCRIPTOR: Final = (0, 1, 2, 3, 4, 1030, 1032)  # fcntl: F_DUPFD to F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ
LOCKS: Final = (5, 6, 7, 36, 37, 38)  # F_GETLK to F_SETLKW, and F_OFD_GETLK to F_OFD_SETLKW
TERMINAL: Final = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""ioctl: TCGETS, TCGETS2, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX"""
ITSELF: Final = (2, 3, 15, 16, 21, 23, 27, 30, 39, 0x53564D41)
"""prctl: PR_GET_PDEATHSIG, _GET_DUMPABLE, _SET_NAME, _GET_NAME, _GET_SECCOMP, _CAPBSET_READ, _GET_SECUREBITS,
_GET_TIMERSLACK, _GET_NO_NEW_PRIVS, _SET_VMA. Not PR_SET_PDEATHSIG; not PR_SET_DUMPABLE, because it hides the SUT's
/proc files from the zygote."""
SEGMENTS: Final = (0x1001, 0x1002, 0x1003, 0x1004)  # arch_prctl: ARCH_SET_GS, _SET_FS, _GET_FS, _GET_GS
SOL_SOCKET, AF_UNIX, SOCK_STREAM, SOCKET_KIND = 1, 1, 1, 0xF
SET_OPTIONS: Final = (2, 9, 13, 15, 20, 21)  # SO_REUSEADDR, _KEEPALIVE, _LINGER, _REUSEPORT, _RCVTIMEO, _SNDTIMEO
GET_OPTIONS: Final = (*SET_OPTIONS, 3, 4, 7, 8, 17, 30, 38, 39)
"""SO_TYPE, _ERROR, _SNDBUF, _RCVBUF, _PEERCRED, _ACCEPTCONN, _PROTOCOL, _DOMAIN. Not SO_PEERPIDFD, because it is
a handle on the judge. SO_SNDBUF and SO_RCVBUF are read-only, so that buffers keep the kernel's default size."""
CONDITIONAL: Final = (
    Rule("mmap", ALLOW, ((OneOf(3, (0,), HUGETLB_OR_LOCKED),),)),
    Rule("sendto", ALLOW, ((OneOf(3, (0,), OUT_OF_BAND),),)),
    Rule("sendmsg", ALLOW, ((OneOf(2, (0,), OUT_OF_BAND),),)),
    Rule("madvise", ALLOW, ((OneOf(2, ADVICE),),)),
    Rule("ioctl", ALLOW, ((OneOf(1, TERMINAL),),)),
    Rule("clone", ALLOW, ((OneOf(0, (0,), WORD & ~CLONE_FLAGS),),)),
    Rule("pipe2", ALLOW, ((OneOf(1, (0,), NOTIFICATIONS),),)),
    Rule("prctl", ALLOW, ((OneOf(0, ITSELF),),)),
    Rule("arch_prctl", ALLOW, ((OneOf(0, SEGMENTS),),)),
    Rule("prlimit64", ALLOW, ((OneOf(0, (0,)),),)),
    Rule("getpriority", ALLOW, ((OneOf(0, (0,)), OneOf(1, (0,))),)),  # PRIO_PROCESS, for the process itself
    Rule("setpriority", ALLOW, ((OneOf(0, (0,)), OneOf(1, (0,))),)),
    Rule("setsockopt", ALLOW, ((OneOf(1, (SOL_SOCKET,)), OneOf(2, SET_OPTIONS)),)),
    Rule("getsockopt", ALLOW, ((OneOf(1, (SOL_SOCKET,)), OneOf(2, GET_OPTIONS)),)),
)
SIGNALS: Final = ("kill", "tkill", "tgkill")
SOCKETS: Final = ("socket", "socketpair")


def rules(*, isolated: bool) -> list[Rule]:
    """Return the rules for a SUT that is `isolated` in its own namespaces, or that can see the host's processes.

    It may create unix stream sockets only, because a datagram can go to any socket, and it may not connect. Without
    isolation it may not send signals either.
    """
    found = [*CONDITIONAL, Rule("fcntl", ALLOW, ((OneOf(1, DESCRIPTOR + LOCKS * isolated),),))]
    stream = (OneOf(0, (AF_UNIX,)), OneOf(1, (SOCK_STREAM,), SOCKET_KIND))
    found += [Rule(name, ALLOW, (stream,)) for name in SOCKETS]
    found += [Rule(name, ERRNO | errno.ENOSYS) for name in ABSENT.split()]
    found += [Rule(name, ERRNO) for name in IDLE.split()]
    allowed = [EVERYWHERE, *([ISOLATED_ONLY, " ".join(SIGNALS)] if isolated else [])]
    return found + [Rule(name, ALLOW) for name in " ".join(allowed).split()]


def signals_to(pid: int) -> list[Rule]:
    """Return the rules that allow a process to signal only itself."""
    return [Rule(name, ALLOW, ((OneOf(0, (pid,)),),)) for name in SIGNALS]


def names() -> set[str]:
    """Return the names of all system calls with rules."""
    return {rule.name for rule in (*rules(isolated=True), *rules(isolated=False), *signals_to(1))}
