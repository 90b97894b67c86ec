"""The verdict on a diagnosis: run its experiment, compute the score, and record it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.catalog.answer import read_answer
from drill_katas.errors import UserError
from drill_katas.investigation import scoring
from drill_katas.practice.journal import Diagnosed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.catalog.answer import Effect, ExpectedDiagnosis
    from drill_katas.evidence.records import IncidentRecord
    from drill_katas.investigation.case import Case
    from drill_katas.investigation.scoring import Hypothesis, Score


def expected_of(case: Case, incident: IncidentRecord) -> Mapping[str, ExpectedDiagnosis]:
    """Return the right diagnosis by variant. Raises `UserError` if this incident's variant has none."""
    expected = read_answer(case.kata.solutions).diagnosis
    if incident.summary.variant not in expected:
        raise UserError(
            f"the answer of {case.kata.name} has no diagnosis for the variant {incident.summary.variant}, so a "
            f"diagnosis of it cannot be scored"
        )
    return expected


def diagnosed(
    case: Case,
    incident: IncidentRecord,
    hypothesis: Hypothesis,
    expected: Mapping[str, ExpectedDiagnosis],
    outcomes: Mapping[str, Effect],
) -> Score:
    """Return the score of a hypothesis and record it in the journal; its experiment runs first if necessary."""
    known = dict(outcomes)
    if hypothesis.experiment and hypothesis.experiment[0] not in known:
        known[hypothesis.experiment[0]] = scoring.outcome(*case.experiment(hypothesis.experiment[0]))
    score = scoring.score(hypothesis, expected, incident, known)
    event = Diagnosed(
        kata=case.kata.name,
        variant=incident.summary.variant,
        component=hypothesis.component,
        mechanisms=hypothesis.mechanisms,
        state=score.state,
        score=score.points,
        right=score.right,
        wrong=score.wrong,
    )
    notice = case.workspace.journal.append(event)
    case.notices += [notice] if notice else []
    return score
