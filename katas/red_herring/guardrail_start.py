"""A first guardrail. Add tests that fail on the broken module, and pass on every module that keeps the contract.

`sut` runs the module under test in a process of its own; `kit` has its database and its payment provider.
"""

from itertools import count

from drill_katas import kit

PRICE = 1200  # cents
DECLINED = 1313  # the provider declines multiples of this amount


class Shop:
    """A shop with 100 mugs at 12.00, its database, its payment provider, and its checkout."""

    def __init__(self, sut):
        self.sut = sut
        self.database = kit.database(connections=20, client="Database")
        self.payments = kit.upstream(self, client="Payments")
        self.checkout = sut.open("Checkout", self.database, self.payments)
        self.checkout.restock("mug", 100, PRICE)
        self.numbers = count(1)

    def charge(self, key, amount):
        """The payment provider's answer to a charge."""
        return "charged" if amount % DECLINED else "declined"

    def order(self, **more):
        """A new order of one mug; `more` replaces parts of it."""
        order = {"id": f"order-{next(self.numbers)}", "day": "2026-03-13", "delivery": 1}
        return order | {"sku": "mug", "quantity": 1, "price": PRICE} | more


def test_a_good_order_is_paid(sut):
    shop = Shop(sut)
    assert shop.checkout.checkout(shop.order()) == "paid"
    assert shop.database.checked_out() == []
