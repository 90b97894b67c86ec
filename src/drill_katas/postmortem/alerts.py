"""The labels of the alerts: each alert was caused by the fault or noise, and an experiment proves the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.investigation.scoring import ALL, outcome
from drill_katas.postmortem.citing import cell_findings, citations
from drill_katas.postmortem.document import ALERTS
from drill_katas.postmortem.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.markdown import Row
    from drill_katas.postmortem.document import Document
    from drill_katas.postmortem.facts import Facts

LABELS: Final = ("caused", "noise")
COLUMNS: Final = ("alert", "it was", "proof")


def rows_of(document: Document) -> dict[str, Row]:
    """Return the row of each alert by its name."""
    section = document.sections.get(ALERTS)
    table = section.table(*COLUMNS) if section else None
    return {row.cell("alert").strip("`* "): row for row in table.rows} if table else {}


def label_of(row: Row) -> str:
    """Return the label in a row."""
    return row.cell("it was").strip("`* .").lower()


def alert_findings(document: Document, facts: Facts) -> Iterator[Finding]:
    """Yield the alerts without a label, and the noise without an experiment that proves it."""
    section = document.sections.get(ALERTS)
    if section is None:
        return
    rows, fired = rows_of(document), [alert.name for alert in facts.incident.alerts]
    for name, row in rows.items():
        if name not in fired and name in facts.rules:
            continue  # an alert that fires in some replays only
        if name not in fired:
            yield Finding(row.line, "alerts", f"no alert {name[:40]!r} fired; the alerts are {', '.join(fired)}")
        elif label_of(row) not in LABELS:
            yield Finding(row.line, "alerts", f"{name} has no label; write caused or noise")
        else:
            yield from _proof_findings(name, row, facts)
    for name in fired:
        if name not in rows:
            message = f"no word on {name}: was it caused by the fault, or noise? Add its row, with a proof"
            yield Finding(section.line, "alerts", message)


def _proof_findings(name: str, row: Row, facts: Facts) -> Iterator[Finding]:
    proof = row.cell("proof")
    yield from cell_findings(proof, row.line, facts)
    cited = citations(proof)
    if label_of(row) == "caused":
        if not any(facts.exists(word) and word != name for word in cited):
            yield Finding(row.line, "alerts", f"{name} was caused, by which evidence? Cite an experiment or a log line")
        return
    ran = [word for word in cited if word in facts.ran]
    if not ran:
        command = f"kata experiment {facts.kata.name}"
        yield Finding(row.line, "alerts", f"{name} was noise, by which experiment? Run `{command}` and name it here")
    elif not any(proves_noise(name, word, facts) for word in ran) and _is_provable(name, facts):
        message = (
            f"{ran[0]} does not prove that {name} was noise; in a proof, the alert goes away and the harm stays, or "
            f"the harm goes away and the alert stays"
        )
        yield Finding(row.line, "alerts", message)


def _is_provable(name: str, facts: Facts) -> bool:
    """Return whether some experiment may prove that an alert was noise: not if all ran, and none does."""
    every = facts.ablations.keys() <= facts.experiments.keys()
    return not every or any(proves_noise(name, each, facts) for each in facts.ablations)


def proves_noise(alert: str, experiment: str, facts: Facts) -> bool:
    """Return whether an experiment separates an alert from the harm; true if its record is no longer there."""
    played = facts.experiments.get(experiment)
    if played is None:
        return experiment in facts.ran
    still_fires = alert in {each.name for each in played.alerts}
    healthy = min(facts.incident.summary.after.share, played.summary.after.share) >= ALL
    harm_gone = outcome(facts.incident, played) == "gone"
    return healthy or still_fires == harm_gone


def labelled_right(document: Document, facts: Facts, labels: dict[str, str]) -> float:
    """Return the share of alerts with the right label, and with a proof where it is noise."""
    rows, fired = rows_of(document), [alert.name for alert in facts.incident.alerts]
    right = 0
    for name in fired:
        row = rows.get(name)
        if row and label_of(row) == labels.get(name) and not list(_proof_findings(name, row, facts)):
            right += 1
    return right / len(fired) if fired else 0.0
