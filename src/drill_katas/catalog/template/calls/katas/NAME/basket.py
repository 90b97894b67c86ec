"""A customer's basket."""


class Basket:
    """Lines of a price and a quantity."""

    def __init__(self) -> None:
        """Begin with nothing in it."""
        self._lines: list[tuple[int, int]] = []

    def add(self, price: int, quantity: int) -> None:
        """Put something in, `quantity` times."""
        self._lines.append((price, quantity))

    def total(self) -> int:
        """Return what the basket costs, in cents."""
        return sum(price for price, _ in self._lines)
