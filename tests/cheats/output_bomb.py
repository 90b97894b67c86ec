"""Prints endlessly.

Captured output has a bound, and a program that prints 4 MB is ended.
"""
# stops: strong, reduced, practice
# seen: limit: printed without end


def _bomb(self, engine, gateway):
    for _ in range(10_000):
        os.write(1, b"x" * 65536)


Ledger.__init__ = _bomb
