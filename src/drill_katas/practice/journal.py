"""The journal: an append-only file of events in a workspace, one JSON object per line.

    {"v":1,"kind":"run","id":"0198...","at":"2026-01-31T03:07:00.123456Z","kata":"fp_drift",...}

Progress, clocks, and schedules are computed from it.

- Each line is one write and an fsync under a lock, so that concurrent and killed runs lose no finished event.
- A crash during a write leaves a last line without its end. The next writer drops it and returns a notice.
- Lines with an unknown kind or version are left alone.
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
YEARS: Final = range(1970, 3000)  # other years count as damage, because adding to them can overflow
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e8)]


def uuid7() -> str:
    """Return a new UUID version 7 (RFC 9562); ids sort by the time of their creation."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """An event of one kata; each subclass is one kind."""

    v: int = VERSION
    id: str = msgspec.field(default_factory=uuid7)
    at: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(default_factory=now)
    kata: str


class Started(Event, frozen=True, kw_only=True, tag="start"):
    """The learner started a round with this variant."""

    variant: str


class Reset(Event, frozen=True, kw_only=True, tag="reset"):
    """The broken files of this variant were restored; `kept` is the folder with the learner's files."""

    variant: str
    kept: str


class Checked(msgspec.Struct, frozen=True):
    """The result of one check in a run."""

    name: str
    stage: Stage
    outcome: Outcome
    seconds: Seconds
    figures: dict[str, float] = {}


class Ran(Event, frozen=True, kw_only=True, tag="run"):
    """The kata was judged on the learner's own files.

    `no_attempt` is the reason why the run is not an attempt; it is empty for an attempt.
    """

    variant: str
    seed: int
    seconds: Seconds
    checks: tuple[Checked, ...]
    solved: bool
    partial: bool = False
    inline: bool = False
    no_attempt: str = ""


class Hinted(Event, frozen=True, kw_only=True, tag="hint"):
    """A hint was shown; `rung` is its number, from 1."""

    rung: int


class SolutionShown(Event, frozen=True, kw_only=True, tag="solution"):
    """The solution was shown; `gave_up` is true if the kata was not solved yet."""

    gave_up: bool


class Replayed(Event, frozen=True, kw_only=True, tag="experiment"):
    """An incident was replayed: without an ablation, or with one as an experiment."""

    variant: str
    seed: int
    ablation: str | None
    good: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Queried(Event, frozen=True, kw_only=True, tag="query"):
    """The evidence of an incident was queried; `about` is logs, traces, metrics, graph, or alerts."""

    about: str
    options: dict[str, str] = {}
    ablation: str | None = None


class Diagnosed(Event, frozen=True, kw_only=True, tag="diagnosis"):
    """A diagnosis was submitted.

    | field | true if |
    | --- | --- |
    | `right` | component and mechanisms are right, and an experiment supports them |
    | `wrong` | component or mechanisms are wrong, or an experiment refutes them |
    """

    variant: str
    component: str
    mechanisms: tuple[str, ...]
    state: str
    score: int
    right: bool
    wrong: bool = True


class Guarded(Event, frozen=True, kw_only=True, tag="guardrail"):
    """A guardrail was judged.

    It passed `passed` of `right` right designs, and rejected `rejected` of `wrong` wrong versions.
    """

    variant: str
    score: Annotated[int, msgspec.Meta(ge=0, le=100)]
    passed: int
    right: int
    rejected: int
    wrong: int


class Reviewed(Event, frozen=True, kw_only=True, tag="postmortem"):
    """A post-mortem was checked; `findings` is the number of problems that the check found."""

    variant: str
    score: Annotated[int, msgspec.Meta(ge=0, le=100)]
    findings: int


KINDS: Final[dict[str, type[Event]]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (Started, Reset, Ran, Hinted, SolutionShown, Replayed, Queried, Diagnosed, Guarded, Reviewed)
}


DAMAGE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""The exceptions of decoding a damaged line."""


class _Head(msgspec.Struct):
    """The fields that every line has in every release."""

    kind: str
    v: int


class History(msgspec.Struct, frozen=True):
    """The events of a journal in the order of writing, and a notice for each unreadable line."""

    events: tuple[Event, ...] = ()
    notices: tuple[str, ...] = ()


class Journal:
    """Reads and appends the journal of one workspace."""

    NAME: ClassVar = "journal.jsonl"

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Event) -> str | None:
        """Append one event; return a notice if a damaged last line was dropped first.

        Raises `UserError` if the file cannot be written, such as in a read-only folder or on a full disk.
        """
        try:
            line = msgspec.json.encode(event) + b"\n"
        except UnicodeEncodeError as error:
            raise UserError(f"the journal cannot store a name that is not Unicode: {error.object!r}") from error
        try:
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a+b", buffering=0) as file:
                lock(file)
                notice = self._repair_last_line(file)
                _write(file, line)
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(
                f"the journal {self.path} cannot be written ({error.strerror}), so this event is not recorded; "
                f"make the folder writable or free some space, then repeat the command"
            ) from error
        return notice

    def read(self) -> History:
        """Return all readable events, and a notice for each damaged line."""
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
                is_last = number == len(lines)
                problem = "was cut short" if is_last else f"is damaged ({error})"
                notices.append(f"line {number} of {self.path} {problem}; it is left out")
        return History(tuple(events), tuple(notices))

    def _repair_last_line(self, file: Any) -> str | None:
        """End a complete last line, or drop an incomplete one; return a notice for a dropped line."""
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
            file.write(b"\n")  # the line is whole except for its end, which an editor may have removed
            return None
        file.truncate(whole)
        return f"the last line of {self.path} was cut short ({size - whole} bytes); it is dropped"


def _write(file: Any, line: bytes) -> None:
    """Write the whole line or nothing, because a disk can fill up in the middle. Raises `OSError`."""
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
    """Return the event on a line, or None for a kind or version of a later release.

    Raises one of `DAMAGE` for a damaged line.
    """
    head = msgspec.json.decode(line, type=_Head)
    kind = KINDS.get(head.kind)
    if kind is None or head.v != VERSION:
        return None
    event = msgspec.json.decode(line, type=kind)
    if event.at.year not in YEARS:
        raise msgspec.ValidationError(f"year {event.at.year}")
    return event
