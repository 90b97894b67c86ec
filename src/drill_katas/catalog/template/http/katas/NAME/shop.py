"""The shop around the baskets, for the checks and the incident: the judge plays its price service."""

from typing import Any

from drill_katas import kit


class Shop:
    """A network of the learner's application, `basket`, and the price service, `prices`."""

    def __init__(self, sut: kit.Sut) -> None:
        self.prices: dict[str, int] = {"book": 1999, "lamp": 4900, "pen": 250}
        self.network = kit.network("basket", "prices")
        self.network.play("prices", self._price)
        sut.serve("make_app", self.network.node("basket"))

    def add(self, sku: str, quantity: int, basket: str = "b1") -> int | None:
        """Put an article into a basket and return the status of the answer."""
        addition = {"sku": sku, "quantity": quantity}
        return self.network.ask("basket", "POST", f"/baskets/{basket}/additions", within=2, json=addition).status

    def total(self, basket: str = "b1") -> Any:
        """Return the total of a basket, None without one."""
        return total_of(self.network.ask("basket", "GET", f"/baskets/{basket}/total", within=2))

    def fill(self, basket: str, additions: list[tuple[str, int]], *, looks: bool) -> int:
        """Fill a basket and return its cost; a customer who looks asks for the total after each addition."""
        for sku, quantity in additions:
            self.add(sku, quantity, basket)
            if looks:
                self.total(basket)
        return sum(self.prices[sku] * quantity for sku, quantity in additions)

    async def _price(self, hop: kit.Hop) -> tuple[int, Any]:
        return 200, {"price": self.prices[hop.path.rpartition("/")[2]]}


def total_of(answer: kit.HttpResponse) -> Any:
    """Return the total in an answer, None without one."""
    value = answer.json() if answer.status == 200 else None
    return value.get("total") if isinstance(value, dict) else None
