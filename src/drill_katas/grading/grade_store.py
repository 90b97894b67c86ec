"""Stores the grades of a run in SQLite as they arrive: a kill loses none, and memory contains one at a time."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final, Self

import msgspec
from msgspec.structs import replace

from drill_katas.errors import UserError
from drill_katas.files import replacing
from drill_katas.grading.grades import Grade, GradesFile
from drill_katas.grading.state import State, Unusable, state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from drill_katas.batch.tasks import Judged

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS grades (key TEXT PRIMARY KEY, grade BLOB NOT NULL)"
TEMPORARY: Final = ""  # a database that SQLite removes when it is closed
DAMAGED: Final = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}  # SQLITE_ERROR: another schema


class GradeStore:
    """The `Grades` of a run in input order, stored by their keys.

    `finish` writes them to `file` as JSON. Until then, each grade is in a database in the user's state folder. `resume`
    reuses the grades of an unfinished run, or otherwise those in `file`; a record that this user's `kata grade` did not
    make is dropped, with a notice in `notices`. Raises `UserError` if another run writes this file, or if an unfinished
    run left grades and `resume` is false.
    """

    def __init__(self, file: Path | None, tier: str, *, resume: bool) -> None:
        self.tier = tier
        self.notices: list[str] = []
        self._file = file = file and _to_write(file)
        self._state = None if file is None else _usable_state(resume=resume)
        self._inputs: list[Grade] = []
        self._failures: dict[str, Judged] = {}
        self._dropped = 0
        self._database = self._opened(resume=resume)
        try:
            self._take_over(resume=resume)
        except BaseException:
            self._database.close()
            raise
        if self._dropped:
            self.notices.append(
                f"--resume: dropped records for {file} that are damaged, or not made by this user's kata grade on this "
                f"machine: {self._dropped}; their submissions are judged again"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def get(self, key: str) -> Grade | None:
        """Return the stored grade of this key, None without one."""
        row = self._database.execute("SELECT grade FROM grades WHERE key = ?", (key,)).fetchone()
        return row and msgspec.json.decode(row[0], type=Grade)

    def expect(self, grade: Grade) -> None:
        """Add the next input: its grade without the verdict, which is looked up by the key."""
        self._inputs.append(grade)

    def add(self, grade: Grade) -> None:
        """Store a grade that has a key. When this returns, the grade is on disk."""
        assert grade.key is not None, "a grade without a key cannot be looked up"
        sealed = self._state.sealed(grade) if self._state else grade
        try:
            self._database.execute("REPLACE INTO grades VALUES (?, ?)", (grade.key, msgspec.json.encode(sealed)))
        except sqlite3.Error as error:
            raise UserError(f"cannot store a grade ({error}); free disk space and continue with --resume") from error

    def fail(self, judged: Judged) -> None:
        """Record that judging failed, so this run has no verdict."""
        self._failures[judged.key] = judged

    @property
    def failures(self) -> Collection[Judged]:
        """The submissions without a verdict because judging failed."""
        return self._failures.values()

    def __len__(self) -> int:
        return len(self._inputs)

    def __iter__(self) -> Iterator[Grade]:
        for known in self._inputs:
            if known.key is None:
                yield known
            elif stored := self.get(known.key):
                yield replace(stored, id=known.id, places=known.places, notes=known.notes)
            else:
                failure = self._failures.get(known.key)
                reason = failure.problem if failure else "the run ended first"
                yield replace(known, score=None, notes=(*known.notes, f"not judged: {reason}"))

    def finish(self) -> None:
        """Write the file atomically, after all inputs are graded."""
        if self._file is None:
            return
        head = msgspec.json.encode(GradesFile(tier=self.tier, submissions=()))
        with replacing(self._file) as out:
            out.write(head.removesuffix(b"]}"))
            for number, grade in enumerate(self):
                out.write((b",\n" if number else b"\n") + msgspec.json.encode(grade))
            out.write(b"\n]}\n")
        if self._state is not None:
            _remove(self._state.grades_of(self._file))  # the open database stays readable for reports

    @property
    def resumes(self) -> bool:
        """Whether `--resume` can continue with these grades."""
        return self._state is not None

    def _opened(self, *, resume: bool) -> sqlite3.Connection:
        """Open the database and lock it; a temporary one without a state folder."""
        if self._file is None or self._state is None:
            return _connect(TEMPORARY)
        place = self._state.grades_of(self._file)
        place.touch(mode=0o600)
        try:
            return _connect(str(place))
        except sqlite3.Error as error:
            code = error.sqlite_errorcode & 0xFF  # the upper bits are details
            if code == sqlite3.SQLITE_BUSY:
                raise UserError(f"another `kata grade` is writing {self._file} right now") from None
            if code not in DAMAGED:
                raise UserError(f"cannot store grades in {place} ({error})") from error
            if not resume:
                raise self._left_over() from None
            self.notices.append(f"--resume: the stored grades for {self._file} are damaged ({error}) and not used")
        _remove(place)
        return _connect(str(place))

    def _take_over(self, *, resume: bool) -> None:
        """Reuse the grades of an unfinished run. Raises `UserError` if there are some and `resume` is false."""
        if resume:
            self._drop_foreign_records()
            if self._file is not None and not self._has_grades():
                self._copy(self._file)
        elif self._has_grades():
            raise self._left_over()

    def _left_over(self) -> UserError:
        assert self._state is not None
        assert self._file is not None
        return UserError(
            f"a run that was writing {self._file} ended early; continue with --resume, or remove its grades: "
            f"{self._state.grades_of(self._file)}"
        )

    def _has_grades(self) -> bool:
        return self._database.execute("SELECT 1 FROM grades LIMIT 1").fetchone() is not None

    def _drop_foreign_records(self) -> None:
        """Drop the records that this user's `kata grade` did not write."""
        dropped = [key for key, record in self._database.execute("SELECT * FROM grades") if not self._good(key, record)]
        self._database.executemany("DELETE FROM grades WHERE key IS ?", [(key,) for key in dropped])

    def _good(self, key: str, record: bytes) -> bool:
        try:
            grade = msgspec.json.decode(record, type=Grade)
        except (msgspec.DecodeError, TypeError):
            grade = Grade(id="")
        return self._vouched(grade, key) and grade.score is not None

    def _vouched(self, grade: Grade, key: str | None) -> bool:
        vouched = self._state is not None and grade.key == key and self._state.vouches_for(grade)
        self._dropped += not vouched
        return vouched

    def _copy(self, file: Path) -> None:
        """Reuse the grades of a finished run."""
        try:
            content = file.read_bytes()
            grades = msgspec.json.decode(content, type=GradesFile) if content else ()
        except FileNotFoundError:
            return
        except msgspec.DecodeError as error:
            raise UserError(f"--resume: {file} is not a file of grades ({error})") from None
        self._database.execute("BEGIN")
        for grade in grades:
            usable = (grade.checks or grade.solved) and grade.score is not None
            if grade.key is not None and usable and self._vouched(grade, grade.key):
                self.add(grade)
        self._database.execute("COMMIT")


