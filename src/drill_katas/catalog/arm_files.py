"""`kata arm`: write the files of an arm to a folder, and save such a folder as a near miss."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.arms import arm_from, arm_named, bases_of
from drill_katas.catalog.patches import SUFFIX, make_patch, read_patch
from drill_katas.errors import UserError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drill_katas.catalog.katas import Kata

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
MOST: Final = 0.6  # most lines of a patch per line of the changed files; a longer near miss is stored as whole files


def write_arm(kata: Kata, name: str, folder: Path) -> list[Path]:
    """Write an arm's editable files to a folder, and return their paths. Raises `UserError` if one exists."""
    contents = {folder / each: content for each, content in arm_named(kata, name).contents.items()}
    for file in contents:
        if file.exists():
            raise UserError(f"{file} exists; give a folder without it, or remove it first")
    for file, content in contents.items():
        _write(file, content)
    return list(contents)


def save_near_miss(kata: Kata, name: str, folder: Path, base: str | None = None) -> list[Path]:
    """Save the files in a folder as a near miss, and return the written files. Raises `UserError`.

    Without `base`, an existing patch keeps its base. A new near miss gets the base with the shortest patch; if this
    patch is longer than `MOST`, it is stored as whole files.
    """
    bases = bases_of(kata)
    if name in bases or not NAME.fullmatch(name):
        raise UserError(f"only near misses can be saved; {name!r} is not a name for one, such as rounded_twice")
    if base is not None and base not in bases:
        raise UserError(f"{kata.name} has no arm {base!r} to patch{nearest(base, bases)}")
    new = {each: _content(folder / each) for each in kata.manifest.editable}
    place = kata.solutions / "near_misses" / name
    patch_file = place.with_name(f"{name}{SUFFIX}")
    if base is None and patch_file.is_file():
        base = read_patch(patch_file).base
    tried = bases if base is None else [base]
    patches = {each: make_patch(each, arm_from(kata, str(bases[each])).contents, new) for each in tried}
    chosen = min(patches, key=lambda each: patches[each].count("\n"))
    if new == arm_from(kata, str(bases[chosen])).contents:
        raise UserError(f"the files in {folder} equal those of {chosen}, so there is no near miss to save")
    if base is None and _is_long(patches[chosen], new):
        patch_file.unlink(missing_ok=True)
        return _write_whole(kata, place, new)
    shutil.rmtree(place, ignore_errors=True)
    _write(patch_file, patches[chosen].encode())
    return [patch_file]


def _is_long(patch: str, new: Mapping[str, bytes]) -> bool:
    lines = sum(content.count(b"\n") for name, content in new.items() if f"\n+++ b/{name}\n" in patch)
    return patch.count("\n") > MOST * lines


def _write_whole(kata: Kata, place: Path, new: Mapping[str, bytes]) -> list[Path]:
    """Write the files that differ from the reference."""
    reference = arm_named(kata, "reference").contents
    files = {place / name: content for name, content in new.items() if content != reference[name]}
    for file, content in files.items():
        _write(file, content)
    return list(files)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error


def _write(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}") from error
