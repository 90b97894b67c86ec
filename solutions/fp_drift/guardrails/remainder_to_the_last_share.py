"""Wrong: it forbids a split that gives the remainder to the last shares, which the contract allows."""

from drill_katas import kit


class Gateway:
    def charge(self, key, amount, currency):
        return "charged"


def test_first_shares_get_the_remainder(sut):
    ledger = sut.open("Ledger", kit.database(), kit.upstream(Gateway(), client="Gateway"))
    split = {"id": "evt-1", "type": "split", "account": "alice", "currency": "USD", "amount": "10.00", "delivery": 1}
    ledger.apply(split | {"to": ["shop", "tax", "tip"]})
    assert [ledger.balance(account, "USD") for account in ("shop", "tax", "tip")] == ["3.34", "3.33", "3.33"]
