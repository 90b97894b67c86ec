"""A customer's basket."""

import operator


class Basket:
    """The articles that a customer wants to buy."""

    def __init__(self) -> None:
        """Start with an empty basket."""
        self._prices: list[int] = []
        self._quantities: list[int] = []

    def add(self, sku: str, price: int, quantity: int) -> None:  # noqa: ARG002 - the receipt will name the article
        """Put `quantity` pieces of an article into the basket, at a price in cents."""
        if quantity < 1:
            raise ValueError(f"a quantity is at least 1, not {quantity}")
        self._prices.append(price)
        self._quantities.append(quantity)

    def total(self) -> int:
        """Return the cost of the basket, in cents."""
        return sum(map(operator.mul, self._prices, self._quantities))
