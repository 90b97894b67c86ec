"""Records of the SUT's use of a database: statements, costs per call, connections in use."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.services.sql_server import Cause
    from drill_katas.sql.connections import ConnectionState

SHOWN: Final = 100  # characters of a statement or call in a message


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement that the SUT executed.

    | field | meaning |
    | --- | --- |
    | `rows` | rows fetched |
    | `size` | bytes of the parameters, of the fetched rows, and of the error message |
    | `work` | approximate instructions of SQLite's virtual machine, including those for rows that were only scanned |
    | `connection` | number of the connection |
    | `call` | the call of the check that caused it; "" if the contract has no calls |
    | `began` | the statement opened a transaction |
    | `at` | time of arrival, in seconds of the judge's clock |
    | `seconds` | duration, with the round trip |
    | `trace_id` | the SUT's own claim, so no verdict may depend on it |
    | `failed` | class of the error that it raised, such as "IntegrityError"; "" on success |
    """

    sql: str
    rows: int
    size: int
    work: int
    connection: int
    call: str = ""
    began: bool = False
    at: float = 0.0
    seconds: float = 0.0
    trace_id: str | None = None
    failed: str = ""


@dataclass(frozen=True)
class Usage:
    """The cost of one call or request: statements, fetched rows, transactions, connections.

    `call` is the check's call, such as `ledger.apply(...)`, or the trace id of an HTTP request.
    """

    call: str
    statements: int
    rows: int
    transactions: int
    connections: int


@dataclass(frozen=True)
class CheckedOut:
    """A connection that is checked out of its pool, as the database sees it.

    `call` is the call that checked it out, with its result, and `trace_id` the trace of that call; either may be empty.
    `sql` is the last statement; `seconds` is the time since the check-out.
    """

    connection: int
    call: str
    trace_id: str | None
    sql: str
    in_transaction: bool
    seconds: float

    @classmethod
    def of(cls, state: ConnectionState, cause: Cause) -> Self:
        """Combine the server's state of a connection with the call that checked it out."""
        call = str(cause.call or "")
        return cls(state.number, call, cause.trace_id, state.sql, state.in_transaction, state.seconds)

    def __str__(self) -> str:
        """Return one line without trace ids and times, which differ in every run."""
        since = f" since {_cut(self.call)}" if self.call else ""
        sql = f", last statement {_cut(self.sql)}" if self.sql else ""
        return f"connection {self.connection}{since}{sql}{', in an open transaction' if self.in_transaction else ''}"


def usage_by_call(statements: Iterable[Statement]) -> list[Usage]:
    """Return the cost of each call or HTTP request, in the order of their first statements.

    Consecutive calls with the same text count as one. HTTP requests may overlap, so their trace ids separate them.
    """
    runs: dict[tuple[int, str] | str, list[Statement]] = {}
    for number, (call, together) in enumerate(itertools.groupby(statements, key=lambda each: each.call)):
        for statement in together:
            cause = (number, call) if call else statement.trace_id or ""
            runs.setdefault(cause, []).append(statement)
    return [
        Usage(
            call=run[0].call or run[0].trace_id or "",
            statements=len(run),
            rows=sum(each.rows for each in run),
            transactions=sum(each.began for each in run),
            connections=len({each.connection for each in run}),
        )
        for run in runs.values()
    ]


def _cut(text: str) -> str:
    """Return a text without its middle if it is long, because the end of a call shows its result."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]}"
