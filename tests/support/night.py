"""A small kata with an incident of six simulated minutes, which is replayed in a second."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

BROKEN: Final = '''
class Shop:
    """Sells at any price."""

    def price(self, minute):
        return "right" if minute < 3 else "wrong"
'''
HALF: Final = BROKEN.replace("minute < 3", "minute < 4")
RIGHT: Final = BROKEN.replace(' if minute < 3 else "wrong"', "")
FILES: Final = {
    "katas/night/kata.toml": """
format = 1
title = "A quick night"
level = 1
minutes = 5
contract = "calls"
editable = ["shop.py"]
""",
    "katas/night/BRIEFING.md": "# The page\n",
    "katas/night/shop.py": BROKEN,
    "katas/night/test_night.py": '''
import pytest


@pytest.mark.stage("symptom")
def test_it(sut):
    """Prices are right."""
    with sut.open("Shop") as shop:
        assert shop.price(5) == "right"
''',
    "katas/night/incident.py": """
from drill_katas import kit

INCIDENT = kit.Incident(
    begins="2026-06-02T08:50:00Z",
    minutes=6,
    request="price",
    since=3,
    rules=(),
    ablations={"no_deploy": "nothing is deployed", "no_weather": "the sun shines"},
)


def replay(scene):
    shop = scene.sut.open("Shop")
    for minute in scene.ticks(seconds=15):
        if minute == 3 and not scene.without("no_deploy"):
            scene.log("platform", "info", "deployed", weather="sun" if scene.without("no_weather") else "rain")
        scene.wait(scene.chance.uniform(0, 10))
        at = 0 if scene.without("no_deploy") else int(minute)
        scene.call("shop", "price", lambda: shop.price(at), good=lambda shown: shown == "right", seen=minute)
""",
    "solutions/night/shop.py": RIGHT,
    "solutions/night/answer.toml": 'format = 1\nhints = ["Look."]\n[broken.original]\ntest_it = "right"\n',
    "half/shop.py": HALF,
    "pytest.ini": "[pytest]\n",
}


def write_night(folder: Path) -> Path:
    """Write a workspace with the kata `night`, its solution, and `half`, a fix that does not go all the way."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip(), encoding="utf-8")
    return folder


def commit(folder: Path) -> None:
    """Commit a workspace, because the broken files of a kata that is not shipped are those in git."""
    identity = ("-c", "user.name=Night", "-c", "user.email=night@example.org")
    for command in (("init", "-q"), ("add", "katas"), (*identity, "commit", "-q", "-m", "Add the kata night")):
        subprocess.run(["git", *command], cwd=folder, check=True)
