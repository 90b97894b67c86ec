"""CPU-adjusted time: wall time minus the run-queue delay that other programs caused.

The run-queue delay of a check is the time in which the judge, its services or the SUT were runnable and waited for a
processor. Budgets are in CPU-adjusted time, so that a right fix also passes on a busy machine. Two limits apply:

- The delay never counts for more than the processor time that *other* programs used, because a SUT must gain no time
  by overloading the machine itself.
- A check ends after `MAX_WALL_FACTOR` times its budget of wall time.

Without Linux's /proc, CPU-adjusted time is wall time.
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

MAX_WALL_FACTOR: Final = 10  # wall time of a check, as a multiple of its budget
BUSY_SHARE: Final = 0.1  # share of run-queue delay above which a missed time limit is not judged
VERY_BUSY_SHARE: Final = 0.5  # the same, where the program's own time-outs decide
MIN_STRETCH: Final = 0.5  # seconds; the shortest stretch that a share is computed over
FIRST_READING: Final = 0.25  # seconds from the start of a wait to its first reading
MAX_INTERVAL: Final = 1.0  # seconds between two readings of a wait
MIN_INTERVAL: Final = 0.02  # seconds between two readings, so that they do not use up the processor
NO_TIME: Final = Thread(0.0, 0.0)
SAMPLE_INTERVAL: Final = 0.2  # seconds between two readings of `sampling`


@dataclass(frozen=True)
class Reading:
    """One reading of the kernel's counters, in seconds; `others` is the processor time of other programs."""

    at: float
    threads: dict[int, Thread]
    others: float | None
    pressure: float | None


@dataclass
class Ended:
    """Processor time and run-queue delay of programs that ended after the last reading, in seconds."""

    ran: float = 0.0
    run_delay: float = 0.0


@dataclass
class Meter:
    """Measures the run-queue delay of a check from its creation on: `run_delay`, in seconds, as of the last reading.

    It reads the kernel's counters only in `measure` and `delay_share`. Thread-safe.
    """

    kernel: Kernel = field(default_factory=Kernel)
    run_delay: float = 0.0
    _pids: list[int] = field(default_factory=list)
    _families: list[int] = field(default_factory=list)
    _ignored: set[int] = field(default_factory=set)
    _ended: Ended = field(default_factory=Ended)
    _used: float = 0.0  # processor seconds of the families before they were added
    _lock: threading.RLock = field(default_factory=threading.RLock)  # the watchdog's signal may interrupt a reading

    def __post_init__(self) -> None:
        self._last = self._read()
        self.began = self._last.at
        self._history = [(self._last.at, 0.0)]

    def watch(self, pid: int, families: Sequence[int]) -> None:
        """Add a program that just started: the delay of `pid`, and the processor time of the trees `families`."""
        with self._lock:
            self._pids.append(pid)
            self.count_as_own(families)

    def count_as_own(self, families: Iterable[int]) -> None:
        """Count the processor time of these process trees as the check's own from now on."""
        with self._lock:
            new = [family for family in families if family not in self._families]
            self._families += new
            self._used += self.kernel.used([], new)

    def include(self, pids: Iterable[int]) -> None:
        """Add the run-queue delay of processes that work for the judge, such as its SQL server."""
        with self._lock:
            self._pids += [pid for pid in pids if pid not in self._pids]

    def forget(self, pid: int) -> None:
        """Stop measuring a program. Call this before the program is ended, because its counters end with it."""
        with self._lock:
            if pid not in self._pids:
                return
            self._pids.remove(pid)
            ended = self._since(self._last, self.kernel.threads(pid))
            self._ended.ran += max((each.ran for each in ended.values()), default=0.0)
            self._ended.run_delay += sum(each.run_delay for each in ended.values())

    def ignore_this_thread(self) -> None:
        """Exclude the calling thread, because it works for the meter."""
        self._ignored.add(threading.get_native_id())

    def measure(self) -> float:
        """Take a reading and return the run-queue delay of the check so far, in seconds."""
        with self._lock:
            now = self._read()
            self.run_delay += self._delay_between(self._last, now)
            self._last, self._ended = now, Ended()
            self._history.append((now.at, self.run_delay))
            return self.run_delay

    def delay_share(self, stretch: float = MIN_STRETCH) -> float:
        """Return the largest share of run-queue delay in any `stretch` of seconds, or in the whole time."""
        self.measure()
        history = [*self._history]
        whole = history[-1]
        shares = [_share(history[0], whole)]
        first = 0
        for moment in history:
            while moment[0] - history[first][0] >= max(stretch, MIN_STRETCH):
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

    def _delay_between(self, before: Reading, now: Reading) -> float:
        passed = now.at - before.at
        if now.threads:
            since = self._since(before, now.threads)
            delay = sum(each.run_delay for each in since.values()) + self._ended.run_delay
            ran = max([self._ended.ran, *(each.ran for each in since.values())])
        else:
            delay = (now.pressure or 0.0) - (before.pressure or 0.0)
            ran = 0.0
        others = passed if now.others is None or before.others is None else now.others - before.others
        return max(0.0, min(delay, passed - ran, others))

    def _since(self, before: Reading, now: dict[int, Thread]) -> dict[int, Thread]:
        counted = {tid: each for tid, each in now.items() if tid not in self._ignored}
        return {tid: each.since(before.threads.get(tid, NO_TIME)) for tid, each in counted.items()}


def _share(since: tuple[float, float], until: tuple[float, float]) -> float:
    return (until[1] - since[1]) / max(until[0] - since[0], MIN_STRETCH)


class Wait:
    """The time limit of one answer: `seconds` of CPU-adjusted time, or `seconds_left()` if that is less.

    It is at least `MIN_STRETCH`. The first reading comes `FIRST_READING` seconds after the start, because a quick
    answer should cost no reading.
    """

    def __init__(self, meter: Meter, seconds: float, seconds_left: Callable[[], float] = lambda: math.inf) -> None:
        self._meter = meter
        self.seconds = seconds
        self._seconds_left = seconds_left
        self.began = time.monotonic()
        self._before = meter.run_delay
        self._measured = False
        self._until = self.began + min(seconds, FIRST_READING)

    def left(self) -> float:
        """Return how many seconds of wall time to wait before the next call of this; 0 when the time is over."""
        now = time.monotonic()
        if now < self._until:
            return self._until - now
        self._meter.measure()
        if not self._measured:  # exclude the delay between the meter's last reading and the start of this wait
            self._measured = True
            self._before = max(self._before, self._meter.run_delay - (now - self.began))
        adjusted = self.adjusted_seconds()
        left = min(self.seconds - adjusted, max(self._seconds_left(), MIN_STRETCH - adjusted))
        self._until = now + min(max(left, MIN_INTERVAL), MAX_INTERVAL)
        return 0.0 if left <= 0 else self._until - now

    def adjusted_seconds(self) -> float:
        """Return the CPU-adjusted time of this wait so far, as of the last reading."""
        return time.monotonic() - self.began - (self._meter.run_delay - self._before)

    def delay_share(self) -> float:
        """Return the share of run-queue delay in this wait so far, as of the last reading."""
        return (self._meter.run_delay - self._before) / max(time.monotonic() - self.began, 1e-9)


@contextlib.contextmanager
def sampling(meter: Meter) -> Iterator[None]:
    """Take a reading every `SAMPLE_INTERVAL` seconds in this block, so that short stretches of delay are seen."""
    over = threading.Event()

    def sample() -> None:
        meter.ignore_this_thread()
        while not over.wait(SAMPLE_INTERVAL):
            meter.measure()

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield
    finally:
        over.set()
        sampler.join()
