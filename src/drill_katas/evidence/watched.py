"""The watched databases, upstreams and networks of an incident: their metrics, and a span for each observation."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from drill_katas.evidence.peaks import calls_open, connections_in_use
from drill_katas.evidence.records import NO_TRACE, Span
from drill_katas.services.database import Database
from drill_katas.services.network import Network
from drill_katas.services.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drill_katas.services.connections import Statement
    from drill_katas.services.hops import Hop
    from drill_katas.services.upstream import SentCall

SERVER_ERROR: Final = 500
RECENT: Final = 200  # hops that may still end


class Sample(NamedTuple):
    """A sample of a metric, with its family's name, kind, and help."""

    family: str
    kind: str
    help: str
    name: str
    labels: Mapping[str, str]
    value: float


def gauge(name: str, about: str, labels: Mapping[str, str], value: float) -> Sample:
    """Return a sample of a gauge."""
    return Sample(name, "gauge", about, name, labels, value)


def counter(name: str, about: str, labels: Mapping[str, str], value: float) -> Sample:
    """Return a sample of a counter."""
    return Sample(name, "counter", about, f"{name}_total", labels, value)


class Watched(Protocol):
    """A part of the surroundings that observes what the SUT asks of it."""

    @property
    def observations(self) -> Sequence[Any]:
        """All observations so far; the list only grows at its end."""

    @property
    def progress(self) -> int:
        """A number that changes with each observation, and with the end of one."""

    @property
    def nodes(self) -> Mapping[str, Network]:
        """The network of each node that can be called by hand, by the node's name."""

    def samples(self, since: float) -> Iterator[Sample]:
        """Yield the metrics; a gauge has its maximum since a time of the judge's clock."""

    def span(self, observation: Any, at: Callable[[float], float]) -> Span:
        """Return the span of an observation; `at` converts a time of the judge's clock to the incident's."""


@dataclass(frozen=True)
class WatchedDatabase:
    """A database that the service `owner` uses; its observations are SQL statements."""

    name: str
    owner: str
    database: Database
    nodes: Mapping[str, Network]

    @property
    def observations(self) -> Sequence[Statement]:
        """The statements."""
        return self.database.statements

    @property
    def progress(self) -> int:
        """The number of statements."""
        return len(self.database.statements)

    def samples(self, since: float) -> Iterator[Sample]:
        """Yield connections, statements and rows."""
        labels, statements = {"database": self.name}, self.database.statements
        in_use = connections_in_use(self.database, since)
        open_ = max(self.database.open_connections, in_use)
        yield gauge("db_connections_open", "Connections that are open.", labels, open_)
        yield gauge("db_connections_in_use", "Connections that are checked out of a pool.", labels, in_use)
        yield counter("db_statements", "SQL statements executed.", labels, len(statements))
        yield counter("db_rows", "Rows fetched.", labels, sum(each.rows for each in statements))

    def span(self, observation: Statement, at: Callable[[float], float]) -> Span:
        """Return the span of a statement."""
        attributes = {
            "caller": self.owner, "rows": str(observation.rows), "connection": str(observation.connection)
        }  # fmt: skip
        return Span(
            trace_id=observation.trace_id or NO_TRACE,
            service=self.name,
            name=" ".join(observation.sql.split()),
            kind="client",
            began=at(observation.at),
            ended=at(observation.at + observation.seconds),
            failed=bool(observation.failed),
            attributes=attributes,
        )


@dataclass(frozen=True)
class WatchedUpstream:
    """An upstream that the service `owner` calls; its observations are these calls."""

    name: str
    owner: str
    upstream: Upstream
    nodes: Mapping[str, Network]

    @property
    def observations(self) -> Sequence[SentCall]:
        """The calls."""
        return self.upstream.sent

    @property
    def progress(self) -> int:
        """The number of calls."""
        return len(self.upstream.sent)

    def samples(self, since: float) -> Iterator[Sample]:  # noqa: ARG002 - it has no gauge
        """Yield the calls by result."""
        results = Counter("none" if each.lost else "ok" for each in self.upstream.sent)
        for result, number in results.items():
            labels = {"upstream": self.name, "result": result}
            yield counter("upstream_calls", "Calls to upstreams by result.", labels, number)

    def span(self, observation: SentCall, at: Callable[[float], float]) -> Span:
        """Return the span of a call."""
        return Span(
            trace_id=observation.trace_id or NO_TRACE,
            service=self.name,
            name=observation.method,
            kind="client",
            began=at(observation.at),
            ended=at(observation.at + observation.seconds),
            failed=observation.lost,
            attributes={"caller": self.owner, "status": "none" if observation.lost else "ok"},
        )


@dataclass(frozen=True)
class WatchedNetwork:
    """A network; its observations are the calls between its nodes."""

    network: Network
    nodes: Mapping[str, Network]

    @property
    def observations(self) -> Sequence[Hop]:
        """The calls."""
        return self.network.hops

    @property
    def progress(self) -> int:
        """The number of calls that began or ended."""
        return len(self.network.hops) + sum(hop.ended is not None for hop in self.network.hops[-RECENT:])

    def samples(self, since: float) -> Iterator[Sample]:
        """Yield the calls by caller and callee: the ended ones by status, and the most that were open at once."""
        hops = list(self.network.hops)
        ended = Counter((hop.caller, hop.callee, str(hop.status or "none")) for hop in hops if hop.ended)
        for (caller, callee, status), number in ended.items():
            labels = {"caller": caller, "callee": callee, "status": status}
            yield counter("calls", "Calls to a service by caller and status.", labels, number)
        of_pair: dict[tuple[str, str], list[Hop]] = {}
        for hop in hops:
            of_pair.setdefault((hop.caller, hop.callee), []).append(hop)
        for (caller, callee), calls in of_pair.items():
            labels = {"caller": caller, "callee": callee}
            yield gauge("calls_open", "Calls without an answer yet.", labels, calls_open(calls, since))

    def span(self, observation: Hop, at: Callable[[float], float]) -> Span:
        """Return the span of a call; a call without an answer has no end."""
        status = observation.status
        return Span(
            trace_id=observation.trace_id or NO_TRACE,
            service=observation.callee,
            name=f"{observation.method} {route(observation.path)}",
            kind="server",
            began=at(observation.began),
            ended=None if observation.ended is None else at(observation.ended),
            failed=status is not None and (status == 0 or status >= SERVER_ERROR),
            attributes={"caller": observation.caller, "status": str(status or "none")},
        )


def watch(name: str, thing: Database | Upstream | Network, owner: str) -> Watched:
    """Return the watched form of a database, an upstream, or a network."""
    match thing:
        case Network():
            return WatchedNetwork(thing, dict.fromkeys(thing.nodes, thing))
        case Database():
            return WatchedDatabase(name, owner, thing, {})
        case Upstream():
            return WatchedUpstream(name, owner, thing, {})


def route(path: str) -> str:
    """Return a path with "{id}" in place of each part that has a digit: /orders/{id}."""
    parts = path.partition("?")[0].split("/")
    return "/".join("{id}" if re.search(r"\d", part) else part for part in parts)
