"""The journal: an append-only file of what happened in a workspace, one JSON object a line.

    {"v":1,"kind":"run","id":"0198...","at":"2026-01-31T03:07:00.123456Z","kata":"fp_drift",...}

Everything that is shown is derived from it. A line is written with one write and an fsync under a lock, so that
two runs at once lose nothing and a run that is killed loses nothing that had ended. What a crash in the middle of
a write left behind (a last line without its end) is dropped by the next writer, and said. Lines of a kind or a
version that this release does not know are left alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import msgspec

from drill_katas.errors import UserError
from drill_katas.files import lock
from drill_katas.verdict import Outcome, Stage  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from pathlib import Path

VERSION: Final = 1
YEARS: Final = range(1970, 3000)  # a time outside them is damage; adding to it could overflow
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e8)]


def uuid7() -> str:
    """Return a new UUID version 7 (RFC 9562): ordered by time, for ids that sort as they were written."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Something that happened to a kata."""

    v: int = VERSION
    id: str = msgspec.field(default_factory=uuid7)
    at: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(default_factory=now)
    kata: str


class Started(Event, frozen=True, kw_only=True, tag="start"):
    """The learner began, on this variant."""

    variant: str


class Reset(Event, frozen=True, kw_only=True, tag="reset"):
    """The broken files of this variant were put back; `kept` is where the learner's were put."""

    variant: str
    kept: str


class Checked(msgspec.Struct, frozen=True):
    """One check of a run, as the journal keeps it."""

    name: str
    stage: Stage
    outcome: Outcome
    seconds: Seconds
    figures: dict[str, float] = {}


class Ran(Event, frozen=True, kw_only=True, tag="run"):
    """The kata was judged on the learner's own files. `no_attempt` says why that is no attempt, if it is none."""

    variant: str
    seed: int
    seconds: Seconds
    checks: tuple[Checked, ...]
    solved: bool
    partial: bool = False
    inline: bool = False
    no_attempt: str = ""


class Hinted(Event, frozen=True, kw_only=True, tag="hint"):
    """A hint was shown: the `rung`-th, from 1."""

    rung: int


class SolutionShown(Event, frozen=True, kw_only=True, tag="solution"):
    """The solution was shown; `gave_up` when the kata was not solved yet."""

    gave_up: bool


class Replayed(Event, frozen=True, kw_only=True, tag="experiment"):
    """An incident was replayed, as it was or with an ablation: the experiment."""

    variant: str
    seed: int
    ablation: str | None
    good: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Queried(Event, frozen=True, kw_only=True, tag="query"):
    """The evidence of an incident was asked: `about` is logs, traces, metrics, graph or alerts."""

    about: str
    options: dict[str, str] = {}
    ablation: str | None = None


class Diagnosed(Event, frozen=True, kw_only=True, tag="diagnosis"):
    """A diagnosis was made; `right` when component and mechanism are, and an experiment supports it.

    `wrong` when they are not, or an experiment refutes it.
    """

    variant: str
    component: str
    mechanisms: tuple[str, ...]
    state: str
    score: int
    right: bool
    wrong: bool = True


KINDS: Final[dict[str, type[Event]]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (Started, Reset, Ran, Hinted, SolutionShown, Replayed, Queried, Diagnosed)
}


DAMAGE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading a line may raise when it is not one that was written here."""


class _Head(msgspec.Struct):
    """What every line has, of whatever release."""

    kind: str
    v: int


class History(msgspec.Struct, frozen=True):
    """What a journal holds: its events in the order they were written, and what could not be read."""

    events: tuple[Event, ...] = ()
    notices: tuple[str, ...] = ()


class Journal:
    """The journal of one workspace."""

    NAME: ClassVar = "journal.jsonl"

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Event) -> str | None:
        """Write one event; return a notice if a torn line had to be dropped first.

        Raises `UserError` when it cannot be written: a read-only folder, a full disk.
        """
        try:
            line = msgspec.json.encode(event) + b"\n"
        except UnicodeEncodeError as error:
            raise UserError(f"the journal cannot take a name that is not Unicode: {error.object!r}") from error
        try:
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a+b", buffering=0) as file:
                lock(file)
                notice = self._mend_last_line(file)
                _write(file, line)
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(
                f"the journal {self.path} cannot be written ({error.strerror}): what just happened is not remembered; "
                f"make the folder writable or free some space, and do it again"
            ) from error
        return notice

    def read(self) -> History:
        """Return all that can be read. What is damaged is left out and named, never a reason to stop."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return History()
        except OSError as error:
            return History(notices=(f"{self.path} cannot be read ({error.strerror}); progress is not shown",))
        events, notices = [], []
        for number, line in enumerate(lines, 1):
            try:
                if line and (event := _decode(line)):
                    events.append(event)
            except DAMAGE as error:
                torn = number == len(lines)
                what = "was cut short" if torn else f"is damaged ({error})"
                notices.append(f"line {number} of {self.path} {what}; it is left out")
        return History(tuple(events), tuple(notices))

    def _mend_last_line(self, file: Any) -> str | None:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return None
        file.seek(0)
        content = file.read()
        if content.endswith(b"\n"):
            return None
        whole = content.rfind(b"\n") + 1
        with contextlib.suppress(*DAMAGE):
            _decode(content[whole:])
            file.write(b"\n")  # only its end is missing: an editor may have taken it
            return None
        file.truncate(whole)
        return f"the last line of {self.path} was cut short ({size - whole} bytes); it is dropped"


def _write(file: Any, line: bytes) -> None:
    """Write the line whole, or leave nothing of it: a disk can fill up in the middle."""
    before = file.seek(0, os.SEEK_END)
    written = 0
    try:
        written = file.write(line)
    finally:
        if written != len(line):
            file.truncate(before)
    if written != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _decode(line: bytes) -> Event | None:
    """Return the event on a line, or None when it is of a kind or version of a later release.

    Raises one of `DAMAGE` for what is damaged.
    """
    head = msgspec.json.decode(line, type=_Head)
    kind = KINDS.get(head.kind)
    if kind is None or head.v != VERSION:
        return None
    event = msgspec.json.decode(line, type=kind)
    if event.at.year not in YEARS:
        raise msgspec.ValidationError(f"the year {event.at.year}")
    return event
