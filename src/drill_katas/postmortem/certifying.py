"""Proves the reference post-mortem in a kata's solutions: it passes its own check, with a high score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import arm_from, bases_of
from drill_katas.catalog.katas import GUARDRAIL, ORIGINAL, POSTMORTEM
from drill_katas.errors import UserError
from drill_katas.evidence.replay import Replay, replay, story_of
from drill_katas.postmortem.blocks import layout_of, refreshed
from drill_katas.postmortem.checking import review
from drill_katas.postmortem.citing import citations
from drill_katas.postmortem.facts import Facts
from drill_katas.postmortem.files import NAMES, read
from drill_katas.postmortem.generated import contents
from drill_katas.practice.progress import KataProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drill_katas.catalog.katas import Kata

LEAST: Final = 90  # the score of a reference post-mortem


def postmortem_faults(kata: Kata, report_progress: Callable[[int, int], None]) -> Iterator[str]:
    """Yield a message for each finding in the reference post-mortem, and for variants without factors."""
    factors = read_answer(kata.solutions).factors
    text = read(kata.solutions / POSTMORTEM)
    if text is None and not factors:
        return
    for variant in (ORIGINAL, *kata.manifest.variants):
        if not any(variant in factor.variants for factor in factors):
            yield f"answer.toml: no [[factors]] of {variant}"
    if text is None:
        yield f"there is no {POSTMORTEM} in {kata.solutions}; a kata proves that a good post-mortem exists"
        return
    try:
        facts = _facts(kata, text, report_progress)
    except UserError as mistake:
        yield f"{POSTMORTEM}: {mistake}"
        return
    fresh, _ = refreshed(layout_of(text, NAMES), contents(facts))
    found = review(fresh, facts)
    yield from (f"{POSTMORTEM}, line {finding.line}: {finding.message}" for finding in found.findings)
    if found.score < LEAST:
        yield f"{POSTMORTEM}: the score is {found.score}; it should be at least {LEAST}"


def _facts(kata: Kata, text: str, report_progress: Callable[[int, int], None]) -> Facts:
    """Replay the incident of the broken files, and the experiments that the text names. Raises `UserError`."""
    with story_of(kata) as story:
        ablations, rules = dict(story.INCIDENT.ablations), frozenset(rule.name for rule in story.INCIDENT.rules)
    named = [None, *sorted(ablations.keys() & set(citations(text)))]
    arm = arm_from(kata, str(bases_of(kata)[ORIGINAL]))
    played = {}
    for number, ablation in enumerate(named, 1):
        report_progress(number, len(named))
        played[ablation] = replay(Replay(kata, arm, ORIGINAL, 0, ablation))
    incident = played.pop(None)
    return Facts(
        kata=kata,
        standing=KataProgress(kata.name),
        incident=incident,
        experiments={name: record for name, record in played.items() if name is not None},
        ablations=ablations,
        events=(),
        fix={},
        rules=rules,
        guardrail=kata.solutions / GUARDRAIL,
    )
