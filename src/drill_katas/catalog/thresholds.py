"""`katas/NAME/thresholds.toml`: the limits of what checks measure, and the figures that they were derived from.

A figure is something that grows when things go wrong, such as a latency as a ratio to a control. Its limit is not
guessed: it stands between the worst right arm and the best wrong one, with room on either side.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from drill_katas.catalog.katas import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Kata

ROOM_FOR_RIGHT: Final = 2.0  # worst right arm × this ≤ limit, when it is derived
ROOM_FOR_WRONG: Final = 1.5  # limit × this ≤ best wrong arm
LEAST_FOR_RIGHT: Final = 1.4  # the same in every later certification, on whatever machine
LEAST_FOR_WRONG: Final = 1.2
HEAD: Final = """\
# Limits of what the checks measure, as `kata verify {kata} --derive` wrote them: each between the highest figure
# of an arm that is right and the lowest of one that is not, with room for a factor of {right:g} and of {wrong:g}.
format = 1
"""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A limit, and the figures on either side of it."""

    limit: float
    highest_right: float
    lowest_wrong: float


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All limits of a kata, by the name of the figure."""

    format: Literal[1]
    figures: dict[str, Threshold] = {}


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What arms measured of one figure: those that must pass the check, and those that it must refuse."""

    name: str
    right: tuple[float, ...]
    wrong: tuple[float, ...]


def thresholds_file(kata: Kata) -> Path:
    """Return where the thresholds of a kata are."""
    return kata.folder / "thresholds.toml"


def limits_of(kata: Kata) -> Mapping[str, float]:
    """Return the limit of each figure; none when the kata has no such file. Raises `UserError` for a wrong one."""
    file = thresholds_file(kata)
    if not file.exists():
        return {}
    return {name: each.limit for name, each in read_toml(file, Thresholds).figures.items()}


def derive(kata: Kata, measured: Sequence[Measured]) -> None:
    """Write the thresholds anew from what the arms measured. A figure without both sides gets none."""
    text = HEAD.format(kata=kata.name, right=ROOM_FOR_RIGHT, wrong=ROOM_FOR_WRONG)
    for each in measured:
        if each.right and each.wrong:
            limit = _between(max(each.right) * ROOM_FOR_RIGHT, min(each.wrong) / ROOM_FOR_WRONG)
            text += (
                f"\n[figures.{each.name}]\nlimit = {limit:g}\n"
                f"highest_right = {max(each.right):.3g}\nlowest_wrong = {min(each.wrong):.3g}\n"
            )
    thresholds_file(kata).write_text(text, encoding="utf-8")


def faults(measured: Sequence[Measured], limits: Mapping[str, float]) -> Iterator[str]:
    """Say which limits are missing, or leave too little room."""
    for each in measured:
        limit = limits.get(each.name)
        if limit is None:
            yield f"{each.name} has no limit in thresholds.toml; `kata verify --derive` writes it"
        elif not each.right or not each.wrong:
            yield f"{each.name} is measured by no arm that {'must fail' if each.right else 'is right'}"
        elif max(each.right) * LEAST_FOR_RIGHT > limit:
            yield f"{each.name}: a right arm measures {max(each.right):.3g}, too near to the limit of {limit:g}"
        elif limit * LEAST_FOR_WRONG > min(each.wrong):
            yield f"{each.name}: a wrong arm measures {min(each.wrong):.3g}, too near to the limit of {limit:g}"


def _between(low: float, high: float) -> float:
    """Return the number of two digits in the middle, by ratio: as many times above the one as below the other."""
    return float(f"{math.sqrt(low * high):.2g}")
