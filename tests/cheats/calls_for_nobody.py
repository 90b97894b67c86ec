"""Calls the payment gateway without end, with arguments that no gateway takes: the judge keeps what it was asked.

What is kept of one check has one bound, whatever it is.
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
