"""The versions of a module that a guardrail is tried on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.guardrail.canary import canary_of
from drill_katas.guardrail.result import RIGHT, Kind
from drill_katas.verify.declared import arms_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.catalog.answer import Answer
    from drill_katas.catalog.katas import Kata
    from drill_katas.verify.declared import DeclaredArm

CANARY: Final = "canary"


@dataclass(frozen=True)
class Version:
    """One version: its editable files, and the `lesson` for a guardrail that judges it wrongly."""

    kind: Kind
    name: str
    files: dict[str, bytes]
    lesson: str = ""

    @property
    def key(self) -> str:
        """Kind and name, unique in a kata."""
        return f"{self.kind} {self.name}"


def versions_of(kata: Kata, *, held_back: bool = False) -> Iterator[Version]:
    """Yield the versions of a kata, the right ones first; with `held_back`, also those that learners never meet.

    Raises `UserError`.
    """
    answer = read_answer(kata.solutions)
    arms = [arm for arm in arms_of(kata, answer) if held_back or not _is_held_back(arm, answer)]
    for arm in sorted(arms, key=lambda arm: arm.kind not in RIGHT):
        yield Version(arm.kind, arm.name, arm_from(kata, str(arm.source)).contents, _lesson(arm, answer))
    yield Version(CANARY, CANARY, canary_of(arm_from(kata, str(kata.solutions))))


def _is_held_back(arm: DeclaredArm, answer: Answer) -> bool:
    return arm.kind == "near miss" and arm.name in answer.near_misses and answer.near_misses[arm.name].held_back


def _lesson(arm: DeclaredArm, answer: Answer) -> str:
    if arm.kind == "near miss" and arm.name in answer.near_misses:
        return " ".join(answer.near_misses[arm.name].help.split())
    return answer.accepted[arm.name].design if arm.kind == "accepted" and arm.name in answer.accepted else ""
