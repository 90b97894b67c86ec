"""The recorded history before an incident, in a kata's folder `recorded/`: metrics of other nights, and deploys."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.errors import UserError
from drill_katas.evidence.exposition import from_openmetrics
from drill_katas.evidence.records import LogLine

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.records import Family

METRICS: Final = "metrics.txt"
DEPLOYS: Final = "deploys.jsonl"


class _Deploy(msgspec.Struct, frozen=True):
    at: datetime
    service: str
    kind: str
    what: str


def has_metrics(kata: Kata) -> bool:
    """Return whether the kata has recorded metrics of other nights."""
    return (kata.folder / "recorded" / METRICS).is_file()


def metrics(kata: Kata) -> tuple[Family, ...]:
    """Return the recorded metrics. Raises `UserError` if there are none."""
    return from_openmetrics(_read(kata, METRICS))


def deploys(kata: Kata) -> tuple[LogLine, ...]:
    """Return the recorded deploys, restarts, and schedule changes as log lines. Raises `UserError` without any."""
    found = [msgspec.json.decode(line, type=_Deploy) for line in _read(kata, DEPLOYS).splitlines()]
    return tuple(
        LogLine(
            id=f"deploy-{number}",
            at=each.at.timestamp(),
            service=each.service,
            level="info",
            event=each.kind,
            fields={"what": each.what},
        )
        for number, each in enumerate(found, 1)
    )


def _read(kata: Kata, name: str) -> str:
    file = kata.folder / "recorded" / name
    if not file.is_file():
        raise UserError(f"{kata.name} has no recorded history from before its incident")
    return file.read_text(encoding="utf-8")
