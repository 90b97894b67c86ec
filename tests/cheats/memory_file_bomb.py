"""Allocates memory endlessly in files without a path: memfd_create and shared mappings.

The resident memory of all its processes is counted, and a program above the limit is ended.
"""
# stops: strong, reduced, practice
# seen: limit: MiB

import mmap
import time

_held = []


def _bomb():
    for _ in range(40):
        flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE  # there at once, however busy the machine is
        _held.append(mmap.mmap(-1, 60 << 20, flags))
        if len(_held) > 12:
            time.sleep(0.3)


for_nobody(_bomb)
