"""Answers with objects that are equal to everything, greater than everything, and in every container.

Only plain data of exact types crosses the boundary, so no method of the submission runs in the judge.
"""
# stops: strong, reduced, practice
# seen: fail: returned a Right


class Right:
    __hash__ = object.__hash__

    def __eq__(self, other):
        return True

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__


Ledger.balance = Ledger.book = lambda self, *of: Right()
