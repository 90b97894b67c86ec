"""Opens files, pipes, and sockets until none are left.

Descriptors are limited, and the judge does not depend on the program's.
"""
# stops: strong, reduced, practice
# seen: fail: pipes -> OSError

_held = []


def _pipes():
    for _ in range(200_000):
        _held.append(os.pipe())


_told = outcome(_pipes)
for _each in _held:
    os.close(_each[0])
    os.close(_each[1])
raise Tried(f"{len(_held)} pipes -> {_told}")
