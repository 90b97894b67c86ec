"""A guardrail: tests that would have caught the fault, and that every right design passes."""

from drill_katas import kit

PRICE = 1200  # cents


class Provider:
    """The payment provider: declines multiples of 1313."""

    def charge(self, key, amount):
        return "charged" if amount % 1313 else "declined"


class Shop:
    """A shop with a mug in stock, its database, and its payment provider."""

    def __init__(self, sut):
        self.database = kit.database(connections=20, client="Database")
        self.payments = kit.upstream(Provider(), client="Payments")
        self.checkout = sut.open("Checkout", self.database, self.payments)
        self.checkout.restock("mug", 100, PRICE)

    def order(self, number, **more):
        order = {"id": f"order-{number}", "day": "2026-03-13", "sku": "mug", "quantity": 1, "price": PRICE, "delivery": 1}
        return self.checkout.checkout(order | more)


def test_a_good_order_is_paid(sut):
    shop = Shop(sut)
    assert shop.order(1) == "paid"
