"""Words for what failing checks say."""

from __future__ import annotations


def some(number: int, what: str, plural: str | None = None) -> str:
    """Return a number of things in words: `some(1, "order")` is "1 order", `some(3, "order")` is "3 orders"."""
    return f"{number} {what}" if number == 1 else f"{number} {plural or what + 's'}"
