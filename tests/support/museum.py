"""The cheat museum: reads the cheats in `tests/cheats`, and makes a submission of each for a small kata.

The small katas are quick to judge: `till` takes a ledger by the contract of the shipped kata `fp_drift`, `board` takes
an application over HTTP. A cheat is source code that is appended to a module of one of them. Its docstring describes
the cheat, and then the defense. Comments below it are headers:

| header | meaning |
| --- | --- |
| `stops` | the tiers that stop it: strong, reduced, practice; `practice as root` needs a separate uid of the SUT |
| `seen` | patterns of a check's verdict and message that prove that the cheat ran; with several, all must match |
| `through` | the tiers at which it succeeds on every machine, which proves that the test can fail |
| `base` | the module before it: `nothing` (a ledger that answers zero, the default), `broken`, or `solution` |
| `file` | the kata's file, `books.py` by default |
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill_katas.catalog.katas import shipped
from tests.cheats import archives
from tests.support.pack import install
from tests.support.places import TESTS

if TYPE_CHECKING:
    from pathlib import Path

CHEATS = TESTS / "cheats"
SMALL_KATAS = TESTS / "support" / "small_katas"
PACK = "museum_pack"
KATAS = {"books.py": "till", "board.py": "board"}  # by their editable file
HELPERS = {"archives.py", "given.py", "nothing.py"}
TIERS = ("strong", "reduced", "practice")
HEADER = re.compile(r"^# (stops|seen|through|base|file): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Cheat:
    """One cheat, as its file describes it."""

    name: str
    title: str
    source: str
    stops: tuple[str, ...]
    seen: tuple[tuple[str, str], ...]
    through: tuple[str, ...] = ()
    base: str = "nothing"
    file: str = "books.py"

    def is_stopped_at(self, tier: str) -> bool | None:
        """Return whether a tier stops it; None if the tier does so only as root and this user is not root."""
        if f"{tier} as root" in self.stops:
            return True if os.geteuid() == 0 else None
        return tier in self.stops

    def submission(self, place: Surroundings) -> str:
        """Return the source of the submitted module."""
        before = {
            "nothing": CHEATS / "nothing.py",
            "broken": place.pack / "katas" / KATAS[self.file] / self.file,
            "solution": place.pack / "solutions" / KATAS[self.file] / self.file,
        }[self.base]
        return "\n\n".join([before.read_text(encoding="utf-8"), place.given(self.name), self.source])


@dataclass(frozen=True)
class Surroundings:
    """The targets that a cheat can attack."""

    root: Path
    tcp: int = 0
    udp: int = 0
    segment: int = 0

    @property
    def site(self) -> Path:
        """The folder for PYTHONPATH in which the small katas are installed."""
        return self.root / "site"

    @property
    def pack(self) -> Path:
        """The installed package of the small katas."""
        return self.site / PACK

    @property
    def door(self) -> Path:
        """The path of a listening Unix socket, in a folder that all may read; a datagram socket is beside it."""
        return self.site / "door"

    def canary(self, name: str) -> Path:
        """The folder of the file that a cheat tries to change."""
        return self.root / "canaries" / name

    def mark(self, name: str) -> str:
        """The text in the name of everything that a cheat leaves behind."""
        return f"museum-{self.root.name}-{name}-"

    def given(self, name: str) -> str:
        """Return source with the constants and helpers that every cheat can use."""
        known = {
            "CANARY": str(self.canary(name) / "canary"),
            "MARK": self.mark(name),
            "DOOR": str(self.door),
            "SECRET_FILE": str(self.root / "secret"),
            "TCP": self.tcp,
            "UDP": self.udp,
            "SEGMENT": self.segment,
        }
        lines = [f"{each} = {value!r}" for each, value in known.items()]
        return "\n".join([*lines, (CHEATS / "given.py").read_text(encoding="utf-8")])


def read_cheat(path: Path) -> Cheat:
    """Read the cheat in a file."""
    source = path.read_text(encoding="utf-8")
    title = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    known: dict[str, list[str]] = {}
    for key, value in HEADER.findall(source):
        known.setdefault(key, []).append(value.strip())
    stops = tuple(each.strip() for each in known["stops"][0].split(",") if each.strip())
    through = tuple(known.get("through", []))
    unknown = {each.removesuffix(" as root") for each in (*stops, *through)} - {*TIERS, "none"}
    assert not unknown, f"{path}: no such tier: {unknown}"
    return Cheat(
        name=path.stem,
        title=title.rstrip("."),
        source=source,
        stops=stops,
        seen=tuple(_seen(each) for each in known["seen"]),
        through=through,
        **{key: known[key][0] for key in ("base", "file") if key in known},
    )


def install_katas(place: Surroundings) -> None:
    """Install the small katas; the ledger of `till` and its support files come from `fp_drift`."""
    shutil.copytree(SMALL_KATAS, place.pack)
    ledger = shipped().get("fp_drift")
    till, solution = place.pack / "katas" / "till", place.pack / "solutions" / "till"
    solution.mkdir()
    for file, copy in (
        (ledger.folder / "world.py", till),
        (ledger.folder / "oracle.py", till),
        (ledger.folder / "ledger.py", till / "books.py"),
        (ledger.solutions / "ledger.py", solution / "books.py"),
    ):
        shutil.copy(file, copy)
    install(place.site, PACK)


def _seen(text: str) -> tuple[str, str]:
    verdict, _, pattern = text.partition(": ")
    return verdict, pattern


def cheats() -> list[Cheat]:
    """Return all cheats, by name."""
    return [read_cheat(path) for path in sorted(CHEATS.glob("*.py")) if path.name not in HELPERS]


def table() -> str:
    """Return the table of docs/security.md: the cheats and the tiers that stop them."""
    found = [(cheat.title, cheat.stops) for cheat in cheats()]
    found += [((maker.__doc__ or "").rstrip("."), TIERS) for maker in archives.MAKERS]
    lines = [f"| cheat | {' | '.join(TIERS)} |", "| --- | --- | --- | --- |"]
    for title, stops in found:
        cells = (_cell(tier, stops) for tier in TIERS)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(tier: str, stops: tuple[str, ...]) -> str:
    if f"{tier} as root" in stops:
        return "as root"
    return "yes" if tier in stops else "no"


if __name__ == "__main__":
    sys.stdout.write(table())
