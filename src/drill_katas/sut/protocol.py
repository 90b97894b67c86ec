"""The messages between judge and SUT. Each side decodes a message with its type."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType


class Request(msgspec.Struct, tag_field="op", kw_only=True):
    """A request of the judge; `trace` is the trace id to run it under."""

    trace: str | None = None


class Import(Request, tag="import"):
    """Import the contract's modules; the answer is None."""


class Open(Request, tag="open"):
    """Call a class or function of the contract; the answer is the number of the returned object."""

    target: str
    args: list[Any]


class CallMethod(Request, tag="call"):
    """Call a method of an opened object; the answer is its value."""

    number: int
    method: str
    args: list[Any]


class Serve(Request, tag="serve"):
    """Serve a factory's application on the listening socket that comes with the request; the answer is None.

    `node` contains the node's name and the sockets of its links; `settings` contains plain data or resources.
    """

    target: str
    node: dict[str, Any]
    settings: dict[str, Any]


class Tasks(Request, tag="tasks"):
    """Return the stacks of the tasks of all applications."""


class CloseObject(Request, tag="close"):
    """Release an opened object and dispose of its engines; the answer is None."""

    number: int


class Metrics(Request, tag="metrics"):
    """Return the samples of all metrics; see `telemetry.read_metrics`."""


class VirtualTime(Request, tag="virtual time"):
    """Switch the program to the virtual clock; the answer is None."""


class AdvanceClock(Request, tag="put forward"):
    """Advance the virtual clock, at most to the next timer of an application; the answer is the step in seconds."""

    seconds: float


JudgeRequest: TypeAlias = (
    Import | Open | CallMethod | Serve | Tasks | CloseObject | Metrics | VirtualTime | AdvanceClock
)
REQUESTS: Final = msgspec.json.Decoder(JudgeRequest)


Kind: TypeAlias = Literal[
    "import", "kata", "elsewhere", "missing", "signature", "raised", "exit", "unplain", "memory", "processes"
]


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The error of a request. A frame of the traceback is (file, line, function, source)."""

    kind: Kind
    type: str
    message: str
    frames: list[tuple[str, int, str, str]]


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frame from the SUT: an answer in `ok` or `error`, or a log line in `log` with its monotonic time in `at`.

    `log` and `at` have any type, because the SUT may send anything.
    """

    ok: Any = UNSET
    error: Problem | UnsetType = UNSET
    log: Any = UNSET
    at: Any = UNSET

    @property
    def is_log(self) -> bool:
        """Whether the frame is a log line."""
        return self.log is not UNSET

    @property
    def is_answer(self) -> bool:
        """Whether the frame is exactly one answer."""
        return (self.ok is UNSET) != (self.error is UNSET) and self.log is UNSET and self.at is UNSET


REPLIES: Final = msgspec.json.Decoder(Reply)


class Hello(msgspec.Struct, frozen=True):
    """The first frame of a connection: the name of its service."""

    service: str


HELLOS: Final = msgspec.json.Decoder(Hello)


class UpstreamCall(msgspec.Struct, frozen=True):
    """A call from the program to an upstream. `trace` has any type, because the SUT may send anything."""

    method: str
    arguments: dict[str, Any]
    trace: Any = None


UPSTREAM_CALLS: Final = msgspec.json.Decoder(UpstreamCall)


class UpstreamReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of an upstream: a value, or the message of a time-out or a refusal."""

    ok: Any = None
    timeout: str = ""
    refused: str = ""


UPSTREAM_REPLIES: Final = msgspec.json.Decoder(UpstreamReply)


class SqlRequest(msgspec.Struct, frozen=True, tag_field="op", kw_only=True):
    """A request from the driver to its connection. `trace` has any type, because the SUT may send anything."""

    trace: Any = None


class Connect(SqlRequest, frozen=True, tag="hello"):
    """Open the connection."""


class Execute(SqlRequest, frozen=True, tag="execute"):
    """Execute a statement."""

    sql: str
    parameters: list[Any] | dict[str, Any]


class ExecuteMany(SqlRequest, frozen=True, tag="executemany"):
    """Execute a statement once for each row of parameters."""

    sql: str
    rows: list[list[Any] | dict[str, Any]]


class Commit(SqlRequest, frozen=True, tag="commit"):
    """Commit the open transaction, if there is one."""


class Rollback(SqlRequest, frozen=True, tag="rollback"):
    """Roll the open transaction back, if there is one."""


class Isolation(SqlRequest, frozen=True, tag="isolation"):
    """Set the connection's isolation level, as defined by sqlite3."""

    level: Any


Statement: TypeAlias = Execute | ExecuteMany
AnySqlRequest: TypeAlias = Connect | Execute | ExecuteMany | Commit | Rollback | Isolation
SQL_REQUESTS: Final = msgspec.json.Decoder(AnySqlRequest)


class SqlReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a request, or the class name and message of a sqlite3 error."""

    error: str = ""
    message: str = ""
    columns: list[str] | None = None
    rows: list[list[Any]] = []
    rowcount: int = -1
    lastrowid: int | None = None


SQL_REPLIES: Final = msgspec.json.Decoder(SqlReply)
