"""The facts that a post-mortem may cite: the incident's record, its experiments, and the journal of the round."""

from __future__ import annotations

import ast
import contextlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.errors import UserError
from drill_katas.evidence import history, store
from drill_katas.evidence.records import Basis
from drill_katas.evidence.replay import digest, story_of
from drill_katas.guardrail.source import tests_in
from drill_katas.practice.journal import Ran, Replayed, Reset, Reviewed, Started
from drill_katas.practice.workspace import broken_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.records import IncidentRecord
    from drill_katas.practice.journal import Event
    from drill_katas.practice.progress import KataProgress
    from drill_katas.practice.workspace import Workspace

SHORT: Final = 6  # last digits of an event's id
TRACE: Final = 8  # least characters of a trace's id
CITED: Final = re.compile(r"\b(?:log-\d+|deploy-\d+|j-[0-9a-f]{6})\b")


@dataclass(frozen=True)
class Facts:
    """The facts of one incident and of the learner's work on it.

    | field | content |
    | --- | --- |
    | `incident` | the record of the broken files |
    | `experiments` | the records of experiments with the same files, by name |
    | `ablations` | all experiments of the kata, with their meaning |
    | `events` | the events of this round |
    | `fix` | for each editable file: the broken content, and the learner's |
    | `rules` | names of all alert rules |
    | `guardrail` | the file of the guardrail; it may not exist |
    """

    kata: Kata
    standing: KataProgress
    incident: IncidentRecord
    experiments: dict[str, IncidentRecord]
    ablations: dict[str, str]
    events: tuple[Event, ...]
    fix: dict[str, tuple[bytes, bytes]]
    rules: frozenset[str]
    guardrail: Path
    notices: tuple[str, ...] = field(default=())

    @property
    def variant(self) -> str:
        """The variant of the incident."""
        return self.incident.summary.variant

    @cached_property
    def ran(self) -> frozenset[str]:
        """The experiments that ran in this round, or whose record is there."""
        seen = {event.ablation for event in self.events if isinstance(event, Replayed) and event.ablation}
        return frozenset(seen | self.experiments.keys())

    @cached_property
    def moments(self) -> dict[str, float]:
        """The time of each log line and of each alert that fired, by id, in seconds since 1970."""
        logs = {line.id: line.at for line in self.incident.logs}
        with contextlib.suppress(UserError):
            logs |= {line.id: line.at for line in history.deploys(self.kata)}
        return logs | {alert.name: alert.fired for alert in self.incident.alerts}

    @cached_property
    def readings(self) -> dict[str, float]:
        """The reading of the round's clock at each event, by short id, in seconds."""
        return {short_id(event): self.standing.clock(event.at).total_seconds() for event in self.events}

    @cached_property
    def known(self) -> frozenset[str]:
        """Everything that can be cited by name, except traces."""
        metrics = {family.name for family in self.incident.metrics}
        with contextlib.suppress(UserError):
            metrics |= {family.name for family in history.metrics(self.kata)}
        return frozenset({*self.moments, *self.readings, *self.rules, *self.ran, *metrics, *self.tests})

    @cached_property
    def tests(self) -> frozenset[str]:
        """The checks of the kata, and the tests of the learner's guardrail."""
        return frozenset({*_tests_in(self.kata.tests.read_bytes()), *self.guardrail_tests})

    @cached_property
    def guardrail_tests(self) -> frozenset[str]:
        """The tests of the learner's guardrail; empty without one."""
        try:
            return frozenset(_tests_in(self.guardrail.read_bytes()))
        except OSError:
            return frozenset()

    def is_trace(self, text: str) -> bool:
        """Return whether this is a trace's id, or the beginning of one."""
        return any(trace.startswith(text) for trace in self._traces.get(text[:TRACE], ()))

    @cached_property
    def _traces(self) -> dict[str, set[str]]:
        """The ids of all traces, by their first characters."""
        found: dict[str, set[str]] = {}
        for span in self.incident.spans:
            found.setdefault(span.trace_id[:TRACE], set()).add(span.trace_id)
        return found

    def exists(self, text: str) -> bool:
        """Return whether something with this id or name is known."""
        return text in self.known or self.is_trace(text)


def short_id(event: Event) -> str:
    """Return the id of an event as a post-mortem cites it, such as "j-3fa9c1"."""
    return f"j-{event.id[-SHORT:]}"


def facts_of(workspace: Workspace, kata: Kata) -> Facts:
    """Return the facts of a kata's incident in a workspace. Raises `UserError` if no incident is recorded."""
    with story_of(kata) as story:
        ablations, rules = dict(story.INCIDENT.ablations), frozenset(rule.name for rule in story.INCIDENT.rules)
    history_ = workspace.journal.read()
    standing = workspace.progress_of(kata)
    broken = broken_files(kata, standing.variant)
    incident = _incident(workspace, kata, standing.variant, digest(broken))
    played = {name: store.experiment_with(workspace, incident, name) for name in ablations}
    return Facts(
        kata=kata,
        standing=standing,
        incident=incident,
        experiments={name: record for name, record in played.items() if record is not None},
        ablations=ablations,
        events=tuple(_of_round(history_.events, kata, standing)),
        fix={name: (content, _read(kata, name)) for name, content in broken.items()},
        rules=rules,
        guardrail=kata.guardrail,
        notices=history_.notices,
    )


def _incident(workspace: Workspace, kata: Kata, variant: str, code: str) -> IncidentRecord:
    """Return the record of the broken files of a variant: the recorded incident, or a copy kept beside it."""
    folder = store.folder_of(workspace, kata.name)
    kept = store.folder_beside(workspace, kata.name, Basis(code, variant, 0))
    for place in (folder, *sorted(kept.parent.glob(f"{kept.name.rpartition('-')[0]}-*"))):
        summary = store.summary_of(place)
        if summary and summary.code == code and summary.variant == variant:
            return store.read(place, kata.name)
    if digest({name: _read(kata, name) for name in kata.manifest.editable}) == code:
        raise UserError(f"no incident of {kata.name} is recorded yet; run `kata incident {kata.name}` first")
    broken = kata.original.variant_folder(variant)
    raise UserError(
        f"no incident with the broken files of {kata.name} is recorded, and a post-mortem is about them; your files "
        f"have changed since, so run `kata incident {kata.name} --from {broken}` first"
    )


def _of_round(events: tuple[Event, ...], kata: Kata, standing: KataProgress) -> Iterator[Event]:
    """Yield the events of the current variant's round; an event without a variant belongs to the one in place."""
    variant = ORIGINAL
    for event in events:
        if event.kata != kata.name or standing.began is None or isinstance(event, Reviewed):
            continue
        if isinstance(event, Started | Reset | Ran):
            variant = event.variant
        if getattr(event, "variant", variant) != standing.variant:
            continue
        if event.at >= standing.began and (standing.solved_at is None or event.at <= standing.solved_at):
            yield event


def _read(kata: Kata, name: str) -> bytes:
    try:
        return (kata.folder / name).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {kata.folder / name} ({error.strerror})") from error


def _tests_in(source: bytes) -> Iterator[str]:
    """Yield the names of the tests in a file; none if it is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (test.name for test in tests_in(tree))
