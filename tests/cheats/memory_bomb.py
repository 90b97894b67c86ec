"""Allocates memory endlessly.

A program has 512 MiB; an allocation beyond that fails, and memory of other kinds is counted.
"""
# stops: strong, reduced, practice
# seen: limit: MiB

_held = []


def _bomb(self, engine, gateway):
    for _ in range(300):
        _held.append(b"x" * (10 << 20))


Ledger.__init__ = _bomb
