"""Dumps core, to leave a file, or to make the kernel run the host's core dump handler on its data.

The limit for core files is 0 and cannot be raised.
"""
# stops: strong, reduced, practice
# seen: fail: limit -> ValueError.*core -> done \(False\)

import resource


def _core():
    pid = os.fork()
    if pid == 0:
        os.chdir("/tmp")
        os.abort()
    return os.WCOREDUMP(os.waitpid(pid, 0)[1])


tell(limit=lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)), core=_core)
