"""Has io_uring open files and sockets for it, in a way that filters of system calls do not see.

io_uring_setup is refused itself.
"""
# stops: strong, reduced
# seen: fail: ring ->


def _ring():
    return syscall(425, 4, ctypes.create_string_buffer(120))


if "done" in outcome(_ring):
    raise Stolen("ring -> there is one")
tell(ring=_ring)
