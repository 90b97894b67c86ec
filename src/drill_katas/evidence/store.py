"""The folder of an incident's evidence, in formats that common tools read.

| file | content | read by |
| --- | --- | --- |
| `incident.json` | the `Summary`, and the alerts that fired | |
| `logs.jsonl` | log lines, one JSON object each | jq, lnav |
| `traces.json` | spans, OTLP JSON | any OpenTelemetry collector |
| `metrics.txt` | OpenMetrics with timestamps | `promtool tsdb create-blocks-from openmetrics` |
| `rules.yml` | alert rules | Prometheus, `promtool check rules` |
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from drill_katas.errors import UserError
from drill_katas.evidence.exposition import from_openmetrics, rule_file, to_openmetrics
from drill_katas.evidence.otlp import from_otlp, to_otlp
from drill_katas.evidence.records import Alert, Basis, IncidentRecord, LogLine, Summary
from drill_katas.files import indented_json, json_lines, replacing_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from drill_katas.kit.rules import Rule
    from drill_katas.practice.workspace import Workspace

DAMAGE: Final = (OSError, ValueError, LookupError, TypeError, msgspec.MsgspecError)
OWN: Final = ("id", "at", "service", "level", "event", "trace_id")  # keys of each log line; others are its fields


class _IncidentFile(msgspec.Struct, frozen=True):
    summary: Summary
    alerts: tuple[Alert, ...]


def folder_of(workspace: Workspace, kata: str, ablation: str | None = None) -> Path:
    """Return the folder of a kata's incident, or of an experiment with it."""
    if ablation:
        return workspace.state / "experiments" / kata / ablation
    return workspace.state / "incidents" / kata


def folder_beside(workspace: Workspace, kata: str, basis: Basis) -> Path:
    """Return the folder of a replay that pages show beside a kata's incident."""
    return workspace.state / "compared" / kata / f"{basis.code[:16]}-{basis.variant}-{basis.seed}"


def write(folder: Path, incident: IncidentRecord, rules: Iterable[Rule]) -> None:
    """Write an incident; it replaces the whole folder. Raises `UserError`."""
    try:
        with replacing_folder(folder) as draft:
            (draft / "incident.json").write_bytes(indented_json(_IncidentFile(incident.summary, incident.alerts)))
            (draft / "logs.jsonl").write_bytes(json_lines(map(line_to_json, incident.logs)))
            (draft / "traces.json").write_bytes(msgspec.json.encode(to_otlp(incident.spans)))
            (draft / "metrics.txt").write_bytes(to_openmetrics(incident.metrics))
            (draft / "rules.yml").write_text(rule_file(incident.summary.kata, rules), encoding="utf-8")
    except OSError as error:
        raise UserError(f"the incident cannot be written to {folder} ({error.strerror})") from error


def copy(folder: Path, to: Path) -> None:
    """Copy an incident to another folder; it replaces that folder. Raises `UserError`."""
    try:
        with replacing_folder(to) as draft:
            shutil.copytree(folder, draft, dirs_exist_ok=True)
    except OSError as error:
        raise UserError(f"the incident cannot be copied to {to} ({error.strerror})") from error


def read(folder: Path, kata: str) -> IncidentRecord:
    """Return the incident in a folder. Raises `UserError` if there is none, or if it is damaged."""
    if not folder.is_dir():
        raise UserError(f"there is no incident of {kata} yet; `kata incident {kata}` replays one")
    try:
        content = msgspec.json.decode((folder / "incident.json").read_bytes(), type=_IncidentFile)
        lines = (folder / "logs.jsonl").read_bytes().splitlines()
        return IncidentRecord(
            summary=content.summary,
            alerts=content.alerts,
            logs=tuple(line_from_json(msgspec.json.decode(line)) for line in lines),
            spans=from_otlp(msgspec.json.decode((folder / "traces.json").read_bytes())),
            metrics=from_openmetrics((folder / "metrics.txt").read_text(encoding="utf-8")),
        )
    except DAMAGE as error:
        raise UserError(f"{folder} is damaged ({error}); `kata incident {kata}` replays the incident again") from error


def summary_of(folder: Path) -> Summary | None:
    """Return the summary of the incident in a folder; None if there is none, or if it is damaged."""
    try:
        return msgspec.json.decode((folder / "incident.json").read_bytes(), type=_IncidentFile).summary
    except DAMAGE:
        return None


def experiment_with(workspace: Workspace, incident: IncidentRecord, ablation: str) -> IncidentRecord | None:
    """Return the experiment with the same code, variant, and seed as the incident, or None. Raises `UserError`."""
    kata = incident.summary.kata
    folder = folder_of(workspace, kata, ablation)
    played = read(folder, kata) if folder.is_dir() else None
    return played if played and played.summary.basis == incident.summary.basis else None


def line_to_json(line: LogLine) -> dict[str, Any]:
    """Return a log line as a JSON object; its fields are keys beside those in `OWN`, and `OWN` wins."""
    at = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    trace = {"trace_id": line.trace_id} if line.trace_id else {}
    usual = {"id": line.id, "at": at, "service": line.service, "level": line.level, "event": line.event, **trace}
    return usual | {name: value for name, value in line.fields.items() if name not in OWN}


def line_from_json(line: dict[str, Any]) -> LogLine:
    """Return the log line that `line_to_json` wrote."""
    fields = {name: value for name, value in line.items() if name not in OWN}
    usual = {name: line.get(name) for name in OWN} | {"at": datetime.fromisoformat(line["at"]).timestamp()}
    return msgspec.convert({**usual, "fields": fields}, LogLine)
