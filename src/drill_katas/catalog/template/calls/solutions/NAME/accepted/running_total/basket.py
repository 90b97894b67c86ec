"""A customer's basket."""


class Basket:
    """The articles that a customer wants to buy."""

    def __init__(self) -> None:
        """Start with an empty basket."""
        self._skus: list[str] = []
        self._total = 0

    def add(self, sku: str, price: int, quantity: int) -> None:
        """Put `quantity` pieces of an article into the basket, at a price in cents."""
        if quantity < 1:
            raise ValueError(f"a quantity is at least 1, not {quantity}")
        self._skus.append(sku)
        self._total += price * quantity

    def total(self) -> int:
        """Return the cost of the basket, in cents."""
        return self._total
