"""The grades of a run, on disk as they come: nothing is lost should it end early, and little of it lies in memory."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from typing import IO, TYPE_CHECKING, Self, cast

import msgspec
from msgspec.structs import replace

from drill_katas.errors import UserError
from drill_katas.grading.grades import Grade, Grades
from drill_katas.grading.state import State, Unusable, state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from drill_katas.batch.tasks import Judged


class DiskBook:
    """Grades in input order, a `Book` to make reports from, and by their keys.

    `file` is where `finish` writes them as JSON. Until then they are in the user's state folder, a line each, from when
    they are known; `resume` keeps those, or else those in the file itself. A record that this user's `kata grade` has
    not made is dropped, and `notices` says so. Raises `UserError` when another run is writing there, or would lose
    what is there.
    """

    def __init__(self, file: Path | None, tier: str, *, resume: bool) -> None:
        self.tier = tier
        self.notices: list[str] = []
        self._file = file = file and _to_write(file)
        self._state = None if file is None else self._usable(resume=resume)
        self._inputs: list[Grade] = []
        self._places: dict[str, int] = {}  # of each line, by key
        self._failures: dict[str, Judged] = {}
        self._dropped = 0
        self._lines = _opened(file, self._state)
        if resume:
            self._read()
        elif file is not None and self._state is not None and self._lines.read(1):
            raise UserError(
                f"a run that was writing {file} has ended early; continue with --resume, or remove its grades: "
                f"{self._state.lines_of(file)}"
            )
        if resume and file is not None and not self._places:
            self._copy(file)
        if self._dropped:
            self.notices.append(
                f"--resume: records for {file} that are damaged, or not made by this user's kata grade on this "
                f"machine: {self._dropped}; their submissions are judged again"
            )

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
        sealed = self._state.sealed(grade) if self._state else grade
        self._lines.seek(0, os.SEEK_END)
        self._places[grade.key] = self._lines.tell()
        self._lines.write(msgspec.json.encode(sealed) + b"\n")
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
        made = self._file.with_name(f".{self._file.name}.{secrets.token_hex(8)}")  # a name that nobody can have taken
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as out:
            out.write(head.removesuffix(b"]}"))
            for number, grade in enumerate(self):
                out.write((b",\n" if number else b"\n") + msgspec.json.encode(grade))
            out.write(b"\n]}\n")
        made.replace(self._file)
        if self._state is not None:
            self._state.lines_of(self._file).unlink()

    @property
    def resumes(self) -> bool:
        """Whether `--resume` can go on with what is here."""
        return self._state is not None

    def _usable(self, *, resume: bool) -> State | None:
        """Return the state folder, if there is one. Raises `UserError` when it is needed."""
        try:
            return state()
        except Unusable as why:
            if resume:
                raise UserError(f"--resume: {why}; set XDG_STATE_HOME to a folder that is yours alone") from None
            return None

    def _read(self) -> None:
        """Find the lines that this user's `kata grade` has written; the others are dropped."""
        place = 0
        while line := self._lines.readline():
            if not line.endswith(b"\n"):  # it was not written to its end
                self._lines.write(b"\n")
                return
            try:
                grade = msgspec.json.decode(line, type=Grade)
            except msgspec.DecodeError:
                grade = Grade(id="")
            if self._vouched(grade) and grade.key is not None and grade.score is not None:
                self._places[grade.key] = place
            place = self._lines.tell()

    def _vouched(self, grade: Grade) -> bool:
        vouched = self._state is not None and self._state.vouches_for(grade)
        self._dropped += not vouched
        return vouched

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
            usable = (grade.checks or grade.solved) and grade.score is not None
            if grade.key is not None and usable and self._vouched(grade):
                self.add(grade)


def _to_write(file: Path) -> Path:
    """Return the file that a path leads to. Raises `UserError` when there is something else."""
    if not file.name or file.name == "-" or (file.exists() and not file.is_file()):
        raise UserError(f"--json {file}: grades are written to a file, which {str(file)!r} is not; name one")
    return file.resolve()


def _opened(file: Path | None, kept: State | None) -> IO[bytes]:
    """Open the lines; another run cannot meanwhile. Without a place to keep them they are nameless."""
    if file is None or kept is None:
        return cast("IO[bytes]", tempfile.TemporaryFile("w+b"))
    place = kept.lines_of(file)
    lines = os.fdopen(os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")
    try:
        fcntl.flock(lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lines.close()
        raise UserError(f"another `kata grade` is writing {file} right now") from None
    return lines
