"""The program that a SUT runs: its package, its editable modules, its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from drill_katas.catalog.arms import Overlay
    from drill_katas.catalog.katas import Kata


@dataclass(frozen=True)
class Program:
    """The program of a SUT: the editable `modules` of `package`, in the folder `overlay` with the kata's other files.

    `shown` maps the files of the overlay to the paths that messages show.
    """

    package: str
    modules: tuple[str, ...]
    overlay: Path
    shown: dict[str, str]

    @classmethod
    def of(cls, kata: Kata, overlay: Overlay) -> Program:
        """Return the program of a kata with the files of an overlay."""
        return cls(
            package=kata.name,
            modules=tuple(name.removesuffix(".py") for name in kata.manifest.editable),
            overlay=overlay.folder,
            shown={copy: str(original) for copy, original in overlay.files.items()},
        )

    def owns(self, file: str) -> bool:
        """Return whether a file of a traceback belongs to the kata."""
        return file.startswith(f"{self.overlay}/")

    def edits(self, file: str) -> bool:
        """Return whether a file of a traceback is editable by the learner."""
        return any(file == f"{self.overlay}/{self.package}/{module}.py" for module in self.modules)

    def editable_names(self) -> str:
        """Return the names of the learner's files, for a message."""
        return ", ".join(sorted(f"{module}.py" for module in self.modules))
