"""Calls the payment gateway endlessly with invalid arguments, because the judge records every call.

All records of one check share one bound.
"""
# stops: strong, reduced, practice
# seen: limit: most of it calls to upstreams

_lines = []


def _call():
    for _ in range(600):
        try:
            _lines[0].ask("charge", nonsense="x" * 900_000)
        except ValueError:
            pass
    raise Stolen("540 MB of the judge's memory")


def _init(self, engine, gateway):
    _lines.append(gateway._line)


Ledger.__init__ = _init
for_nobody(_call)
