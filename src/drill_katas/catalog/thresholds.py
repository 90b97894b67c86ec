"""`katas/NAME/thresholds.toml`: the limits of measured figures, and the figures that they were derived from.

A figure grows when something is wrong, such as a latency as a ratio to a control. Its limit is derived: it is between
the worst right arm and the best wrong arm, with room on both sides.
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

ROOM_FOR_RIGHT: Final = 2.0  # worst right arm × this ≤ limit, in a derivation
ROOM_FOR_WRONG: Final = 1.5  # limit × this ≤ best wrong arm, in a derivation
LEAST_FOR_RIGHT: Final = 1.4  # worst right arm × this ≤ limit, in a certification; smaller, because machines differ
LEAST_FOR_WRONG: Final = 1.2  # limit × this ≤ best wrong arm, in a certification
HEAD: Final = """\
# Limits of measured figures, written by `kata verify {kata} --derive`. Each limit is between the highest figure
# of a right arm and the lowest figure of a wrong arm, with room for the factors {right:g} and {wrong:g}.
format = 1
"""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A limit, and the figures on both sides of it."""

    limit: float
    highest_right: float
    lowest_wrong: float


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All limits of a kata, by the name of the figure."""

    format: Literal[1]
    figures: dict[str, Threshold] = {}


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one figure, measured by the arms that must pass the check and by those that must fail it."""

    name: str
    right: tuple[float, ...]
    wrong: tuple[float, ...]


def thresholds_file(kata: Kata) -> Path:
    """Return the path of a kata's thresholds."""
    return kata.folder / "thresholds.toml"


def limits_of(kata: Kata) -> Mapping[str, float]:
    """Return the limit of each figure; empty without the file. Raises `UserError` for an invalid file."""
    file = thresholds_file(kata)
    if not file.exists():
        return {}
    return {name: each.limit for name, each in read_toml(file, Thresholds).figures.items()}


def derive(kata: Kata, measured: Sequence[Measured]) -> None:
    """Write the thresholds from measured figures. A figure that lacks right or wrong arms gets no limit."""
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
    """Return a message for each limit that is missing or leaves too little room."""
    for each in measured:
        limit = limits.get(each.name)
        if limit is None:
            yield f"{each.name} has no limit in thresholds.toml; `kata verify --derive` writes it"
        elif not each.right or not each.wrong:
            yield f"{each.name}: no {'wrong' if each.right else 'right'} arm measures it"
        elif max(each.right) * LEAST_FOR_RIGHT > limit:
            yield f"{each.name}: a right arm measures {max(each.right):.3g}, too close to the limit of {limit:g}"
        elif limit * LEAST_FOR_WRONG > min(each.wrong):
            yield f"{each.name}: a wrong arm measures {min(each.wrong):.3g}, too close to the limit of {limit:g}"


def _between(low: float, high: float) -> float:
    """Return the geometric mean of two numbers, with two significant digits."""
    return float(f"{math.sqrt(low * high):.2g}")
