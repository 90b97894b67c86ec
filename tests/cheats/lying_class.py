"""Answers with an object whose __class__ is str, and with a dict subclass that invents its items.

Types are compared with type(), which an object cannot fake.
"""
# stops: strong, reduced, practice
# seen: fail: returned (a Liar|at .* a dict key|a Lazy)


class Liar:
    __class__ = str


class Lazy(dict):
    def items(self):
        return iter([("any", "thing")])


Ledger.balance = lambda self, *of: Liar()
Ledger.book = lambda self, *of: Lazy()
