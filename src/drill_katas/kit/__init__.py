"""The public API for kata authors; a kata imports only this module, and `kit.rules` for its incident.

>>> from drill_katas import kit

| need | name |
| --- | --- |
| the system under test | fixture `sut`, a `drill_katas.judge.sut.Sut` |
| arguments of `sut.open` and `sut.serve` | `database()`, `upstream(...)`, the nodes of a `network(...)` |
| exceptions of a call | `Killed`, `SutError` |
| load on the nodes of a network | `load` |
| wait-for chains between nodes | `waits` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.failures import KataMistake, Killed, SutError
from drill_katas.judge.sut import Sut
from drill_katas.kit import events, load, money, rules, waits
from drill_katas.kit.differences import difference
from drill_katas.kit.holding import Holding
from drill_katas.kit.incident import Incident
from drill_katas.kit.lag import lag
from drill_katas.kit.latency import sla
from drill_katas.kit.pictures import Picture
from drill_katas.kit.scene import Scene
from drill_katas.kit.sql import Growth, costliest, repeated
from drill_katas.kit.state_machine import Machine, explore
from drill_katas.kit.telemetry import ErrorReport
from drill_katas.services.database import Database as database
from drill_katas.services.hops import Hop, HttpResponse
from drill_katas.services.upstream import Fault
from drill_katas.services.upstream import Upstream as upstream
from drill_katas.text import plural

if TYPE_CHECKING:
    from drill_katas.services.network import Network


def network(*nodes: str) -> Network:
    """Return a network of these nodes for `sut.serve`; see `Network`."""
    from drill_katas.services.network import Network  # noqa: PLC0415 - aiohttp is slow to import, and few katas need it

    return Network(*nodes)


__all__ = [
    "ErrorReport",
    "Fault",
    "Growth",
    "Holding",
    "Hop",
    "HttpResponse",
    "Incident",
    "KataMistake",
    "Killed",
    "Machine",
    "Picture",
    "Scene",
    "Sut",
    "SutError",
    "costliest",
    "database",
    "difference",
    "events",
    "explore",
    "lag",
    "load",
    "money",
    "network",
    "plural",
    "repeated",
    "rules",
    "sla",
    "upstream",
    "waits",
]
