"""Tries to map 512 GiB and to read one byte in every 2 MiB: almost no memory, but 1 GiB of page tables.

Address space is limited, and page tables count as memory.
"""
# stops: strong, reduced, practice
# seen: limit: asked for more than

import mmap

_SIZE = 512 << 30


def _bomb(self, engine, gateway):
    space = mmap.mmap(-1, _SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)
    for at in range(0, _SIZE, 2 << 20):
        space[at]


Ledger.__init__ = _bomb
