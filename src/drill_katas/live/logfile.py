"""The log file of a live system: writing and following."""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING, Final, Self

import msgspec

from drill_katas.errors import UserError
from drill_katas.evidence.store import line_from_json, line_to_json
from drill_katas.files import is_locked, json_lines, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drill_katas.evidence.records import LogLine
    from drill_katas.practice.workspace import Workspace

NAME: Final = "logs.jsonl"
LOOK: Final = 0.1  # seconds between two reads


def folder_of(workspace: Workspace, kata: str) -> Path:
    """Return the folder of a live system's files."""
    return workspace.state / "live" / kata


class LogFile:
    """Writes the log of a live system; its lock is held as long as the system is live."""

    def __init__(self, folder: Path) -> None:
        """Create an empty log. Raises `UserError` if another process writes it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = (folder / NAME).open("ab")
        if not try_lock(self._file):
            raise UserError(f"{folder.name} is already live in another terminal")
        self._file.truncate(0)

    def write(self, lines: Iterable[LogLine]) -> None:
        """Append lines."""
        self._file.write(json_lines(map(line_to_json, lines)))
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def follow(folder: Path) -> Iterator[LogLine]:
    """Yield all lines of a live system, from its start until it ends.

    Raises `UserError` if the system is not live.
    """
    try:
        file = (folder / NAME).open("rb")
    except OSError:
        file = None
    if file is None or not is_locked(file):
        raise UserError(f"{folder.name} is not live; `kata serve {folder.name}` in another terminal starts it")
    with file:
        ended, rest = False, b""
        while not ended:
            ended = not is_locked(file)
            *lines, rest = (rest + file.read()).split(b"\n")
            yield from (line_from_json(msgspec.json.decode(line)) for line in lines)
            if not (ended or lines):
                time.sleep(LOOK)
