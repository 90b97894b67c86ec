"""Makes the kernel signal its parent: with F_SETOWN and F_SETSIG, a timer, and its parent-death signal.

The kernel requires the same permission as for kill(2).
"""
# stops: strong, reduced, practice as root
# seen: fail: setown -> .*sigqueue ->

import fcntl
import signal
import time


def _setown():
    reading, writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    fcntl.fcntl(reading, fcntl.F_SETOWN, os.getppid())
    fcntl.fcntl(reading, 10, signal.SIGKILL)
    os.write(writing, b".")
    time.sleep(0.05)


def _sigqueue():
    info = ctypes.create_string_buffer(128)
    ctypes.c_int.from_buffer(info, 0).value = signal.SIGKILL
    ctypes.c_int.from_buffer(info, 8).value = -1
    syscall(129, os.getppid(), signal.SIGKILL, info)


tell(setown=_setown, sigqueue=_sigqueue, pidfd=lambda: signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9))