def _connect(place: str) -> sqlite3.Connection:
    """Open a database of grades for exclusive use; create its table if it is new. Raises `sqlite3.Error`."""
    database = sqlite3.connect(place, isolation_level=None, timeout=0)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # no shared memory, because network disks lack it
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")  # a power failure loses no grade
        database.execute(SCHEMA)
        database.execute("SELECT key, grade FROM grades LIMIT 1")
        (problem,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if problem != "ok":
            error = sqlite3.DatabaseError(problem)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
    except sqlite3.Error:
        database.close()
        raise
    return database


def _remove(place: Path) -> None:
    place.unlink(missing_ok=True)
    place.with_name(f"{place.name}-wal").unlink(missing_ok=True)


def _usable_state(*, resume: bool) -> State | None:
    """Return the state folder; None if it is unusable. Raises `UserError` if it is unusable and `resume` needs it."""
    try:
        return state()
    except Unusable as why:
        if resume:
            raise UserError(f"--resume: {why}; set XDG_STATE_HOME to a folder that only you can write to") from None
        return None


def _to_write(file: Path) -> Path:
    """Return the resolved path. Raises `UserError` if it is not a file."""
    if not file.name or file.name == "-" or (file.exists() and not file.is_file()):
        raise UserError(f"--json {file}: {str(file)!r} is not a file; name a file for the grades")
    return file.resolve()
