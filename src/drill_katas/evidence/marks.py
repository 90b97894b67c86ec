"""What happened around the system: deploys, restarts, drops; charts mark them, as they mark alerts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.evidence.records import IncidentRecord, LogLine

OFTEN: Final = 3  # times: a line that is written so often is routine
MOST: Final = 10  # marks of one service: more of them are its log, and no chart can show them


class Mark(msgspec.Struct, frozen=True):
    """A moment to mark: what happened, such as "deployed ledger 2026.11"."""

    name: str
    at: float


def marks_of(incident: IncidentRecord) -> list[Mark]:
    """Return the rare lines of those who serve no request: the platform's deploys, the shop's drops."""
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
