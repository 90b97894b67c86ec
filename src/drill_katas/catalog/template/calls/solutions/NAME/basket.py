"""A customer's basket."""


class Basket:
    """The articles that a customer wants to buy."""

    def __init__(self) -> None:
        """Start with an empty basket."""
        self._additions: list[tuple[str, int, int]] = []

    def add(self, sku: str, price: int, quantity: int) -> None:
        """Put `quantity` pieces of an article into the basket, at a price in cents."""
        if quantity < 1:
            raise ValueError(f"a quantity is at least 1, not {quantity}")
        self._additions.append((sku, price, quantity))

    def total(self) -> int:
        """Return the cost of the basket, in cents."""
        return sum(price * quantity for _, price, quantity in self._additions)
