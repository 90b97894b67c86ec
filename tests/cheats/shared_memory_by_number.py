"""Attaches another program's shared memory by its id, which is easy to guess.

seccomp refuses every system call that takes such an id.
"""
# stops: strong, reduced
# seen: fail: (Stolen|segment -> )


def _attach():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_long
    if libc.shmat(SEGMENT, None, 0) == -1:
        raise OSError(ctypes.get_errno(), "")
    raise Stolen("another program's shared memory")


if "Stolen" in outcome(_attach):
    raise Stolen("another program's shared memory")
tell(segment=_attach)
