"""The grades of a run, on disk as they come: nothing is lost should it end early, and little of it lies in memory."""

from __future__ import annotations

import fcntl
import os
import tempfile
from typing import IO, TYPE_CHECKING, Final, Self, cast

import msgspec
from msgspec.structs import replace

from drill_katas.errors import UserError
from drill_katas.grading.records import Grade, Grades

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from drill_katas.pool import Judged

PART: Final = ".part"  # added to the name of the file that is being made


class DiskBook:
    """Grades in input order, a `Book` to make reports from, and by their keys.

    `file` is where `finish` writes them as JSON. Until then they lie beside it, a line each, from when they are known;
    with `resume` those that lie there are kept, or else those in the file itself. Raises `UserError` when another run
    is writing there, or would lose what is there.
    """

    def __init__(self, file: Path | None, tier: str, *, resume: bool) -> None:
        self.tier = tier
        self._file = file = file and _to_write(file)
        self._inputs: list[Grade] = []
        self._places: dict[str, int] = {}  # of each line, by key
        self._failures: dict[str, Judged] = {}
        self._lines = _opened(file)
        if resume:
            self._read()
        elif file is not None and self._lines.read(1):
            raise UserError(
                f"{_part(file)} has the grades of a run that ended early: go on with --resume, or remove it"
            )
        self._lines.truncate()
        if resume and file is not None and not self._places:
            self._copy(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def expect(self, grade: Grade) -> None:
        """Note the next input: all that is known of its grade, which is to be found by its key, if it has one."""
        self._inputs.append(grade)

    def add(self, grade: Grade) -> None:
        """Keep a grade that has a key; from here on it is not lost."""
        assert grade.key is not None, "what has no key is not found again"
        self._lines.seek(0, os.SEEK_END)
        self._places[grade.key] = self._lines.tell()
        self._lines.write(msgspec.json.encode(grade) + b"\n")
        self._lines.flush()
        os.fsync(self._lines.fileno())

    def fail(self, judged: Judged) -> None:
        """Note that there will be no verdict this time."""
        self._failures[judged.key] = judged

    @property
    def failures(self) -> Collection[Judged]:
        """What there is no verdict on, because judging it has failed."""
        return self._failures.values()

    def __len__(self) -> int:
        return len(self._inputs)

    def __iter__(self) -> Iterator[Grade]:
        for known in self._inputs:
            if known.key is None:
                yield known
            elif known.key not in self._places:
                failure = self._failures.get(known.key)
                why = failure.problem if failure else "the run has ended before that"
                yield replace(known, score=None, notes=(*known.notes, f"not judged: {why}"))
            else:
                self._lines.seek(self._places[known.key])
                kept = msgspec.json.decode(self._lines.readline(), type=Grade)
                yield replace(kept, id=known.id, places=known.places, notes=known.notes)

    def finish(self) -> None:
        """Write the file, all of it or nothing, now that everything is graded."""
        if self._file is None:
            return
        head = msgspec.json.encode(Grades(tier=self.tier, submissions=()))
        made = self._file.with_name(f".{self._file.name}.new")  # nobody else makes it: the lines are locked
        with made.open("wb") as out:
            out.write(head.removesuffix(b"]}"))
            for number, grade in enumerate(self):
                out.write((b",\n" if number else b"\n") + msgspec.json.encode(grade))
            out.write(b"\n]}\n")
        made.replace(self._file)
        _part(self._file).unlink()

    def _read(self) -> None:
        """Find the lines that are there; one that was not written to its end is dropped."""
        while True:
            place = self._lines.tell()
            line = self._lines.readline()
            try:
                grade = msgspec.json.decode(line, type=Grade) if line.endswith(b"\n") else None
            except msgspec.DecodeError:
                grade = None
            if grade is None or grade.key is None:
                self._lines.seek(place)
                return
            if grade.score is not None:  # otherwise it is judged again
                self._places[grade.key] = place

    def _copy(self, file: Path) -> None:
        """Take over the grades of a run that has come to its end."""
        try:
            content = file.read_bytes()
            grades = msgspec.json.decode(content, type=Grades) if content else ()
        except FileNotFoundError:
            return
        except msgspec.DecodeError as error:
            raise UserError(f"--resume: {file} holds no grades ({error})") from None
        for grade in grades:
            if grade.key is not None and grade.checks and grade.score is not None and grade.key not in self:
                self.add(grade)


def files_of(file: Path | None) -> set[str]:
    """Return the names of what lies where the grades are written."""
    return {file.name, _part(file).name} if file and file.name else set()


def _to_write(file: Path) -> Path:
    """Return the file that a path leads to. Raises `UserError` when there is something else."""
    if not file.name or file.name == "-" or (file.exists() and not file.is_file()):
        raise UserError(f"--json {file}: grades are written to a file, which {str(file)!r} is not; name one")
    return file.resolve()


def _part(file: Path) -> Path:
    return file.with_name(file.name + PART)


def _opened(file: Path | None) -> IO[bytes]:
    """Open what the lines lie in; nobody else may meanwhile. Without a file it is nameless."""
    if file is None:
        return cast("IO[bytes]", tempfile.TemporaryFile("w+b"))
    lines = os.fdopen(os.open(_part(file), os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    try:
        fcntl.flock(lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lines.close()
        raise UserError(f"another `kata grade` is writing {file} right now") from None
    return lines
