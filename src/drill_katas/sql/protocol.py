"""The messages of the SQL server: with the SUT's driver, and with the judge."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType


class Add(msgspec.Struct, frozen=True, tag_field="op", tag="add"):
    """Open a database of that number; no answer. `most` limits its connections."""

    database: int
    round_trip: float
    most: int | None


class KeepAtMost(msgspec.Struct, frozen=True, tag_field="op", tag="keep"):
    """Record at most so many statements; comes before any database, and has no answer."""

    statements: int


class Ping(msgspec.Struct, frozen=True, tag_field="op", tag="ping"):
    """Answers None."""


class RoundTrip(msgspec.Struct, frozen=True, tag_field="op", tag="round trip"):
    """Add so many seconds to every statement; answers None."""

    database: int
    seconds: float


class Take(msgspec.Struct, frozen=True, tag_field="op", tag="take"):
    """Answers a `Piece` of the recorded statements."""

    database: int


class Look(msgspec.Struct, frozen=True, tag_field="op", tag="look"):
    """Answers the connections of a database, as `Connections`."""

    database: int


ControlRequest: TypeAlias = Add | KeepAtMost | Ping | RoundTrip | Take | Look
CONTROL_REQUESTS: Final = msgspec.json.Decoder(ControlRequest)


class ControlReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer of the server's, or, written by the nursery, the wait status with which the server has ended."""

    answer: msgspec.Raw = msgspec.Raw(b"null")
    exited: int | UnsetType = UNSET


CONTROL_REPLIES: Final = msgspec.json.Decoder(ControlReply)


class Serving(msgspec.Struct, frozen=True):
    """The process id of the server; the first message on the steps channel."""

    pid: int


SERVING: Final = msgspec.json.Decoder(Serving)


class StepQuestion(msgspec.Struct, frozen=True):
    """Asks the judge about a step at a database, before it is carried out."""

    database: int
    step: str


STEP_QUESTIONS: Final = msgspec.json.Decoder(StepQuestion)


class StepAnswer(msgspec.Struct, frozen=True):
    """Whether a step is carried out, and the message with which it is refused; `ends` when the SUT is being killed."""

    refused: str = ""
    carried_out: bool = True
    ends: bool = False


STEP_ANSWERS: Final = msgspec.json.Decoder(StepAnswer)
