"""A customer's basket."""

from collections import Counter


class Basket:
    """The articles that a customer wants to buy."""

    def __init__(self) -> None:
        """Start with an empty basket."""
        self._pieces: Counter[tuple[str, int]] = Counter()

    def add(self, sku: str, price: int, quantity: int) -> None:
        """Put `quantity` pieces of an article into the basket, at a price in cents."""
        if quantity < 1:
            raise ValueError(f"{quantity} is not a number of pieces")
        self._pieces[sku, price] += quantity

    def total(self) -> int:
        """Return the cost of the basket, in cents."""
        return sum(price * quantity for (_, price), quantity in self._pieces.items())
