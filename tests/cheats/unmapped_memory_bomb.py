"""Allocates memory in memfd_create files that it never maps: pages that belong to no process.

memfd_create is refused, or the pages count in the memory of the program's control group.
"""
# stops: strong, reduced
# seen: .*: (memfd|MiB)

_held = []


def _bomb():
    for _ in range(16):
        _held.append(os.memfd_create("museum"))
        os.write(_held[-1], b"x" * (50 << 20))
    raise Stolen("memfd: 800 MB that belong to nobody")


def _try():
    try:
        _bomb()
    except OSError as error:
        raise Tried(f"memfd: {error}") from None


for_nobody(_try)
