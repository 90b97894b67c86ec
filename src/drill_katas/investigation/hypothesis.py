"""Parsing of a hypothesis from text: options of a command, or replies at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast, get_args

from drill_katas.catalog import answer
from drill_katas.catalog.mechanisms import GROUPS, NOTHING
from drill_katas.errors import UserError
from drill_katas.evidence.query import moment, one_of, services, trace_id
from drill_katas.evidence.replay import ablations_of
from drill_katas.investigation.scoring import Hypothesis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drill_katas.catalog.answer import AlertLabel, Effect
    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.records import IncidentRecord

T = TypeVar("T")
DiagnoseOptions: TypeAlias = dict[str, Any]
"""The options of `kata diagnose`, as click returns them."""
NONE: Final = "none"


class Reader:
    """Parses each part of a hypothesis about one incident. All methods raise `UserError`."""

    def __init__(self, kata: Kata, incident: IncidentRecord) -> None:
        self._incident = incident
        self.places = [NOTHING, *services(incident)]
        self.listed = [name for group in GROUPS.values() for name in group]  # in the order of the question's numbers
        self.ablations = ablations_of(kata)
        self.outcomes: list[Effect] = list(get_args(answer.Effect))
        self.fired = list(dict.fromkeys(alert.name for alert in sorted(incident.alerts, key=lambda each: each.fired)))

    def component(self, text: str) -> str:
        """Parse a component: number or name."""
        return _chosen(text, self.places, "component")

    def mechanisms(self, text: str) -> tuple[str, ...]:
        """Parse mechanisms: numbers or names."""
        return _each(text, lambda word: _chosen(word, self.listed, "mechanism"))

    def onset(self, text: str) -> float | None:
        """Parse a time of day, or "never"; return seconds since 1970, None for never."""
        return None if text == "never" else moment(self._incident, text)

    def evidence(self, text: str) -> tuple[str, ...]:
        """Parse the ids of log lines and traces, or "none"."""
        return () if text == NONE else _each(text, self._known_id)

    def alert(self, text: str) -> tuple[str, AlertLabel]:
        """Parse NAME=caused or NAME=noise."""
        name, label = _pair("alert", text)
        return one_of(name, sorted(self.fired), "alert"), self.label(label)

    def label(self, text: str) -> AlertLabel:
        """Parse the label of an alert: number or name."""
        return cast("AlertLabel", _chosen(text, get_args(answer.AlertLabel), "label"))

    def experiment(self, text: str) -> tuple[str, Effect] | None:
        """Parse NAME=OUTCOME, or "none"."""
        if text == NONE:
            return None
        name, predicted = _pair("experiment", text)
        return self.ablation(name), self.outcome(predicted)

    def ablation(self, text: str) -> str:
        """Parse an experiment: number, name, or "none"."""
        return text if text == NONE else _chosen(text, list(self.ablations), "experiment")

    def outcome(self, text: str) -> Effect:
        """Parse an outcome: number or name."""
        return cast("Effect", _chosen(text, self.outcomes, "outcome"))

    def _known_id(self, text: str) -> str:
        if text.startswith("log-"):
            if text not in {line.id for line in self._incident.logs}:
                raise UserError(f"there is no log line {text} in this incident; `kata logs` shows their ids")
            return text
        return trace_id(self._incident, text)


def read_hypothesis(reader: Reader, options: DiagnoseOptions) -> Hypothesis:
    """Parse a hypothesis from options. Raises `UserError` for an invalid or missing option."""
    for option in ("component", "mechanism", "onset"):
        if not options[option]:
            raise UserError(f"--{option} is missing, and the command can ask for it only at a terminal")
    labels = dict(reader.alert(each) for each in options["alert"])
    missing = [f"--alert {name}=caused|noise" for name in reader.fired if name not in labels]
    if missing:
        raise UserError(f"{' '.join(missing)} is missing, and the command can ask for it only at a terminal")
    return Hypothesis(
        component=reader.component(options["component"]),
        mechanisms=reader.mechanisms(",".join(options["mechanism"])),
        onset=reader.onset(options["onset"]),
        evidence=reader.evidence(",".join(options["evidence"])),
        alerts=labels,
        experiment=reader.experiment(options["experiment"] or NONE),
    )


def _chosen(text: str, choices: Sequence[str], what: str) -> str:
    """Return a choice by its number, from 1, or its name. Raises `UserError`; `what` names the kind of choice."""
    if text.isdecimal() and 0 < int(text) <= len(choices):
        return choices[int(text) - 1]
    return one_of(text, choices, what)


def _each(text: str, read: Callable[[str], T]) -> tuple[T, ...]:
    """Parse each word of a list separated by commas or spaces, without repeats."""
    return tuple(dict.fromkeys(read(word) for word in text.replace(",", " ").split()))


def _pair(option: str, text: str) -> tuple[str, str]:
    name, is_, value = text.partition("=")
    if not is_:
        raise UserError(f"--{option} {text!r} should be NAME=VALUE")
    return name, value
