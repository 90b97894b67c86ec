"""Journals to fill, complete and damaged, and commands that cannot write."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from drill_katas.practice.journal import Hinted, Journal
from tests.support.commands import confining

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.practice.journal import Event

APPEND = """
import sys
from pathlib import Path
from drill_katas.errors import UserError
from drill_katas.practice.journal import Hinted, Journal
try:
    notice = Journal(Path(sys.argv[1])).append(Hinted(kata="toy", rung=int(sys.argv[2])))
except UserError as mistake:
    sys.exit(f"UserError: {mistake}")
print(notice or "")
"""


def fresh_journal(content: bytes = b"") -> tuple[tempfile.TemporaryDirectory[str], Journal]:
    """A new journal for one Hypothesis example; its folder is removed when the example ends."""
    folder = tempfile.TemporaryDirectory()
    journal = Journal(Path(folder.name) / ".kata" / Journal.NAME)
    if content:
        journal.path.parent.mkdir()
        journal.path.write_bytes(content)
    return folder, journal


def hints(*rungs: int, kata: str = "toy") -> list[Hinted]:
    return [Hinted(kata=kata, rung=rung) for rung in rungs]


def fill(journal: Journal, events: Sequence[Event]) -> Sequence[Event]:
    for event in events:
        assert journal.append(event) is None
    return events


def confined(
    command: Iterable[object], *, size: int = -1, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    whole = [*confining(size), *map(str, command)]
    return subprocess.run(whole, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def append_confined(journal: Journal, rung: int, *, size: int = -1) -> subprocess.CompletedProcess[str]:
    return confined([sys.executable, "-c", APPEND, journal.path, rung], size=size)
