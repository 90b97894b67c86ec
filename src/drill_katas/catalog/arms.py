"""Arms: the sources a kata can be judged with, and the overlay that puts one in front of the kata's own files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drill_katas.errors import UserError
from drill_katas.files import RunFolder

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Kata

WORKSPACE = "workspace"
SOLUTIONS = "solutions"


@dataclass(frozen=True)
class Arm:
    """One source of a kata's editable files: `files` maps each editable name to the file it is taken from."""

    source: str
    files: dict[str, Path]


def workspace_arm(kata: Kata) -> Arm:
    """Return the learner's own files."""
    return _arm(kata, WORKSPACE, [kata.folder])


def arm_from(kata: Kata, source: str, option: str = "") -> Arm:
    """Return the arm that `--kata-from SOURCE` names: "solutions", or a folder with a submission.

    `option` is the option that the source was given with, for messages.

    In a folder the files may lie as `ledger.py`, `fp_drift/ledger.py` or `katas/fp_drift/ledger.py`; nothing else
    in it is used. A folder of the kata's solutions holds only what differs from the reference.
    Raises `UserError` when the files are not there.
    """
    folder = Path(source)
    if source == SOLUTIONS and not folder.is_dir():
        return _arm(kata, source, [kata.solutions])
    if folder.resolve().is_relative_to(kata.solutions.resolve()):
        return _arm(kata, source, [folder], rest=kata.solutions)
    if not folder.is_dir():
        given = f"{option} {source}".strip()
        raise UserError(
            f"{given}: there is no such folder; give one that holds {', '.join(kata.manifest.editable)}, "
            f"or the word {SOLUTIONS}"
        )
    return _arm(kata, source, [folder, folder / kata.name, folder / "katas" / kata.name])


def _arm(kata: Kata, source: str, folders: list[Path], rest: Path | None = None) -> Arm:
    """Find the editable files in the first of the folders that has them; `rest` has those that may be missing there."""
    editable = kata.manifest.editable
    lacking = ""
    for folder in folders:
        files = {name: folder / name for name in editable}
        found = [name for name, file in files.items() if file.is_file()]
        if rest is not None and found:
            return Arm(source, {name: file if name in found else rest / name for name, file in files.items()})
        if len(found) == len(files):
            return Arm(source, files)
        if found and not lacking:
            missing = " and ".join(name for name in files if name not in found)
            lacking = (
                f"there is no {missing} in {folder}, beside {' and '.join(found)}; put it there too, as the kata has "
                f"it if you did not change it"
            )
    looked_at = ", ".join(str(folder) for folder in folders)
    raise UserError(lacking or f"there is no {' and '.join(editable)} of {kata.name}; looked in {looked_at}")


class Overlay:
    """A temporary folder with all that a SUT gets of a kata, laid out as a package: `fp_drift/ledger.py`.

    That is the arm's files, and those that the kata gives. Being copies, they stay what they were when the run began,
    whatever is saved meanwhile.
    """

    def __init__(self, kata: Kata, arm: Arm) -> None:
        self._run = RunFolder()
        self.folder = self._run.path
        self.files: dict[str, Path] = {}
        given = {name: kata.folder / name for name in kata.manifest.support_files}
        for name, file in ({name: file for name, file in given.items() if file.is_file()} | arm.files).items():
            copy = self.folder / kata.name / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            self.files[str(copy)] = file
        open_to_all(self.folder)  # a SUT forked by root has a uid of its own

    def close(self) -> None:
        """Remove the copies."""
        self._run.close()


def open_to_all(folder: Path) -> None:
    """Let every user read a folder and all in it, whatever the umask."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
