"""The workspace: find it, create it, and restore a kata's broken files."""

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
from drill_katas.practice.progress import KataStanding, standings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.journal import Event
    from drill_katas.practice.progress import KataProgress

STATE: Final = ".kata"  # folder of the journal, recordings, and files that a reset moved away
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
        """The katas in this workspace."""
        return Library(self.root / "katas")

    @property
    def state(self) -> Path:
        """The folder of all state: journal, recordings, moved files."""
        return self.root / STATE

    @property
    def journal(self) -> Journal:
        """The journal of this workspace."""
        return Journal(self.state / Journal.NAME)

    def aside(self, what: str) -> Path:
        """Return a new folder name for files of the learner that are moved away."""
        return self.state / "kept" / f"{what}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"

    def progress_of(self, kata: Kata) -> KataProgress:
        """Return the progress of the current variant of a kata."""
        return self.standing_of(kata).current

    def standing_of(self, kata: Kata) -> KataStanding:
        """Return the progress of a kata in each of its variants."""
        return standings(self.journal.read().events).get(kata.name, KataStanding(kata.name))


@dataclass
class Copied:
    """The files that `init` handled, by what happened to them."""

    new: list[Path] = field(default_factory=list)
    same: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    overwritten: dict[Path, Path] = field(default_factory=dict)


def find_workspace(start: Path) -> Workspace:
    """Return the workspace of a folder: the nearest folder upward that contains `katas/` or `.kata/`.

    Without such a folder, return `start` as a workspace without katas.
    """
    for folder in (start, *start.parents):
        if (folder / "katas").is_dir() or (folder / STATE).is_dir():
            return Workspace(folder)
    return Workspace(start)


def init(root: Path, *, force: bool) -> Copied:
    """Copy the shipped katas into a folder. A changed file stays; with `force` it is moved away and overwritten."""
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
        target = error.filename or root
        raise UserError(f"cannot write {target} ({error.strerror}); nothing there was overwritten") from error
    return copied


def start(workspace: Workspace, kata: Kata, variant: str | None) -> Path | None:
    """Start a round and its clock.

    With a `variant`, its broken files are put in place, unless an unsolved round of this variant goes on. Returns the
    folder that the learner's files were moved to, None if they stayed.
    """
    current = workspace.progress_of(kata)
    moved_to = None
    if variant is not None and (variant != current.variant or current.solved_at):
        moved_to = _restore(workspace, kata, variant)
    _record(workspace, Started(kata=kata.name, variant=variant or current.variant), moved_to)
    return moved_to


def reset(workspace: Workspace, kata: Kata, variant: str | None) -> Path:
    """Restore a kata's broken files, restart the clock, and return the folder with the learner's files."""
    variant = variant or workspace.progress_of(kata).variant
    moved_to = _restore(workspace, kata, variant)
    _record(workspace, Reset(kata=kata.name, variant=variant, kept=str(moved_to.relative_to(workspace.root))), moved_to)
    return moved_to


def broken_files(kata: Kata, variant: str) -> dict[str, bytes]:
    """Return the broken editable files of a variant, by name. Raises `UserError` if they are not available."""
    library = shipped()
    in_place = kata.folder.parent.resolve() == library.katas.resolve()
    if not in_place and kata.name in library.names():
        kata = library.get(kata.name)
    elif variant == ORIGINAL:  # the learner edits the only copy, so the committed version is the broken one
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
            f"there is no shipped copy of {file.name} to restore, and git has no committed version of it; commit the "
            f"broken file, or work in a folder made by `kata init`"
        ) from error


def _restore(workspace: Workspace, kata: Kata, variant: str) -> Path:
    """Copy the learner's files to a new folder, then restore the broken files; return the folder.

    The copies come first, so that a failure in between loses nothing. Raises `UserError`.
    """
    broken = broken_files(kata, variant)
    moved_to = workspace.aside(kata.name)
    try:
        moved_to.mkdir(parents=True)
        for name in broken:
            if (kata.folder / name).exists():
                shutil.copy2(kata.folder / name, moved_to / name)
        for name, content in broken.items():
            _write_whole(kata.folder / name, content)
    except OSError as error:
        raise UserError(f"{kata.name} is not reset: cannot write {error.filename} ({error.strerror})") from error
    return moved_to


def _record(workspace: Workspace, event: Event, moved_to: Path | None) -> None:
    """Record an event. Raises `UserError`, with the folder that the learner's files were moved to."""
    try:
        workspace.journal.append(event)
    except UserError as error:
        moved = f"; your files were moved to {moved_to.relative_to(workspace.root)}" if moved_to else ""
        raise UserError(f"{error}{moved}") from error


def _place(workspace: Workspace, target: Path, content: bytes, copied: Copied, *, force: bool) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(target, content)
        copied.new.append(target)
    elif target.read_bytes() == content:
        copied.same.append(target)
    elif not force:
        copied.changed.append(target)
    else:
        aside = workspace.aside("init") / target.relative_to(workspace.root)
        aside.parent.mkdir(parents=True)
        shutil.copy2(target, aside)
        _write_whole(target, content)
        copied.overwritten[target] = aside


def _write_whole(target: Path, content: bytes) -> None:
    """Write a file whole or not at all, unless it is read-only."""
    if target.exists() and not os.access(target, os.W_OK):  # replacing it would ignore that the file is read-only
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    write_atomically(target, content)


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_file():
            yield entry
        elif entry.name not in NOT_COPIED:
            yield from _files(entry)
