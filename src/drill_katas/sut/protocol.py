"""The messages between judge and SUT, as the wire has them: each is decoded with its type at the boundary."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType


class Request(msgspec.Struct, tag_field="op", kw_only=True):
    """A request of the judge's; it is served on the trace of that id."""

    trace: str | None = None


class Import(Request, tag="import"):
    """Import the contract's modules; answers None."""


class Open(Request, tag="open"):
    """Call a class or function of the contract; answers the number of the object that it returns."""

    target: str
    args: list[Any]


class CallMethod(Request, tag="call"):
    """Call a method of an opened object; answers its value."""

    number: int
    method: str
    args: list[Any]


class Serve(Request, tag="serve"):
    """Serve the application of a factory on the listening socket that comes with the request; answers None.

    `node` has the name of the node and the sockets of its links, `settings` plain data or resources.
    """

    target: str
    node: dict[str, Any]
    settings: dict[str, Any]


class Tasks(Request, tag="tasks"):
    """Answers the stacks of the tasks of all applications."""


class CloseObject(Request, tag="close"):
    """Forget an opened object, and dispose of its engines; answers None."""

    number: int


class Metrics(Request, tag="metrics"):
    """Answers the samples of all metrics; see `telemetry.read_metrics`."""


class VirtualTime(Request, tag="virtual time"):
    """Make the program's clock one that can be put forward; answers None."""


class PutForward(Request, tag="put forward"):
    """Put the program's clock forward, at most to the next timer of an application; answers by how many seconds."""

    seconds: float


JudgeRequest: TypeAlias = Import | Open | CallMethod | Serve | Tasks | CloseObject | Metrics | VirtualTime | PutForward
REQUESTS: Final = msgspec.json.Decoder(JudgeRequest)


Kind: TypeAlias = Literal[
    "import", "elsewhere", "missing", "signature", "raised", "exit", "unplain", "memory", "processes"
]


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a request could not be served. A frame of the traceback is (file, line, function, source)."""

    kind: Kind
    type: str
    message: str
    frames: list[tuple[str, int, str, str]]


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frame of the SUT's: an answer under `ok` or `error`, or a line logged at a monotonic time.

    `log` and `at` are of any type, because the SUT may send anything there.
    """

    ok: Any = UNSET
    error: Problem | UnsetType = UNSET
    log: Any = UNSET
    at: Any = UNSET

    @property
    def is_log(self) -> bool:
        """Whether it is a log line."""
        return self.log is not UNSET

    @property
    def is_answer(self) -> bool:
        """Whether it is an answer, and nothing else."""
        return (self.ok is UNSET) != (self.error is UNSET) and self.log is UNSET and self.at is UNSET


REPLIES: Final = msgspec.json.Decoder(Reply)


class Hello(msgspec.Struct, frozen=True):
    """The first frame of a connection: the name of the service that it is for."""

    service: str


HELLOS: Final = msgspec.json.Decoder(Hello)


class UpstreamCall(msgspec.Struct, frozen=True):
    """A call of the program's to an upstream. `trace` is of any type, because the SUT may send anything."""

    method: str
    arguments: dict[str, Any]
    trace: Any = None


UPSTREAM_CALLS: Final = msgspec.json.Decoder(UpstreamCall)


class UpstreamReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of an upstream: a value, or the message of a time-out or of a refusal."""

    ok: Any = None
    timeout: str = ""
    refused: str = ""


UPSTREAM_REPLIES: Final = msgspec.json.Decoder(UpstreamReply)


class SqlRequest(msgspec.Struct, frozen=True, tag_field="op", kw_only=True):
    """A request of the driver's to its connection. `trace` is of any type, because the SUT may send anything."""

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
    """Set the connection's isolation level, as sqlite3 has it."""

    level: Any


Statement: TypeAlias = Execute | ExecuteMany
AnySqlRequest: TypeAlias = Connect | Execute | ExecuteMany | Commit | Rollback | Isolation
SQL_REQUESTS: Final = msgspec.json.Decoder(AnySqlRequest)


class SqlReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a request, or the name and message of an error of sqlite3's."""

    error: str = ""
    message: str = ""
    columns: list[str] | None = None
    rows: list[list[Any]] = []
    rowcount: int = -1
    lastrowid: int | None = None


SQL_REPLIES: Final = msgspec.json.Decoder(SqlReply)
