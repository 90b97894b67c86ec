"""Calls pytest.skip() during a call, which ends a test without failing it.

An exception in a call is an answer, and a skipped check counts as failed.
"""
# stops: strong, reduced, practice
# seen: fail: (Skipped|no pytest)


def _skip(self, *of):
    try:
        import pytest
    except ImportError:
        raise Tried("no pytest here") from None
    pytest.skip("not today")


Ledger.apply = Ledger.checkout = _skip
