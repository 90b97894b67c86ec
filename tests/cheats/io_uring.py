"""Opens files and sockets through io_uring, which system call filters do not see.

seccomp refuses io_uring_setup itself.
"""
# stops: strong, reduced
# seen: fail: ring ->


def _ring():
    return syscall(425, 4, ctypes.create_string_buffer(120))


if "done" in outcome(_ring):
    raise Stolen("ring -> there is one")
tell(ring=_ring)
