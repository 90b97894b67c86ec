"""A basket costs the sum of its additions, whatever they are, and refuses what it cannot serve."""

from typing import Any

from drill_katas import kit


class Shop:
    """The application `basket` and the price service, which prices every article alike."""

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


def test_the_total_follows_each_addition(sut: kit.Sut) -> None:
    shop, due = Shop(sut), 0
    for sku, quantity, price in (("pen", 1, 250), ("pen", 1, 250), ("lamp", 2, 4900), ("pen", 1, 300)):
        shop.price = price
        assert shop.add(sku, quantity) == 204
        due += price * quantity
        assert shop.total() == due


def test_a_refused_addition_changes_nothing(sut: kit.Sut) -> None:
    shop = Shop(sut)
    assert shop.add("pen", 1) == 204
    assert shop.add("lamp", 0) == 400
    shop.network.script("prices", [503])
    assert shop.add("lamp", 1) == 502
    assert shop.total() == 250
