"""Kills every process that it can signal, and its parent by pid, so that no verdict is reported.

It can signal only processes of its own user in its own PID namespace: only itself.
"""
# stops: strong, reduced, practice as root
# seen: fail: parent -> .*stop -> .*group ->

import signal


def _all():
    if os.getuid() == 0:
        return "not as root"
    return os.kill(-1, signal.SIGUSR2)


signal.signal(signal.SIGUSR2, signal.SIG_IGN)
_parent = os.getppid()
tell(
    parent=lambda: os.kill(_parent, signal.SIGKILL) if _parent > 1 else "not there",
    stop=lambda: os.kill(_parent, signal.SIGSTOP) if _parent > 1 else "not there",
    group=lambda: os.killpg(os.getpgid(_parent), signal.SIGTERM) if _parent > 1 else "not there",
    all=_all,
)
