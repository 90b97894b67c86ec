"""Measures the additional memory of this process."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Growth:
    """The peak memory of a block above its start, in bytes; set at its end."""

    most: int = 0


@contextlib.contextmanager
def growth() -> Iterator[Growth]:
    """Measure the peak of this process's memory in a block."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak, see proc(5)
    before, found = _bytes("VmRSS"), Growth()
    try:
        yield found
    finally:
        found.most = _bytes("VmHWM") - before


def _bytes(field: str) -> int:
    match = re.search(rf"^{field}:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    assert match, f"/proc/self/status has no {field}"
    return int(match[1]) * 1024
