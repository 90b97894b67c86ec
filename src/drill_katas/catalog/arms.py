"""Arms: the versions of a kata's editable files, and the overlay that gives one of them to a SUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import ORIGINAL, shipped
from drill_katas.catalog.patches import SUFFIX, read_patch
from drill_katas.errors import UserError, nearest
from drill_katas.files import RunFolder

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Kata

WORKSPACE = "workspace"
SOLUTIONS = "solutions"
REFERENCE: Final = "reference"


@dataclass(frozen=True)
class SourceFile:
    """One editable file of an arm: its content, and its path in messages."""

    content: bytes
    shown: Path


@dataclass(frozen=True)
class Arm:
    """One version of a kata's editable files, by name."""

    source: str
    files: dict[str, SourceFile]

    @property
    def contents(self) -> dict[str, bytes]:
        """The content of each file."""
        return {name: file.content for name, file in self.files.items()}


def workspace_arm(kata: Kata) -> Arm:
    """Return the learner's own files."""
    return _arm(kata, WORKSPACE, [kata.folder])


def arm_from(kata: Kata, source: str, option: str = "") -> Arm:
    """Return the arm of `--kata-from SOURCE`: the word "solutions", a folder, or a patch.

    | source | files |
    | --- | --- |
    | `solutions` | the reference solution |
    | a folder | `ledger.py`, `fp_drift/ledger.py`, or `katas/fp_drift/ledger.py`; other files are ignored |
    | a folder in the kata's solutions | files that differ from the reference; the others are the reference's |
    | a patch in the kata's solutions, with or without suffix | its base, patched |

    `option` is the name of the option for messages. Raises `UserError` if files are missing or a patch does not apply.
    """
    place = Path(source)
    folders = [place, place / kata.name, place / "katas" / kata.name]
    if source == SOLUTIONS and not any((each / file).is_file() for each in folders for file in kata.manifest.editable):
        return _arm(kata, source, [kata.solutions])  # a workspace's own `solutions` may have only its own katas
    if place.resolve().is_relative_to(kata.solutions.resolve()):
        patch = place if place.suffix == SUFFIX else Path(f"{place}{SUFFIX}")
        if patch.is_file():
            return _patched(kata, source, patch)
        return _arm(kata, source, [place], rest=kata.solutions)
    if not place.is_dir():
        given = f"{option} {source}".strip()
        raise UserError(
            f"{given}: there is no such folder; name a folder with {', '.join(kata.manifest.editable)}, "
            f"or the word {SOLUTIONS}"
        )
    return _arm(kata, source, folders)


def bases_of(kata: Kata) -> dict[str, Path]:
    """Return the folders of the possible bases of patches, by name: reference, accepted, original, and variants.

    The broken files come from the library of the solutions, because a learner may have changed other copies.
    """
    own = kata.folder.parent.parent == kata.solutions.parent.parent
    broken = kata.folder if own else shipped().katas / kata.name
    accepted = kata.solutions / "accepted"
    names = sorted(each.name for each in accepted.iterdir() if each.is_dir()) if accepted.is_dir() else []
    return {
        REFERENCE: kata.solutions,
        ORIGINAL: broken,
        **{f"accepted/{name}": accepted / name for name in names},
        **{f"variants/{name}": broken / "variants" / name for name in kata.manifest.variants},
    }


def near_misses_of(kata: Kata) -> dict[str, Path]:
    """Return the patches and folders of a kata's near misses, by name."""
    places = kata.solutions / "near_misses"
    found = [each for each in places.iterdir() if each.is_dir() or each.suffix == SUFFIX] if places.is_dir() else []
    return {each.name.removesuffix(SUFFIX): each for each in sorted(found)}


def arm_named(kata: Kata, name: str) -> Arm:
    """Return the arm `reference`, `original`, `accepted/X`, `variants/Y`, or the near miss of that name."""
    places = near_misses_of(kata) | bases_of(kata)
    if name not in places:
        raise UserError(f"{kata.name} has no arm {name!r}{nearest(name, places)}")
    return arm_from(kata, str(places[name]))


def _patched(kata: Kata, source: str, file: Path) -> Arm:
    """Return the base of a patch with the patch applied."""
    patch = read_patch(file)
    bases = bases_of(kata)
    if patch.base not in bases:
        raise UserError(f"{file}, line 1: {kata.name} has no arm {patch.base!r}{nearest(patch.base, bases)}")
    base = arm_from(kata, str(bases[patch.base]))
    changed = patch.apply(base.contents)
    files = {name: SourceFile(content, file / name) for name, content in changed.items()}
    return Arm(source, base.files | files)


def _arm(kata: Kata, source: str, folders: list[Path], rest: Path | None = None) -> Arm:
    """Return the arm with the editable files of the first folder that has them; `rest` has files for missing ones."""
    editable = kata.manifest.editable
    incomplete = ""
    for folder in folders:
        files = {name: folder / name for name in editable}
        found = [name for name, file in files.items() if file.is_file()]
        if rest is not None and found:
            return Arm(source, {name: _read(file if name in found else rest / name) for name, file in files.items()})
        if len(found) == len(files):
            return Arm(source, {name: _read(file) for name, file in files.items()})
        if found and not incomplete:
            missing = " and ".join(name for name in files if name not in found)
            incomplete = (
                f"there is no {missing} in {folder}, beside {' and '.join(found)}; copy it there, from the kata if "
                f"you did not change it"
            )
    looked_at = ", ".join(str(folder) for folder in folders)
    raise UserError(incomplete or f"there is no {' and '.join(editable)} of {kata.name}; looked in {looked_at}")


def _read(file: Path) -> SourceFile:
    try:
        return SourceFile(file.read_bytes(), file)
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error


class Overlay:
    """A temporary package with all files of a kata that a SUT gets, such as `fp_drift/ledger.py`.

    It has copies of the arm's files and of the kata's support files, because the learner may save during a run.
    """

    def __init__(self, kata: Kata, arm: Arm) -> None:
        self._run = RunFolder()
        self.folder = self._run.path
        self.files: dict[str, Path] = {}
        support = {name: kata.folder / name for name in kata.manifest.support_files}
        support_files = {name: _read(file) for name, file in support.items() if file.is_file()}
        for name, file in (support_files | arm.files).items():
            copy = self.folder / kata.name / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.content)
            self.files[str(copy)] = file.shown
        open_to_all(self.folder)  # because a SUT that root forks has another uid

    def close(self) -> None:
        """Remove the copies."""
        self._run.close()


def open_to_all(folder: Path) -> None:
    """Make a folder and its content readable for every user, regardless of the umask."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
