"""The learner's folder: where it is, making one, and putting a kata's broken files back."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import ORIGINAL, Library, shipped
from drill_katas.errors import UserError
from drill_katas.files import write_atomically
from drill_katas.practice.journal import Journal, Reset, Started
from drill_katas.practice.progress import KataProgress, progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.journal import Event

STATE: Final = ".kata"  # holds the journal, and the learner's files that a reset put aside
NOT_COPIED: Final = {"variants", "__pycache__"}
STARTER_FILES: Final = {
    "pytest.ini": "[pytest]\ntestpaths = katas\n",
    ".gitignore": f"{STATE}/\n.benchmarks/\n.hypothesis/\n.pytest_cache/\n__pycache__/\n",
}


@dataclass(frozen=True)
class Workspace:
    """A folder with `katas/` and the journal."""

    root: Path

    @property
    def library(self) -> Library:
        """Its katas."""
        return Library(self.root / "katas")

    @property
    def state(self) -> Path:
        """The folder of what is remembered."""
        return self.root / STATE

    @property
    def journal(self) -> Journal:
        """Its journal."""
        return Journal(self.state / Journal.NAME)

    def aside(self, what: str) -> Path:
        """Return a new place to put a person's files aside in."""
        return self.state / "kept" / f"{what}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"

    def progress_of(self, kata: Kata) -> KataProgress:
        """Return how one kata stands."""
        return progress(self.journal.read().events).get(kata.name, KataProgress(kata.name))


@dataclass
class Copied:
    """What `init` did with each file."""

    new: list[Path] = field(default_factory=list)
    same: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    overwritten: dict[Path, Path] = field(default_factory=dict)


def find_workspace(start: Path) -> Workspace:
    """Return the workspace that `start` lies in: the nearest folder upwards with `katas/` or `.kata/` in it.

    Where there is none, `start` itself is one without katas.
    """
    for folder in (start, *start.parents):
        if (folder / "katas").is_dir() or (folder / STATE).is_dir():
            return Workspace(folder)
    return Workspace(start)


def init(root: Path, *, force: bool) -> Copied:
    """Copy the shipped katas into a folder. A file that differs is kept, or with `force` put aside first."""
    copied = Copied()
    workspace = Workspace(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        for name, text in STARTER_FILES.items():
            _place(workspace, root / name, text.encode(), copied, force=force)
        source = shipped().katas
        for file in _files(source):
            _place(workspace, root / "katas" / file.relative_to(source), file.read_bytes(), copied, force=force)
    except OSError as error:
        what = error.filename or root
        raise UserError(f"cannot write {what} ({error.strerror}); nothing there was overwritten") from error
    return copied


def start(workspace: Workspace, kata: Kata, variant: str | None) -> Path | None:
    """Begin a round: start the clock, and with a variant put its broken files in place.

    Returns where the learner's files were put aside, if they were.
    """
    now_on = workspace.progress_of(kata).variant
    kept = None
    if variant is not None and variant != now_on:
        kept = _put_back(workspace, kata, variant)
    _note(workspace, Started(kata=kata.name, variant=variant or now_on), kept)
    return kept


def reset(workspace: Workspace, kata: Kata, variant: str | None) -> Path:
    """Put a kata's broken files back, start the clock anew, and return where the learner's were put."""
    variant = variant or workspace.progress_of(kata).variant
    kept = _put_back(workspace, kata, variant)
    _note(workspace, Reset(kata=kata.name, variant=variant, kept=str(kept.relative_to(workspace.root))), kept)
    return kept


def broken_files(kata: Kata, variant: str) -> dict[str, bytes]:
    """Return the editable files of a variant as they were shipped. Raises `UserError` when they cannot be had."""
    library = shipped()
    in_place = kata.folder.parent.resolve() == library.katas.resolve()
    if not in_place and kata.name in library.names():
        kata = library.get(kata.name)
    elif variant == ORIGINAL:  # the learner edits the only copy there is, so what was committed has to do
        return {name: _committed(kata.folder / name) for name in kata.manifest.editable}
    folder = kata.variant_folder(variant)
    try:
        return {name: (folder / name).read_bytes() for name in kata.manifest.editable}
    except OSError as error:
        raise UserError(f"cannot read {error.filename} ({error.strerror}); nothing was changed") from error


def _committed(file: Path) -> bytes:
    import subprocess  # noqa: PLC0415 - slow to import, and rarely needed

    command = ["git", "-C", str(file.parent), "show", f"HEAD:./{file.name}"]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"there is no shipped copy of {file.name} to put back: this kata is used where it was written, and git has "
            f"no committed version of it; work in a folder made by `kata init` instead"
        ) from error


def _put_back(workspace: Workspace, kata: Kata, variant: str) -> Path:
    """Put the learner's files aside and the broken ones in their place; nothing is lost when that fails half-way."""
    broken = broken_files(kata, variant)
    kept = workspace.aside(kata.name)
    try:
        kept.mkdir(parents=True)
        for name in broken:
            if (kata.folder / name).exists():
                shutil.copy2(kata.folder / name, kept / name)
        for name, content in broken.items():
            _write_whole(kata.folder / name, content)
    except OSError as error:
        raise UserError(f"{kata.name} is not reset: cannot write {error.filename} ({error.strerror})") from error
    return kept


def _note(workspace: Workspace, event: Event, kept: Path | None) -> None:
    """Write an event down; should that fail, the learner must still hear where the files are that were put aside."""
    try:
        workspace.journal.append(event)
    except UserError as error:
        where = f"; your version was put aside in {kept.relative_to(workspace.root)}" if kept else ""
        raise UserError(f"{error}{where}") from error


def _place(workspace: Workspace, target: Path, content: bytes, copied: Copied, *, force: bool) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(target, content)
        copied.new.append(target)
    elif target.read_bytes() == content:
        copied.same.append(target)
    elif not force:
        copied.kept.append(target)
    else:
        aside = workspace.aside("init") / target.relative_to(workspace.root)
        aside.parent.mkdir(parents=True)
        shutil.copy2(target, aside)
        _write_whole(target, content)
        copied.overwritten[target] = aside


def _write_whole(target: Path, content: bytes) -> None:
    """Write a file whole or not at all, unless it is read-only."""
    if target.exists() and not os.access(target, os.W_OK):  # replacing it would pass over its owner's wish
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    write_atomically(target, content)


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_file():
            yield entry
        elif entry.name not in NOT_COPIED:
            yield from _files(entry)
