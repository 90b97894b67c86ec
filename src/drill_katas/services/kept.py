"""What the judge keeps of a program during one check, and what it has half read: one count, and one bound over it.

Whatever a program sends can be kept until the check ends, in a list of calls, of log lines or by the check itself. So
each part of the judge that reads from a program counts here, in bytes of the judge's memory, ahead of keeping it.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from drill_katas.failures import LimitExceeded
from drill_katas.sut.wire import Channel

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

MIB: Final = 1 << 20
MOST_KEPT: Final = 64 * MIB  # of one check; the judge's memory grows by no more than a few times that
OBJECT: Final = 96  # bytes of an element of decoded JSON, over its text: a small dict, a string, an empty list

ANSWERS: Final = "answers"
CALLS: Final = "calls to upstreams"
CONNECTIONS: Final = "connections"
HALF_SENT: Final = "requests half sent"
HOPS: Final = "calls between services"
LOGS: Final = "log lines"
METRICS: Final = "samples of metrics"


class TooMuch(Exception):
    """The program has sent more than is kept of it, and is being ended."""


class Kept:
    """Counts what is kept of a program in one check, of all kinds together. Thread-safe."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self.end: Callable[[], None] = lambda: None  # ends the program, and does not wait for that
        self._most = most
        self._lock = threading.Lock()
        self._total = 0
        self._by_kind: Counter[str] = Counter()

    def add(self, kind: str, size: int) -> None:
        """Count `size` bytes that are about to be kept. Raises `TooMuch` beyond the bound, and ends the program."""
        with self._lock:
            self._by_kind[kind] += size
            self._total += size
            total = self._total
        if total <= self._most:
            return
        if total - size <= self._most:  # once, lest a flood of pieces becomes one of kills
            self.end()
        raise TooMuch(self.describe())

    def give_back(self, kind: str, size: int) -> None:
        """Count `size` bytes less: they are kept no longer. After an excess nothing is given back."""
        with self._lock:
            if self._total <= self._most:
                self._by_kind[kind] -= size
                self._total -= size

    @property
    def by_kind(self) -> Counter[str]:
        """The bytes that are kept, by kind."""
        return +self._by_kind

    def describe(self) -> str:
        """Name what there is most of: "more than 64 MiB ..., most of it log lines"."""
        ((kind, _),) = self._by_kind.most_common(1)
        return f"the program sends more than the {self._most // MIB} MiB that are kept in one check, most of it {kind}"

    def expect_within(self) -> None:
        """Raise `LimitExceeded` when there was more than is kept."""
        if self._total > self._most:
            raise LimitExceeded(self.describe())


class KeptChannel(Channel):
    """A connection of a program's whose half-sent frames are counted, and whose whole ones are weighed.

    `weight` is about what the last frame takes as Python objects, in bytes.
    """

    def __init__(self, sock: socket.socket, kept: Kept | None = None) -> None:
        super().__init__(sock)
        self.weight = 0
        self.kept = kept or Kept()
        self._counted = 0  # of the frame that is half sent

    def close(self) -> None:
        """Close the connection, and give back what was counted."""
        super().close()
        self._count(0)

    def _take_line(self) -> bytes | bytearray | None:
        line = super()._take_line()
        if line is not None:
            self.weight = weight_of(line)
        if len(self._begun) != self._counted:
            self._count(len(self._begun))
        return line

    def _count(self, begun: int) -> None:
        more, self._counted = begun - self._counted, begun
        if more > 0:
            self.kept.add(HALF_SENT, more)
        elif more:
            self.kept.give_back(HALF_SENT, -more)


def weight_of(text: bytes | bytearray) -> int:
    """Return about how many bytes a JSON text takes once it is decoded: its elements cost more than their signs."""
    return len(text) + OBJECT * (text.count(b",") + text.count(b"[") + text.count(b"{"))
