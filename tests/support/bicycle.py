"""A toy kata with checks about the parts of a bicycle, and the records of its runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from drill_katas.practice.journal import Ran

if TYPE_CHECKING:
    from drill_katas.verdict import Verdict
    from tests.support.toy import Toy

USAGE_ERROR = pytest.ExitCode.USAGE_ERROR
ALL = ("horn", "wheel", "brake")
UNPLAIN = re.compile(r"\x1b|\r")


def bicycle(toy: Toy, *works: str, stages: dict[str, str] | None = None) -> None:
    """Give the toy a check for each part, and a learner's module in which these parts work.

    Every check leaves a line in the file `begun`, so that what did not even begin can be seen.
    """
    checks = [
        f'@pytest.mark.stage("{stage}")\ndef test_{part}(sut):\n    """The {part} works."""\n    begin("{part}")\n'
        f'    with sut.open("Thing") as thing:\n        assert thing.works("{part}"), "the {part} is stuck"\n'
        for part, stage in (stages or {"horn": "symptom", "wheel": "cause", "brake": "regression"}).items()
    ]
    toy.checks(begin(toy) + "".join(checks))
    toy.module(bicycle_module(*works))


def begin(toy: Toy) -> str:
    """Return the function `begin`, which a check calls when it starts."""
    return f"""
def begin(what):
    with open({str(toy.root / "begun")!r}, "a") as log:
        log.write(f"{{what}}\\n")
"""


def bicycle_module(*works: str) -> str:
    return f"class Thing:\n    def works(self, part):\n        return part in {works}\n"


def add_kata(toy: Toy, name: str, *works: str) -> None:
    """Add a kata with the toy's checks, and a learner's module in which these parts work."""
    folder = toy.root / "katas" / name
    folder.mkdir()
    folder.joinpath("kata.toml").write_text(toy.folder.joinpath("kata.toml").read_text())
    folder.joinpath("toy.py").write_text(bicycle_module(*works))
    folder.joinpath(f"test_{name}.py").write_text(toy.folder.joinpath("test_toy.py").read_text())


def begun(toy: Toy) -> list[str]:
    """Return which checks have begun since the last time this was asked."""
    log = toy.root / "begun"
    names = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return names


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {check.name.removeprefix("test_"): check.outcome.value for check in verdict.checks}


def runs(toy: Toy) -> list[Ran]:
    return [event for event in toy.journal.read().events if isinstance(event, Ran)]


def summary(text: str) -> list[str]:
    """Return the lines of our part at the end of a run."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if re.fullmatch(r"=+ +kata +=+", line))
    return lines[begin + 1 : -1]
