"""The messages of the SQL server: with the SUT's driver, and with the judge."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType


class Add(msgspec.Struct, frozen=True, tag_field="op", tag="add"):
    """Open a database with this number; no answer. `most` limits its connections."""

    database: int
    round_trip: float
    most: int | None


class KeepAtMost(msgspec.Struct, frozen=True, tag_field="op", tag="keep"):
    """Limit the number of recorded statements; sent before the first `Add`, no answer."""

    statements: int


class Ping(msgspec.Struct, frozen=True, tag_field="op", tag="ping"):
    """Check that the server is alive; the answer is None."""


class RoundTrip(msgspec.Struct, frozen=True, tag_field="op", tag="round trip"):
    """Set the network delay of every statement; the answer is None."""

    database: int
    seconds: float


class Take(msgspec.Struct, frozen=True, tag_field="op", tag="take"):
    """Fetch the next recorded statements; the answer is a `Piece`."""

    database: int


class Look(msgspec.Struct, frozen=True, tag_field="op", tag="look"):
    """Fetch the states of a database's connections; the answer is `Connections`."""

    database: int


ControlRequest: TypeAlias = Add | KeepAtMost | Ping | RoundTrip | Take | Look
CONTROL_REQUESTS: Final = msgspec.json.Decoder(ControlRequest)


class ControlReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer of the server; or `exited`, the server's wait status, which the nursery writes."""

    answer: msgspec.Raw = msgspec.Raw(b"null")
    exited: int | UnsetType = UNSET


CONTROL_REPLIES: Final = msgspec.json.Decoder(ControlReply)


class Serving(msgspec.Struct, frozen=True):
    """The process id of the server; the first message on the steps channel."""

    pid: int


SERVING: Final = msgspec.json.Decoder(Serving)


class StepQuestion(msgspec.Struct, frozen=True):
    """Asks the judge about a step of a database before its execution."""

    database: int
    step: str


STEP_QUESTIONS: Final = msgspec.json.Decoder(StepQuestion)


class StepAnswer(msgspec.Struct, frozen=True):
    """The judge's decision on a step: `refused` is an error message or "", `ends` means that it kills the SUT."""

    refused: str = ""
    carried_out: bool = True
    ends: bool = False


STEP_ANSWERS: Final = msgspec.json.Decoder(StepAnswer)
