"""Time that judge, services and SUT had: wall time without that in which they were ready to run and got no processor.

Budgets are of this time, so that a right fix passes on a busy machine too. What a SUT does to itself is no reason for
more time: of the waiting only as much counts as *others* have used of the processors, and never more than a multiple of
the budget passes on the wall. Elsewhere than on Linux it is wall time.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drill_katas.machine.scheduler import Kernel, Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MOST_WALL: Final = 10  # times its budget that a check may take on the wall
TENTH: Final = 0.1  # the share of waiting from which a machine is too busy for limits on time
HALF: Final = 0.5  # and from which it is too busy for a program whose own time-outs run out
MOMENT: Final = 0.5  # seconds; a share of waiting is never that of less
LOOK: Final = 0.25  # seconds after which a wait is looked at first
EACH: Final = 1.0  # seconds between two looks at a wait
LEAST: Final = 0.02  # seconds that a wait goes on, lest looking be all it does
NOTHING: Final = Thread(0.0, 0.0)
EVERY: Final = 0.2  # seconds between two looks at what is against the clock


@dataclass(frozen=True)
class Reading:
    """What was read at one time."""

    at: float
    threads: dict[int, Thread]
    others: float | None
    pressure: float | None


@dataclass
class Gone:
    """Time of programs that have ended since the last reading."""

    ran: float = 0.0
    waited: float = 0.0


@dataclass
class Meter:
    """Measures, from when it is made, how long a check waited for a processor: `waited` seconds so far.

    It reads the kernel only when asked to. Thread-safe.
    """

    kernel: Kernel = field(default_factory=Kernel)
    waited: float = 0.0
    _pids: list[int] = field(default_factory=list)
    _families: list[int] = field(default_factory=list)
    _ignored: set[int] = field(default_factory=set)
    _gone: Gone = field(default_factory=Gone)
    _used: float = 0.0  # by families before they were counted
    _lock: threading.RLock = field(default_factory=threading.RLock)  # the belt's signal may come amidst a reading

    def __post_init__(self) -> None:
        self._last = self._read()
        self.began = self._last.at
        self._history = [(self._last.at, 0.0)]

    def watch(self, pid: int, families: Sequence[int]) -> None:
        """Count a program that has just begun: the waiting of `pid`, and as its own work all below `families`."""
        with self._lock:
            self._pids.append(pid)
            self.own(families)

    def own(self, families: Iterable[int]) -> None:
        """Count the work of all below `families` as the check's own from here on, and not as that of others."""
        with self._lock:
            new = [family for family in families if family not in self._families]
            self._families += new
            self._used += self.kernel.used([], new)

    def include(self, pids: Iterable[int]) -> None:
        """Count the waiting of processes that work for the judge, such as a server of its own."""
        with self._lock:
            self._pids += [pid for pid in pids if pid not in self._pids]

    def let_go(self, pid: int) -> None:
        """Count no more of a program, which is about to be ended."""
        with self._lock:
            if pid not in self._pids:
                return
            self._pids.remove(pid)
            ended = self._since(self._last, self.kernel.threads(pid))
            self._gone.ran += max((each.ran for each in ended.values()), default=0.0)
            self._gone.waited += sum(each.waited for each in ended.values())

    def ignore_this_thread(self) -> None:
        """Leave the calling thread out: it works for the meter."""
        self._ignored.add(threading.get_native_id())

    def measure(self) -> float:
        """Take a reading, and return how long the check has waited so far."""
        with self._lock:
            now = self._read()
            self.waited += self._waited(self._last, now)
            self._last, self._gone = now, Gone()
            self._history.append((now.at, self.waited))
            return self.waited

    def share(self, stretch: float = MOMENT) -> float:
        """Return the largest share of waiting in any `stretch` of seconds between two readings, and in all of it."""
        self.measure()
        history = [*self._history]
        whole = history[-1]
        shares = [_share(history[0], whole)]
        first = 0
        for moment in history:
            while moment[0] - history[first][0] >= max(stretch, MOMENT):
                shares.append(_share(history[first], moment))
                first += 1
        return max(shares)

    def _read(self) -> Reading:
        found = {pid: self.kernel.threads(pid) for pid in (os.getpid(), *self._pids)}
        self._pids = [pid for pid in self._pids if found[pid]]
        threads = {tid: each for of_one in found.values() for tid, each in of_one.items()}
        busy = self.kernel.busy()
        others = None if busy is None else busy + self._used - self.kernel.used([os.getpid()], self._families)
        pressure = None if threads else self.kernel.pressure()
        return Reading(time.monotonic(), threads, others, pressure)

    def _waited(self, before: Reading, now: Reading) -> float:
        passed = now.at - before.at
        if now.threads:
            since = self._since(before, now.threads)
            waited = sum(each.waited for each in since.values()) + self._gone.waited
            ran = max([self._gone.ran, *(each.ran for each in since.values())])
        else:
            waited = (now.pressure or 0.0) - (before.pressure or 0.0)
            ran = 0.0
        others = passed if now.others is None or before.others is None else now.others - before.others
        return max(0.0, min(waited, passed - ran, others))

    def _since(self, before: Reading, now: dict[int, Thread]) -> dict[int, Thread]:
        counted = {tid: each for tid, each in now.items() if tid not in self._ignored}
        return {tid: each.since(before.threads.get(tid, NOTHING)) for tid, each in counted.items()}


def _share(since: tuple[float, float], until: tuple[float, float]) -> float:
    return (until[1] - since[1]) / max(until[0] - since[0], MOMENT)


class Wait:
    """How long one answer may take: `seconds` of own time, as long as the check has any, but at least a moment of it.

    The first look at the kernel is a moment after the beginning, so that quick answers cost none.
    """

    def __init__(self, meter: Meter, seconds: float, seconds_left: Callable[[], float] = lambda: math.inf) -> None:
        self._meter = meter
        self.seconds = seconds
        self._seconds_left = seconds_left
        self.began = time.monotonic()
        self._before = meter.waited
        self._looked = False
        self._until = self.began + min(seconds, LOOK)

    def left(self) -> float:
        """Return how long to wait on, by the wall clock; 0 when the time is over."""
        now = time.monotonic()
        if now < self._until:
            return self._until - now
        self._meter.measure()
        if not self._looked:  # what was waited between the last reading and the beginning is not this answer's
            self._looked = True
            self._before = max(self._before, self._meter.waited - (now - self.began))
        own = self.own_seconds()
        left = min(self.seconds - own, max(self._seconds_left(), MOMENT - own))
        self._until = now + min(max(left, LEAST), EACH)
        return 0.0 if left <= 0 else self._until - now

    def own_seconds(self) -> float:
        """Return how long it has taken so far, in own time as of the last reading."""
        return time.monotonic() - self.began - (self._meter.waited - self._before)

    def share(self) -> float:
        """Return the share of waiting so far, as of the last reading."""
        return (self._meter.waited - self._before) / max(time.monotonic() - self.began, 1e-9)


@contextlib.contextmanager
def watching(meter: Meter) -> Iterator[None]:
    """Take readings all the time in this block, so that a short stretch of waiting is seen, too."""
    over = threading.Event()

    def watch() -> None:
        meter.ignore_this_thread()
        while not over.wait(EVERY):
            meter.measure()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
