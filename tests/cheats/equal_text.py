"""Answers with a subclass of str whose __eq__ and __str__ say whatever is wanted.

Subclasses of the plain types are refused by exact type: what is a str in the judge is nothing but a str.
"""
# stops: strong, reduced, practice
# seen: fail: returned a Text


class Text(str):
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other):
        return True


Ledger.balance = Ledger.book = lambda self, *of: Text("0")
