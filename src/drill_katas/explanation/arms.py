"""The arms that a learner sees after solving a variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.katas import ORIGINAL
from drill_katas.catalog.patches import read_patch
from drill_katas.errors import UserError, nearest
from drill_katas.verify.declared import arms_of

if TYPE_CHECKING:
    from drill_katas.catalog.answer import Answer
    from drill_katas.catalog.arms import Arm
    from drill_katas.catalog.katas import Kata
    from drill_katas.verify.declared import DeclaredArm


def visible_arms(kata: Kata, answer: Answer, variant: str) -> dict[str, DeclaredArm]:
    """Return the arms that a learner of this variant sees, by name: reference, accepted designs, and near misses.

    | near miss | visible |
    | --- | --- |
    | `held_back`, or not declared | no, because `kata grade` may try guardrails on it |
    | made from the broken files of another variant | no, because it would reveal that variant's cause |
    | any other | yes |
    """
    arms = arms_of(kata.original, answer)
    near_misses = {arm.name: arm for arm in arms if arm.kind == "near miss" and _is_visible(arm, answer, variant)}
    return near_misses | {arm.name: arm for arm in arms if arm.kind in {"reference", "accepted"}}


def visible_arm(kata: Kata, variant: str, name: str) -> Arm:
    """Return the files of an arm that a learner of this variant sees. Raises `UserError`."""
    arms = visible_arms(kata, read_answer(kata.solutions), variant)
    if name not in arms:
        raise UserError(f"`kata solution {kata.name}` lists no fix {name!r} for this variant{nearest(name, arms)}")
    return arm_from(kata.original, str(arms[name].source))


def _is_visible(arm: DeclaredArm, answer: Answer, variant: str) -> bool:
    miss = answer.near_misses.get(arm.name)
    return miss is not None and not miss.held_back and _variant_of(arm) in {"", variant}


def _variant_of(arm: DeclaredArm) -> str:
    """Return the variant that a near miss changes; "" if it changes a right fix."""
    if not arm.source.is_file():
        return ""
    base = read_patch(arm.source).base
    return base if base == ORIGINAL else base.partition("variants/")[2]
