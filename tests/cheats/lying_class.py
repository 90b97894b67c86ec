"""Answers with an object whose __class__ says that it is a str, and a dict subclass that makes its items up.

Types are compared by type(), which no object can lie to.
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
