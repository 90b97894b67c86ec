"""What a SUT runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from drill_katas.arms import Overlay
    from drill_katas.catalog import Kata


@dataclass(frozen=True)
class Program:
    """What a SUT runs: `modules` of `package`, found on `paths` (the overlay first).

    `shown` maps the overlay's files to the paths a person knows them by.
    """

    package: str
    modules: tuple[str, ...]
    paths: tuple[Path, ...]
    shown: dict[str, str]

    @classmethod
    def of(cls, kata: Kata, overlay: Overlay) -> Program:
        """Return the program that a kata is with the files of an overlay."""
        return cls(
            package=kata.name,
            modules=tuple(name.removesuffix(".py") for name in kata.manifest.editable),
            paths=(overlay.folder, kata.folder.parent),
            shown={copy: str(original) for copy, original in overlay.files.items()},
        )

    @property
    def overlay(self) -> Path:
        """The folder with this arm's files."""
        return self.paths[0]

    def owns(self, file: str) -> bool:
        """Whether a file of a traceback belongs to the kata."""
        return any(file.startswith(f"{path}/") for path in self.paths)

    def editable_names(self) -> str:
        """Name the learner's files, for a message."""
        return ", ".join(sorted({path.rpartition("/")[2] for path in self.shown.values()}))
