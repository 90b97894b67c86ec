"""Causes of variants: which are the same, and which the learner has met. No function here returns text to show."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from drill_katas.catalog.answer import read_answer
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.progress import KataStanding

Cause = tuple[str, ...]
"""The mechanisms of a variant's right diagnosis; without a diagnosis, the names of the kata and the variant."""


def causes_of(kata: Kata) -> dict[str, Cause]:
    """Return the cause of each variant. A variant without a readable diagnosis has a cause of its own."""
    try:
        expected = read_answer(kata.solutions).diagnosis
    except UserError:  # practice goes on without an answer file
        expected = {}
    return {
        variant: tuple(sorted(expected[variant].mechanisms)) if variant in expected else (kata.name, variant)
        for variant in kata.variants
    }


def met(katas: Iterable[Kata], standings: Mapping[str, KataStanding]) -> set[Cause]:
    """Return the causes that the learner has met: by a solved variant, a right diagnosis, or a shown solution."""
    found = set()
    for kata in katas:
        if standing := standings.get(kata.name):
            causes = causes_of(kata)
            found |= {causes[variant] for variant, done in standing.touched.items() if done.met and variant in causes}
    return found


def rotated(kata: Kata, participant: str, day: date) -> str:
    """Return the variant of a participant on a day.

    Participants whose names differ only in a number at the end, one apart, get different causes, if the kata has at
    least two. Other names get a cause at random. The same name and day always give the same variant.
    """
    stem, number = re.fullmatch(r"(.*?)([0-9]{0,9})", participant.strip().casefold(), re.DOTALL).groups()  # type: ignore[union-attr] # matches every string
    digest = hashlib.sha256(f"{kata.name}\n{day.isoformat()}\n{stem}".encode()).digest()
    groups: dict[Cause, list[str]] = {}
    for variant, cause in causes_of(kata).items():
        groups.setdefault(cause, []).append(variant)
    same_cause = list(groups.values())[(int(number or 0) + int.from_bytes(digest[:8])) % len(groups)]
    return same_cause[(int(number or 0) + int.from_bytes(digest[8:16])) % len(same_cause)]
