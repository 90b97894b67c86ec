"""Hypothesis strategies for at-least-once delivery, and pairs of ids that are easily confused.

A message is a dict with an `id` and a `delivery`, the number of its delivery from 1.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Message = dict[str, Any]
LONG: Final = "evt-" + "7" * 300
ALIKE: Final = (
    *[("evt-0041", "evt-0042"), ("evt-00a7", "EVT-00A7"), ("evt-7", "evt-7 "), ("evt-1-11", "evt-11-1")],
    *[("42", "042"), ("7e2", "700"), ("evt-'7", "evt:7"), ("\u00e9-7", "e\u0301-7"), (LONG + "1", LONG + "2")],
    *[("pay#1", "pay#2"), ("\u00e4-1", "\u00f6-1"), ("evt-plumless", "evt-buckeroo")],  # the last pair has one CRC-32
)
"""Pairs of different ids that look equal to code that folds, trims, truncates, parses, or hashes them."""


def ids(prefix: str = "evt") -> st.SearchStrategy[str]:
    """Return a strategy for ids: the prefix and twelve hexadecimal digits."""
    return st.uuids(version=4).map(lambda number: f"{prefix}-{number.hex[:12]}")


def again(message: Message, delivery: int = 2) -> Message:
    """Return a message with another delivery number."""
    return message | {"delivery": delivery}


def numbered(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield the messages, with the deliveries of each id numbered from 1."""
    counts = Counter[str]()
    for message in messages:
        counts[message["id"]] += 1
        yield again(message, counts[message["id"]])


def deliveries(messages: Sequence[Message], *, extra: int = 8) -> st.SearchStrategy[list[Message]]:
    """Return a strategy for deliveries: each message at least once, up to `extra` redeliveries, in any order."""
    redelivered = st.lists(st.sampled_from(messages), max_size=extra)
    orders = redelivered.flatmap(lambda more: st.permutations([*messages, *more]))
    return orders.map(lambda topic: list(numbered(topic)))
