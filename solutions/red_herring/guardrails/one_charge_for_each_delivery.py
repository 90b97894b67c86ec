"""Wrong: it forbids a checkout that asks payments again after a lost answer, which the contract allows."""

from drill_katas import kit


class Provider:
    def charge(self, key, amount):
        return "charged"


def test_payments_are_asked_once(sut):
    database, payments = kit.database(connections=20, client="Database"), kit.upstream(Provider(), client="Payments")
    checkout = sut.open("Checkout", database, payments)
    checkout.restock("mug", 10, 1200)
    payments.script([kit.Fault.REPLY_LOST] * 9)
    order = {"id": "order-1", "day": "2026-03-13", "sku": "mug", "quantity": 1, "price": 1200, "delivery": 1}
    assert checkout.checkout(order) == "unavailable"
    assert len(payments.received) == 1
