"""What a SUT runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from drill_katas.catalog.arms import Overlay
    from drill_katas.catalog.katas import Kata


@dataclass(frozen=True)
class Program:
    """What a SUT runs: `modules` of `package`, which lies in the folder `overlay` with all that it imports of the kata.

    `shown` maps the overlay's files to the paths a person knows them by.
    """

    package: str
    modules: tuple[str, ...]
    overlay: Path
    shown: dict[str, str]

    @classmethod
    def of(cls, kata: Kata, overlay: Overlay) -> Program:
        """Return the program that a kata is with the files of an overlay."""
        return cls(
            package=kata.name,
            modules=tuple(name.removesuffix(".py") for name in kata.manifest.editable),
            overlay=overlay.folder,
            shown={copy: str(original) for copy, original in overlay.files.items()},
        )

    def owns(self, file: str) -> bool:
        """Whether a file of a traceback belongs to the kata."""
        return file.startswith(f"{self.overlay}/")

    def edits(self, file: str) -> bool:
        """Whether a file of a traceback is one of the learner's."""
        return any(file == f"{self.overlay}/{self.package}/{module}.py" for module in self.modules)

    def editable_names(self) -> str:
        """Name the learner's files, for a message."""
        return ", ".join(sorted(f"{module}.py" for module in self.modules))
