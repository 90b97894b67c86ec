"""A first guardrail. Add tests that fail on the broken application, and pass on every one that keeps the contract.

`sut` runs the application in a process of its own; the network plays its customers and the price service.
"""

from typing import Any

from drill_katas import kit


class Shop:
    """The application `basket` and the price service, which knows one article, a pen at 2.50."""

    def __init__(self, sut: kit.Sut) -> None:
        self.price = 250
        self.network = kit.network("basket", "prices")
        self.network.play("prices", self._price)
        sut.serve("make_app", self.network.node("basket"))

    def add(self, sku: str, quantity: int) -> int | None:
        """Put an article into the basket b1 and return the status of the answer."""
        addition = {"sku": sku, "quantity": quantity}
        return self.network.ask("basket", "POST", "/baskets/b1/additions", within=2, json=addition).status

    def total(self) -> Any:
        """Return the total of the basket b1."""
        return self.network.ask("basket", "GET", "/baskets/b1/total", within=2).json()["total"]

    async def _price(self, _hop: kit.Hop) -> tuple[int, Any]:
        return 200, {"price": self.price}


def test_an_article_has_its_price(sut: kit.Sut) -> None:
    shop = Shop(sut)
    assert shop.add("pen", 1) == 204
    assert shop.total() == 250
