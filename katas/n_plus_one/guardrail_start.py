"""A first guardrail. Add tests that fail on the broken modules, and pass on every module that keeps the contract.

`sut` runs the application in a process of its own; `kit` has its database and the network to its price service.
"""

import json

from drill_katas import kit

WITHIN = 5.0  # seconds for an answer


class Shop:
    """The dashboard, its database, and its price service."""

    def __init__(self, sut):
        self.prices = {}
        self.database = kit.database()
        self.network = kit.network("prices", "dashboard")
        self.network.play("prices", self.answer)
        sut.serve("make_app", self.network.node("dashboard"), engine=self.database)

    async def answer(self, hop):
        """The price service's answer to a call: `/price` for one SKU, `/prices` for many."""
        asked = json.loads(hop.body)
        if hop.path == "/price":
            return 200, {"price": self.prices.get(asked["sku"])}
        return 200, {"prices": {sku: self.prices[sku] for sku in asked["skus"] if sku in self.prices}}

    def send(self, path, value):
        """Send a value to the dashboard; return its answer."""
        return self.network.ask("dashboard", "POST", path, json=value, within=WITHIN)

    def ask(self, *users):
        """Ask for the dashboard of these users; return its answer."""
        query = "&".join(f"user={user}" for user in users)
        return self.network.ask("dashboard", "GET", f"/dashboard?{query}", within=WITHIN)


def test_a_user_is_shown(sut):
    shop = Shop(sut)
    shop.prices["mug"] = "12.5"
    shop.send("/users", {"users": [{"id": 1, "name": "Ada", "addresses": ["1 Mill Lane"]}]})
    shop.send("/orders", {"orders": [{"user": 1, "lines": [{"sku": "mug", "quantity": 2}]}]})
    answer = shop.ask(1)
    assert answer.status == 200
    (user,) = answer.json()["users"]
    assert user["name"] == "Ada"
    assert kit.money.exact(user["total"]) == 25
