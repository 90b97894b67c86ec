"""Cache keys and seeds of verdicts: digests of the files, the kata, the grader, the seed, and the tier."""

from __future__ import annotations

import functools
import hashlib
import hmac
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import drill_katas
from drill_katas.catalog.katas import GUARDRAIL
from drill_katas.grading.weights import state_of_versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.grading.submission import Submission
    from drill_katas.sandbox.tier import Tier

SEEDS: Final = 1 << 31
DECIDING: Final = ("hypothesis", "pytest", "sqlalchemy", "aiohttp")  # packages that influence verdicts


def seed_of(submission: Submission, secret: bytes) -> int:
    """Return the seed of a submission: constant, and not computable without the secret."""
    assert submission.kata is not None, "a submission without a kata has no verdict"
    digest = hmac.new(secret, submission.kata.name.encode(), hashlib.sha256)
    return int.from_bytes(_with_files(digest, submission.files).digest()[:8]) % SEEDS


def seed_of_guardrail(submission: Submission, secret: bytes) -> int:
    """Return the seed of a submission's guardrail: another one, because hostile tests see it."""
    assert submission.kata is not None, "a submission without a kata has no verdict"
    digest = hmac.new(secret, f"{GUARDRAIL} {submission.kata.name}".encode(), hashlib.sha256)
    return int.from_bytes(_with_files(digest, {GUARDRAIL: submission.guardrail or b""}).digest()[:8]) % SEEDS


def key_of(submission: Submission, seed: int, tier: Tier) -> str:
    """Return the cache key of a verdict: equal keys have equal verdicts."""
    assert submission.kata is not None, "a submission without a kata has no verdict"
    state = f"{state_of(submission.kata.folder)} {state_of_versions(submission.kata.folder)}"
    digest = hashlib.sha256(f"{submission.kata.name} {state} {seed} {tier} ".encode())
    _with_files(digest, submission.files)
    if submission.guardrail is not None:
        _with_files(digest, {GUARDRAIL: submission.guardrail, "versions": _solutions(submission.kata.solutions)})
    return str(digest.hexdigest())


@functools.cache
def _solutions(folder: Path) -> bytes:
    """Return a digest of a kata's solutions, because they have the versions that guardrails are tried on."""
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if _decides(file, folder)}
    return _with_files(hashlib.sha256(), files).digest()


@functools.cache
def state_of(kata: Path) -> str:
    """Return a digest of all that decides verdicts: the kata's folder, this package, Python, other packages."""
    versions = (f"{name} {version(name)}" for name in DECIDING)
    digest = hashlib.sha256(f"{sys.version} {' '.join(versions)} ".encode())
    for folder in (kata, Path(drill_katas.__file__).parent):
        files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if _decides(file, folder)}
        _with_files(digest, {name: file.read_bytes() for name, file in files.items()})
    return digest.hexdigest()


def _decides(file: Path, folder: Path) -> bool:
    """Return whether a file influences verdicts; the packaged katas do not, because each kata has its own digest."""
    parts = file.relative_to(folder).parts
    return file.is_file() and file.suffix != ".pyc" and parts[0] not in {"library", "variants"}


def _with_files(digest: hashlib._Hash | hmac.HMAC, files: Mapping[str, bytes]) -> hashlib._Hash | hmac.HMAC:
    for name, content in sorted(files.items()):
        digest.update(b"%d %s %d " % (len(name), name.encode(), len(content)) + content)
    return digest
