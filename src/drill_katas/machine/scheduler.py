"""The kernel's scheduler counters from /proc, cumulative and in seconds.

https://docs.kernel.org/scheduler/sched-stats.html, https://docs.kernel.org/accounting/psi.html, proc(5)
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROC: Final = Path("/proc")
IDLE: Final = (3, 4)  # fields of a processor's line in /proc/stat: idle, iowait
COUNTED: Final = 8  # fields that add up to all time; the later fields repeat guest time


class Thread(NamedTuple):
    """Processor time and run-queue delay of one thread: the time in which it was runnable and not running."""

    ran: float
    run_delay: float

    def since(self, earlier: Thread) -> Thread:
        """Return the difference to an earlier reading."""
        return Thread(max(0.0, self.ran - earlier.ran), max(0.0, self.run_delay - earlier.run_delay))


@dataclass(frozen=True)
class Kernel:
    """Reads the counters in the folder `proc`, which tests replace."""

    proc: Path = PROC

    def threads(self, pid: int) -> dict[int, Thread]:
        """Return the threads of a process by id; empty if the process ended or the kernel has no schedstat."""
        found = {}
        with contextlib.suppress(OSError):
            for task in os.listdir(self.proc / str(pid) / "task"):
                with contextlib.suppress(OSError, ValueError):
                    ran, run_delay, _ = map(int, self._read(pid, "task", task, "schedstat").split())
                    found[int(task)] = Thread(ran / 1e9, run_delay / 1e9)
        return found

    def pressure(self) -> float | None:
        """Return how long at least one process of the machine waited for a processor; None if PSI is off."""
        try:
            some = (self.proc / "pressure" / "cpu").read_text(encoding="ascii").splitlines()[0]
            return int(some.rpartition("total=")[2]) / 1e6
        except (OSError, ValueError, IndexError):
            return None

    def busy(self) -> float | None:
        """Return the busy time of all processors that this process may use, summed; None if unknown."""
        allowed = {f"cpu{number}" for number in os.sched_getaffinity(0)} if hasattr(os, "sched_getaffinity") else set()
        try:
            lines = [line.split() for line in (self.proc / "stat").read_text(encoding="ascii").splitlines()]
        except OSError:
            return None
        ticks = [list(map(int, fields[1 : 1 + COUNTED])) for fields in lines if fields and fields[0] in allowed]
        used = sum(sum(each) - sum(each[place] for place in IDLE) for each in ticks)
        return used / os.sysconf("SC_CLK_TCK") if ticks else None

    def used(self, alone: Iterable[int], families: Iterable[int]) -> float:
        """Return the processor time of the processes `alone`, plus that of the process trees below `families`.

        The trees include children that already ended.
        """
        own = sum(sum(self._times(pid)[:2]) for pid in alone)
        return own + sum(sum(self._times(pid)) for pid in {pid for root in families for pid in self.family(root)})

    def family(self, root: int) -> Iterator[int]:
        """Yield a process id and those of all its descendants."""
        unseen = [root]
        while unseen:
            pid = unseen.pop()
            yield pid
            with contextlib.suppress(OSError):
                for task in os.listdir(self.proc / str(pid) / "task"):
                    unseen += map(int, self._read(pid, "task", task, "children").split())

    def _read(self, pid: int, *names: str) -> str:
        with open("/".join((str(self.proc), str(pid), *names)), encoding="utf-8", errors="replace") as file:
            return file.read()

    def _times(self, pid: int) -> list[float]:
        """Return user time and system time of a process, and then both for the children that it reaped."""
        try:
            fields = self._read(pid, "stat").rpartition(")")[2].split()
            return [int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in fields[11:15]]
        except (OSError, ValueError):
            return []
