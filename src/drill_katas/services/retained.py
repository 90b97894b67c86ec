"""One limit on the data of a program that the judge retains during one check.

The judge may retain everything that a program sends until the end of the check: calls, log lines, answers, partial
frames. Each reader counts the bytes of the judge's memory here before it retains them.
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
MAX_RETAINED: Final = 64 * MIB  # per check; the judge's memory grows by at most a few times this
OBJECT: Final = 96  # bytes per element of decoded JSON on top of its text: a small dict, a string, an empty list

ANSWERS: Final = "answers"
CALLS: Final = "calls to upstreams"
CONNECTIONS: Final = "connections"
HALF_SENT: Final = "requests half sent"
HOPS: Final = "calls between services"
LOGS: Final = "log lines"
METRICS: Final = "samples of metrics"


class RetentionExceeded(Exception):
    """The program sent more data than the judge retains, and is being killed."""


class RetainedBytes:
    """Counts the bytes of a program that the judge retains in one check, for all kinds of data. Thread-safe."""

    def __init__(self, most: int = MAX_RETAINED) -> None:
        self.end: Callable[[], None] = lambda: None  # kills the program without waiting
        self._most = most
        self._lock = threading.Lock()
        self._total = 0
        self._by_kind: Counter[str] = Counter()

    def add(self, kind: str, size: int) -> None:
        """Count `size` bytes before they are retained. Beyond the limit, kill the program and raise."""
        with self._lock:
            self._by_kind[kind] += size
            self._total += size
            total = self._total
        if total <= self._most:
            return
        if total - size <= self._most:  # only once, because each further piece would send another kill
            self.end()
        raise RetentionExceeded(self.describe())

    def release(self, kind: str, size: int) -> None:
        """Subtract `size` bytes that are no longer retained. After an excess this has no effect."""
        with self._lock:
            if self._total <= self._most:
                self._by_kind[kind] -= size
                self._total -= size

    @property
    def by_kind(self) -> Counter[str]:
        """The retained bytes by kind."""
        return +self._by_kind

    def describe(self) -> str:
        """Return the limit and the largest kind: "the program sends more than ..., most of it log lines"."""
        ((kind, _),) = self._by_kind.most_common(1)
        return (
            f"the program sends more than the {self._most // MIB} MiB that the judge retains per check, "
            f"most of it {kind}"
        )

    def raise_if_exceeded(self) -> None:
        """Raise `LimitExceeded` if the limit was exceeded."""
        if self._total > self._most:
            raise LimitExceeded(self.describe())


class CountedChannel(Channel):
    """A connection to a program that counts partial frames as retained.

    `weight` is the approximate size of the last whole frame as Python objects, in bytes.
    """

    def __init__(self, sock: socket.socket, retained: RetainedBytes | None = None) -> None:
        super().__init__(sock)
        self.weight = 0
        self.retained = retained or RetainedBytes()
        self._counted = 0  # bytes of the partial frame

    def close(self) -> None:
        """Close the connection and release its counted bytes."""
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
            self.retained.add(HALF_SENT, more)
        elif more:
            self.retained.release(HALF_SENT, -more)


def weight_of(text: bytes | bytearray) -> int:
    """Return the approximate size of a decoded JSON text in bytes; each element costs more than its characters."""
    return len(text) + OBJECT * (text.count(b",") + text.count(b"[") + text.count(b"{"))
