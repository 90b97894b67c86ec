"""Events around the system that charts mark: deploys, restarts, drops."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.evidence.records import IncidentRecord, LogLine

OFTEN: Final = 3  # a line that is written this many times is routine and gets no mark
MOST: Final = 10  # most marks of one service; a service with more gets none, because a chart cannot show them


class Mark(msgspec.Struct, frozen=True):
    """A time to mark, and the event in words, such as "deployed ledger 2026.11"."""

    name: str
    at: float


def marks_of(incident: IncidentRecord) -> list[Mark]:
    """Return marks for the rare log lines of services that serve no request, such as the platform's deploys."""
    serving = {span.service for span in incident.spans} | {
        line.service for line in incident.logs if line.trace_id is not None
    }
    around = [line for line in incident.logs if line.service not in serving]
    written = Counter((line.service, line.event) for line in around)
    rare = [line for line in around if written[line.service, line.event] < OFTEN]
    of_service = Counter(line.service for line in rare)
    return list(_marks([line for line in rare if of_service[line.service] <= MOST]))


def _marks(lines: list[LogLine]) -> Iterator[Mark]:
    for line in lines:
        what = [str(line.fields[name]) for name in ("what", "version", "reason") if name in line.fields]
        yield Mark(" ".join([line.event, *what]), line.at)
