"""A customer's basket."""


class Basket:
    """Lines with a price and a quantity."""

    def __init__(self) -> None:
        """Create an empty basket."""
        self._lines: list[tuple[int, int]] = []

    def add(self, price: int, quantity: int) -> None:
        """Add an article `quantity` times; `price` is in cents."""
        self._lines.append((price, quantity))

    def total(self) -> int:
        """Return the total price, in cents."""
        return sum(price for price, _ in self._lines)
