"""Judges submissions, several at once, and grades them."""

from __future__ import annotations

import hashlib
import hmac
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drill_katas.errors import UserError
from drill_katas.grading.records import FULL, Grade, Grades, graded
from drill_katas.grading.submission import read
from drill_katas.runs import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drill_katas.catalog import Kata
    from drill_katas.grading.submission import Submission

TIER: Final = "practice"
"""A process of its own with limits, and for root a uid of its own: it holds accidents, and no code made to escape."""
SEEDS: Final = 1 << 31


def grade_all(
    inputs: Sequence[tuple[str, Path]],
    katas: Sequence[Kata],
    secret: bytes,
    jobs: int,
    tell: Callable[[int, int], None],
) -> Grades:
    """Grade submissions, each with its id, `jobs` at once; `tell(done, of)` is called as it goes."""
    found: list[Grade] = []
    tell(0, len(inputs))
    with ThreadPoolExecutor(jobs) as pool:
        for grade in pool.map(lambda each: grade_one(read(each[0], each[1], katas), secret), inputs):
            found.append(grade)
            tell(len(found), len(inputs))
    return Grades(tier=TIER, submissions=tuple(found))


def grade_one(submission: Submission, secret: bytes) -> Grade:
    """Grade one submission. Whatever is wrong with it, there is a grade."""
    kata = submission.kata
    if kata is None:
        return Grade(id=submission.id, notes=submission.notes)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kata-grade-") as folder:
        for name, content in submission.files.items():
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        try:
            checks = judge(kata, Path(folder), seed_of(submission, secret))
        except UserError as error:
            return Grade(id=submission.id, kata=kata.name, notes=(*submission.notes, f"not judged: {error}"))
    grades = graded(checks, kata.manifest.worth)
    solved = all(check.passed for check in checks)
    return Grade(
        id=submission.id,
        kata=kata.name,
        solved=solved,
        score=FULL if solved else round(sum(check.points for check in grades), 2),
        seconds=round(time.monotonic() - began, 2),
        checks=grades,
        notes=submission.notes,
        places=dict(submission.places),
    )


def seed_of(submission: Submission, secret: bytes) -> int:
    """Return the seed of a submission: the same whenever it is graded, and unknown to whoever lacks the secret."""
    assert submission.kata is not None, "what is not for a kata is not judged"
    digest = hmac.new(secret, submission.kata.name.encode(), hashlib.sha256)
    for name, content in sorted(submission.files.items()):
        digest.update(b"%d %s %d " % (len(name), name.encode(), len(content)) + content)
    return int.from_bytes(digest.digest()[:8]) % SEEDS
