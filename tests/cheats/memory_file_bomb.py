"""Takes memory without end as files that are nowhere: memfd_create, and shared mappings.

What its processes hold in memory is counted, and a program with too much is ended.
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
