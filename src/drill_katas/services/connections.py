"""What a database has seen of the SUT: its statements, what each call has cost, and connections that are in use."""

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
    """One SQL statement the SUT executed.

    `rows` is how many it fetched, `size` how many bytes its parameters and these rows hold, `work` about how many
    instructions SQLite's virtual machine carried out for it: rows that were only looked through cost some, too.
    `call` is the check's call that caused it, as text; "" where the contract has none. `began` says that it opened a
    transaction. `at` is when it came in, by the judge's clock, and `seconds` how long it took, with the round trip.
    `trace_id` is what the SUT says, and no verdict rests on it. `failed` is the class of the error that the statement
    has raised, such as "IntegrityError", and its message counts in `size`; "" where it was carried out.
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
    """What one call or request has cost: statements, the rows they fetched, transactions and connections used.

    `call` is the check's call, such as `ledger.apply(...)`; of a request over HTTP it is the trace id.
    """

    call: str
    statements: int
    rows: int
    transactions: int
    connections: int


@dataclass(frozen=True)
class Held:
    """A connection that is checked out of its pool, as the database sees it.

    `call` is the call during which it was taken, with its result; `trace_id` the trace of that call. Either is empty
    where there was none. `sql` is its last statement, `seconds` how long ago it was taken.
    """

    connection: int
    call: str
    trace_id: str | None
    sql: str
    in_transaction: bool
    seconds: float

    @classmethod
    def of(cls, state: ConnectionState, cause: Cause) -> Self:
        """Return what the server has seen of a connection, with the call that it was taken for."""
        call = str(cause.call or "")
        return cls(state.number, call, cause.trace_id, state.sql, state.in_transaction, state.seconds)

    def __str__(self) -> str:
        """Say it on one line, without what is different every time."""
        since = f" since {_cut(self.call)}" if self.call else ""
        sql = f", last statement {_cut(self.sql)}" if self.sql else ""
        return f"connection {self.connection}{since}{sql}{', in an open transaction' if self.in_transaction else ''}"


def usage_by_call(statements: Iterable[Statement]) -> list[Usage]:
    """Add statements up by the call or the request that caused them, in the order in which these began.

    Statements of two calls with the same text that follow one another are added up together; requests over HTTP may
    run at the same time, and are told apart by their traces.
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
    """Leave out the middle of a long text: a statement is known by its head, a call by its result, too."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]}"
