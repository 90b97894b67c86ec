"""The explanation of the current variant, from `answer.toml`, the incident's experiments, and the journal."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill_katas.catalog.answer import read_answer
from drill_katas.errors import UserError
from drill_katas.evidence.replay import ablations_of
from drill_katas.explanation.arms import visible_arms
from drill_katas.practice.journal import Guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.catalog.answer import AcceptedDesign, Answer, Effect, ExpectedDiagnosis
    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.journal import Event
    from drill_katas.practice.workspace import Workspace
    from drill_katas.verify.declared import DeclaredArm


@dataclass(frozen=True)
class Experiment:
    """An experiment that distinguishes the cause: its name, what it changes, and its effect on the harm."""

    name: str
    about: str
    effect: Effect


@dataclass(frozen=True)
class WrongFix:
    """A tempting wrong fix and its lesson; `leaves_fault`: it fails a check that the broken files fail."""

    name: str
    lesson: str
    leaves_fault: bool


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The explanation of one variant of a kata.

    | field | content |
    | --- | --- |
    | `is_solved` | false for a learner who gave up |
    | `is_healthy` | nothing was broken |
    | `expected` | the right diagnosis; None without one |
    | `designs` | the accepted designs by name; None for one without a description |
    | `guardrail` | the score of the learner's last guardrail; None without one |
    | `unsolved` | the other variants that are not solved |
    """

    kata: Kata
    variant: str
    is_solved: bool
    is_healthy: bool
    expected: ExpectedDiagnosis | None
    experiments: tuple[Experiment, ...]
    wrong_fixes: tuple[WrongFix, ...]
    designs: dict[str, AcceptedDesign | None]
    guardrail: int | None
    unsolved: tuple[str, ...]


def explain(workspace: Workspace, kata: Kata) -> Explanation:
    """Return the explanation of a kata's current variant. Raises `UserError`."""
    answer, events = read_answer(kata.solutions), workspace.journal.read().events
    standing = workspace.standing_of(kata)
    variant = standing.variant
    arms = visible_arms(kata, answer, variant)
    expected = answer.diagnosis.get(variant)
    return Explanation(
        kata=kata,
        variant=variant,
        is_solved=standing.current.solved_once,
        is_healthy=variant in answer.healthy,
        expected=expected,
        experiments=tuple(_experiments(kata, expected)) if expected else (),
        wrong_fixes=tuple(_wrong_fixes(arms, answer, variant)),
        designs={name: answer.accepted.get(name) for name, arm in arms.items() if arm.kind == "accepted"},
        guardrail=_last_guardrail(events, kata),
        unsolved=tuple(each for each in kata.variants if each != variant and not standing.of(each).solved_once),
    )


def _experiments(kata: Kata, expected: ExpectedDiagnosis) -> Iterator[Experiment]:
    """Yield the experiments that support the right diagnosis."""
    about: dict[str, str] = {}
    with contextlib.suppress(UserError):  # without an incident, the names say enough
        about = ablations_of(kata.original)
    for name, effect in expected.supports.items():
        yield Experiment(name, about.get(name, ""), effect)


def _wrong_fixes(arms: dict[str, DeclaredArm], answer: Answer, variant: str) -> Iterator[WrongFix]:
    """Yield the near misses in the order of `answer.toml`."""
    fault = answer.broken.get(variant, {}).keys()
    for name, miss in answer.near_misses.items():
        if name in arms and arms[name].kind == "near miss":
            yield WrongFix(name, " ".join(miss.help.split()), bool(fault & set(miss.fails)))


def _last_guardrail(events: Iterable[Event], kata: Kata) -> int | None:
    """Return the score of the last guardrail; it is tried on all versions of the module, whatever the variant."""
    scores = [event.score for event in events if isinstance(event, Guarded) and event.kata == kata.name]
    return scores[-1] if scores else None
