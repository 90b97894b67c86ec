"""Finds copies of solutions and checks, which a submission must not read.

An editable install, for example, puts a second copy of the library into site-packages.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.catalog.katas import Kata

LEAST: Final = 200  # bytes; a shorter file reveals nothing, and an unrelated file may equal it

Secrets = dict[int, dict[str, str]]
"""The files to hide: a map from sizes to maps from hexadecimal SHA-256 digests to kata names."""


def secrets_of(katas: Iterable[Kata]) -> Secrets:
    """Return the solutions and checks of these katas, except files that equal a file the learner has."""
    found: Secrets = {}
    for kata in katas:
        public = {*kata.manifest.editable, *kata.manifest.support_files}
        own = list(_files(kata.folder))
        known = {_digest(file) for file in own if file.name in public}
        secret = [file for file in own if file.suffix == ".py" and file.name not in public]
        for file in (*secret, *_files(kata.solutions)):
            size, digest = file.stat().st_size, _digest(file)
            if size >= LEAST and digest not in known:
                found.setdefault(size, {})[digest] = kata.name
    return found


def folders_to_hide(copies: Iterable[tuple[str, str]]) -> set[str]:
    """Return the folders to hide, from copies as pairs of path and kata name.

    In a copied library, that is its folder `katas` or `solutions`; elsewhere the folder of the copy.
    """
    folders = {_folder_to_hide(Path(copy), kata) for copy, kata in copies}
    return {str(folder) for folder in folders if folders.isdisjoint(folder.parents)}


def _folder_to_hide(copy: Path, kata: str) -> Path:
    of_kata = (folder.parent for folder in copy.parents if folder.name == kata)
    return next((folder for folder in of_kata if folder.name in {"katas", "solutions"}), copy.parent)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
