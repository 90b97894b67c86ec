"""A first guardrail. Add tests that fail on the broken module, and pass on every module that keeps the contract.

`sut` runs the module under test in a process of its own; `kit` has its database and its payment gateway.
"""

from itertools import count

from drill_katas import kit

DECLINED = "6.66"  # the gateway declines this amount


class Gateway:
    """The payment gateway: it charges a key once, and repeats its first answer."""

    def __init__(self):
        self.answers = {}

    def charge(self, key, amount, currency):
        """Answer a call of `gateway.charge`."""
        return self.answers.setdefault(key, "declined" if amount == DECLINED else "charged")


class Bank:
    """An empty ledger with its database and its gateway."""

    def __init__(self, sut):
        self.sut = sut
        self.database = kit.database()
        self.gateway = Gateway()
        self.line = kit.upstream(self.gateway, client="Gateway")
        self.ledger = sut.open("Ledger", self.database, self.line)
        self.numbers = count(1)

    def event(self, type_, amount, **more):
        """Return a new event in USD for the account alice; `more` replaces and adds parts."""
        message = {"id": f"evt-{next(self.numbers)}", "type": type_, "account": "alice", "currency": "USD"}
        return message | {"amount": amount, "delivery": 1} | more

    def order(self, amount, **more):
        """Return a new order in USD for the account alice; `more` replaces parts."""
        message = {"id": f"order-{next(self.numbers)}", "account": "alice", "currency": "USD"}
        return message | {"amount": amount, "delivery": 1} | more


def test_a_payment_and_an_order_are_credited(sut):
    bank = Bank(sut)
    bank.ledger.apply(bank.event("payment", "5.00"))
    assert bank.ledger.checkout(bank.order("2.00")) == "paid"
    assert bank.ledger.balance("alice", "USD") == "7.00"
    assert bank.ledger.book("USD") == "7.00"
