"""The arms of a kata with their declarations in `answer.toml`, and faults of the declarations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from drill_katas.catalog.arms import near_misses_of
from drill_katas.catalog.katas import ORIGINAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drill_katas.catalog.answer import Answer
    from drill_katas.catalog.katas import Kata

Kind = Literal["broken", "healthy", "reference", "accepted", "near miss"]
RIGHT: Final[tuple[Kind, ...]] = ("healthy", "reference", "accepted")
NEEDED: Final[tuple[tuple[tuple[Kind, ...], int, str], ...]] = (
    (("broken", "healthy"), 3, "broken versions"),
    (("broken",), 2, "versions with a real fault"),
    (("accepted",), 2, "accepted designs"),
    (("near miss",), 4, "near misses"),
)


@dataclass(frozen=True)
class DeclaredArm:
    """An arm and its declaration.

    | field | meaning |
    | --- | --- |
    | `source` | folder or patch |
    | `fails` | checks that it must fail, with a regular expression for the message of each |
    | `may_fail` | checks that it fails in some runs only |
    | `tempting` | it passes the stage `symptom` |
    """

    kind: Kind
    name: str
    source: Path
    fails: dict[str, str]
    may_fail: tuple[str, ...] = ()
    tempting: bool = False

    @property
    def label(self) -> str:
        """Kind and name, unique in a kata."""
        return f"{self.kind} {self.name}"


def arms_of(kata: Kata, answer: Answer) -> list[DeclaredArm]:
    """Return all arms of a kata with their declarations."""
    arms = [
        DeclaredArm(
            "healthy" if variant in answer.healthy else "broken",
            variant,
            kata.variant_folder(variant),
            answer.broken.get(variant, {}),
            answer.broken_may_fail.get(variant, ()),
        )
        for variant in (ORIGINAL, *kata.manifest.variants)
    ]
    arms.append(DeclaredArm("reference", "reference", kata.solutions, {}))
    arms += [DeclaredArm("accepted", folder.name, folder, {}) for folder in _folders(kata.solutions / "accepted")]
    for name, source in near_misses_of(kata).items():
        miss = answer.near_misses.get(name)
        if miss is None:
            arms.append(DeclaredArm("near miss", name, source, {}))
        else:
            fails = dict.fromkeys(miss.fails, "") | {miss.fails[0]: miss.message}
            arms.append(DeclaredArm("near miss", name, source, fails, miss.may_fail, tempting=miss.tempting))
    return arms


def missing(answer: Answer, arms: Sequence[DeclaredArm]) -> Iterator[str]:
    """Return a message for each missing arm, missing declaration, and declaration without an arm."""
    for kinds, least, what in NEEDED:
        have = sum(arm.kind in kinds for arm in arms)
        if have < least:
            yield f"{least} {what} are needed; the kata has {have}"
    for arm in arms:
        if arm.kind in {"broken", "near miss"} and not arm.fails:
            yield f"{arm.label}: answer.toml does not declare which checks it fails"
        if arm.kind == "accepted" and arm.name not in answer.accepted:
            yield f"{arm.label}: answer.toml does not describe it; add [accepted.{arm.name}]"
        if arm.kind == "healthy" and arm.fails:
            yield f"{arm.label}: answer.toml declares failing checks, but a healthy variant passes all"
    known = {arm.name for arm in arms}
    for name in (*answer.broken, *answer.broken_may_fail, *answer.healthy, *answer.accepted, *answer.near_misses):
        if name not in known:
            yield f"answer.toml declares {name}, but there is no such arm"
    yield from _unexplained(answer)


def _unexplained(answer: Answer) -> Iterator[str]:
    """Return a message for each diagnosis without a cause, and for each alert without a reason."""
    for variant, truth in answer.diagnosis.items():
        if not truth.cause.strip():
            yield f"diagnosis of {variant}: answer.toml does not explain the cause; add `cause`, in two sentences"
        for alert in truth.alerts:
            if not truth.why.get(alert, "").strip():
                yield f"diagnosis of {variant}: no word on why {alert} fired; add it to [diagnosis.{variant}.why]"
        for alert in sorted(truth.why.keys() - truth.alerts.keys()):
            yield f"diagnosis of {variant}: [diagnosis.{variant}.why] explains {alert}, which is not in its `alerts`"


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
