"""A first guardrail. Add tests that fail on the broken modules, and pass on every module that keeps the contract.

`sut` runs the three services in a process of its own; `kit` has the network between them and stock's database.
"""

import time

from drill_katas import kit

SERVICES = ("checkout", "stock", "pricing")
PRICES = {"mug": "20"}


class Shop:
    """The three services on their network, each with `workers` workers."""

    def __init__(self, sut, workers):
        self.database = kit.database(round_trip=0.001, client="Database")
        self.network = kit.network(*SERVICES)
        own: dict[str, dict[str, object]] = {
            "checkout": {"customers": {"ann": "gold"}},
            "stock": {"on_hand": {"mug": 100}, "database": self.database},
            "pricing": {"tiers": {"gold": 10, "standard": 0}, "coupons": {"SAVE20": 20}},
        }
        common = {"workers": workers, "service_time": 0.01, "list_prices": PRICES}
        for service in SERVICES:
            sut.serve(f"{service}.make_app", self.network.node(service), **common, **own[service])

    def place(self, *orders, deadline=2_000):
        """Place all orders at once; return their answers."""
        headers = {"X-Deadline-Ms": str(deadline)}
        posts = [("POST", "/orders", {"json": order, "headers": headers}) for order in orders]
        return self.network.ask_together("checkout", posts, within=4)

    def outcome(self, order, answer):
        """Return the status and the body of an order's outcome; after 202, look at the order until it has one."""
        until = time.monotonic() + 3
        while answer.status == 202 and time.monotonic() < until:
            time.sleep(0.02)
            answer = self.network.ask("checkout", "GET", f"/orders/{order['id']}", within=4)
        return answer.status, answer.json()


def test_an_order_is_confirmed(sut):
    shop = Shop(sut, workers=4)
    order = {"id": "order-1", "customer": "ann", "sku": "mug", "quantity": 2, "coupon": "SAVE20"}
    (answer,) = shop.place(order)
    right = {"id": "order-1", "status": "confirmed", "price": "28.00", "degraded": False}
    assert shop.outcome(order, answer) == (200, right)
