"""A case: one kata's incident in a workspace, to replay, query, and experiment with."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drill_katas.catalog.arms import WORKSPACE, arm_from, workspace_arm
from drill_katas.errors import UserError
from drill_katas.evidence import store
from drill_katas.evidence.query import one_of
from drill_katas.evidence.replay import Replay, ablations_of, code_of, digest, replay, story_of
from drill_katas.investigation.scoring import outcome
from drill_katas.practice.journal import Queried, Replayed
from drill_katas.practice.workspace import broken_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from drill_katas.catalog.answer import Effect
    from drill_katas.catalog.arms import Arm
    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.records import IncidentRecord, Summary
    from drill_katas.practice.workspace import Workspace


@dataclass
class Case:
    """A kata's incident in a workspace.

    `progress(label)` yields a function that shows the completed share of a replay. `notices` collects messages for the
    learner.
    """

    workspace: Workspace
    kata: Kata
    progress: Callable[[str], AbstractContextManager[Callable[[float], None]]]
    notices: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder of the recorded incident; it may not exist."""
        return store.folder_of(self.workspace, self.kata.name)

    def incident(self) -> IncidentRecord:
        """Return the recorded incident. Raises `UserError` if there is none."""
        return store.read(self.folder, self.kata.name)

    def query(self, about: str, experiment: str | None = None, **options: Any) -> IncidentRecord:
        """Return the recorded incident or an experiment's replay, and record the query in the journal.

        Raises `UserError` if there is no such record.
        """
        found = self.incident()
        self.note_changes(found.summary)
        if experiment:
            one_of(experiment, ablations_of(self.kata), "experiment")
            played = store.experiment_with(self.workspace, found, experiment)
            if played is None:
                name = self.kata.name
                raise UserError(
                    f"{experiment} did not run yet with this incident of {name}; run "
                    f"`kata experiment {name} {experiment}`"
                )
            found = played
        self.record_query(about, experiment, **options)
        return found

    def note_changes(self, recorded: Summary) -> None:
        """Add a notice if the learner's variant or code is not the recorded one any more."""
        variant = self.workspace.progress_of(self.kata).variant
        again = f"`kata incident {self.kata.name}` replays it"
        if recorded.variant != variant:
            self.notices.append(f"this is the recorded variant {recorded.variant}, and yours is {variant} now: {again}")
        elif recorded.source == WORKSPACE and recorded.code != code_of(workspace_arm(self.kata)):
            self.notices.append(f"your code has changed since this incident was recorded: {again}")

    def record_query(self, about: str, experiment: str | None = None, **options: Any) -> None:
        """Record a query in the journal."""
        texts = {option: str(value) for option, value in options.items() if value is not None}
        self.workspace.journal.append(Queried(kata=self.kata.name, about=about, options=texts, ablation=experiment))

    def replay(self, source: str | None, seed: int) -> IncidentRecord:
        """Replay the incident with the learner's files, or those of `source`; it replaces the recorded incident."""
        played = self._replay(self._arm(source), seed, None)
        self._keep_broken(played)
        self._record(played)
        return played

    def experiment(self, ablation: str) -> tuple[IncidentRecord, IncidentRecord]:
        """Replay the recorded incident with an ablation; return the incident and the replay.

        Raises `UserError` if the code differs from that of the recorded incident.
        """
        baseline = self.incident()
        source = None if baseline.summary.source == WORKSPACE else baseline.summary.source
        arm = self._arm(source)
        if baseline.summary.code != code_of(arm):
            name = self.kata.name
            raise UserError(
                f"the code of {name} has changed since its incident was recorded, so an experiment would compare two "
                f"programs; `kata incident {name}` records the incident again"
            )
        played = self._replay(arm, baseline.summary.seed, ablation)
        self._record(played)
        return baseline, played

    def outcomes(self) -> dict[str, Effect]:
        """Return the outcome of each experiment that ran with the recorded incident."""
        incident = self.incident()
        replays = {
            ablation: store.experiment_with(self.workspace, incident, ablation) for ablation in ablations_of(self.kata)
        }
        return {ablation: outcome(incident, played) for ablation, played in replays.items() if played is not None}

    def _arm(self, source: str | None) -> Arm:
        return workspace_arm(self.kata) if source is None else arm_from(self.kata, source, "--from")

    def _replay(self, arm: Arm, seed: int, ablation: str | None) -> IncidentRecord:
        name = self.kata.name
        what = Replay(self.kata, arm, self.workspace.progress_of(self.kata).variant, seed, ablation)
        with self.progress(name if ablation is None else f"{name}, {ablation}") as report_progress:
            return replay(what, report_progress)

    def _record(self, played: IncidentRecord) -> None:
        """Store a replay, and record it in the journal."""
        summary = played.summary
        with story_of(self.kata) as story:
            folder = store.folder_of(self.workspace, self.kata.name, summary.ablation)
            store.write(folder, played, story.INCIDENT.rules)
        event = Replayed(
            kata=self.kata.name,
            variant=summary.variant,
            seed=summary.seed,
            ablation=summary.ablation,
            good=round(summary.after.share, 4),
        )
        notice = self.workspace.journal.append(event)
        self.notices += [notice] if notice else []

    def _keep_broken(self, played: IncidentRecord) -> None:
        """Copy the record of the broken files, for comparisons, before a replay of other code replaces it."""
        recorded = store.summary_of(self.folder)
        if recorded is None or recorded.code == played.summary.code:
            return
        with contextlib.suppress(UserError):  # without a copy, a page replays the broken files later
            if recorded.code == digest(broken_files(self.kata, recorded.variant)):
                store.copy(self.folder, store.folder_beside(self.workspace, self.kata.name, recorded.basis))
