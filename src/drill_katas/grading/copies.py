"""Finds second copies of what a submission must not read: solutions and checks, wherever they are installed.

An editable install, for one, puts the library into site-packages as well.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.catalog.katas import Kata

LEAST: Final = 200  # bytes; a shorter file gives nothing away, and others may happen to be the same

Secrets = dict[int, dict[str, str]]
"""The files to hide: by size, and then by the hexadecimal SHA-256 of their bytes, the name of a kata."""


def secrets_of(katas: Iterable[Kata]) -> Secrets:
    """Return what programs must not read of these katas: solutions and checks, without the bytes that a learner has."""
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
    """Return the folders to hide because of copies in them: (path, kata).

    That is the folder `katas` or `solutions` of a copied library, and elsewhere the folder that a copy is in.
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
