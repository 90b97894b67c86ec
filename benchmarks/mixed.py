"""Grades 200 mixed submissions of all katas, and prints the wrong verdicts: python mixed.py [OPTION...].

The submissions are right fixes of every design, near misses, cheats of the museum, broken archives, and empty folders.
The options are those of `kata grade`, which this script runs as a command.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from drill_katas.catalog.arms import arm_from, near_misses_of
from drill_katas.catalog.katas import shipped
from tests.support import museum
from tests.support.pack import before_python_path

MANY = 200
SHARES = {"right": 24, "cheat": 80, "damaged": 8, "empty": 4}  # the rest are near misses


def main() -> None:
    """Make the submissions, grade them, and print the wrong verdicts and the duration."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root = Path(folder)
        root.chmod(0o755)
        work = root / "work"
        work.mkdir()
        expected = hand_in(work)
        print(f"{len(expected)} submissions: {dict(Counter(kind for kind, _ in expected.values()))}", flush=True)
        file = root / "grades.json"
        command = [str(Path(sys.executable).with_name("kata")), "grade", str(work), "--json", str(file), *sys.argv[1:]]
        began = time.perf_counter()
        environment = os.environ | {"PYTHONPATH": before_python_path(museum.Surroundings(root).site)}
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        took = time.perf_counter() - began
        grades = json.loads(file.read_bytes())
        found = {grade["id"]: grade for grade in grades["submissions"]}
        assert list(found) == sorted(expected), "each input has one grade, in input order"
        wrong = [name for name, (_, solved) in expected.items() if found[name]["solved"] != solved]
        unjudged = [name for name, (kind, _) in expected.items() if not found[name]["checks"] and kind in JUDGED]
        solved = sum(grade["solved"] for grade in found.values())
        print(f"tier {grades['tier']}, {took:.0f} s, {solved} solved, {len(wrong)} wrong verdicts", flush=True)
        for name in dict.fromkeys((*wrong, *unjudged)):
            grade = found[name]
            failing = [f"{check['name']}: {check['message']}" for check in grade["checks"] if not check["points"]]
            print(f"  {name}: solved {grade['solved']}, {grade['notes']}, {failing[:2]}")


JUDGED = ("right", "near miss")


def hand_in(work: Path) -> dict[str, tuple[str, bool]]:
    """Make submissions; return the kind of each by name, and whether it must be solved."""
    expected: dict[str, tuple[str, bool]] = {}
    arms = {True: list(right_arms()), False: list(near_misses())}
    random.Random(0).shuffle(arms[False])
    taken = {"right": itertools.islice(itertools.cycle(arms[True]), SHARES["right"])}
    taken["near miss"] = itertools.islice(itertools.cycle(arms[False]), MANY - sum(SHARES.values()))
    for kind, those in taken.items():
        for number, (kata, arm) in enumerate(those):
            name = f"{kind.replace(' ', '-')}-{number:03}-{kata.name}-{arm.stem}"
            for file, content in arm_from(kata, str(arm)).contents.items():
                place = work / name / file
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content + f"# {name}\n".encode())
            expected[name] = (kind, kind == "right")
    place = museum.Surroundings(work.parent)
    museum.install_katas(place)
    for cheat in itertools.islice(museum.cheats(), SHARES["cheat"]):
        name = f"cheat-{cheat.name}"
        (work / name).mkdir()
        (work / name / cheat.file).write_text(cheat.submission(place), encoding="utf-8")
        expected[name] = ("cheat", False)
    for number in range(SHARES["damaged"]):
        name = f"damaged-{number}{['.zip', '.tar.gz'][number % 2]}"
        (work / name).write_bytes(b"PK\x03\x04\x1f\x8b"[number % 3 :] * number)
        expected[name] = ("damaged", False)
    for number in range(SHARES["empty"]):
        (work / f"empty-{number}").mkdir()
        expected[f"empty-{number}"] = ("empty", False)
    return expected


def right_arms():
    """Return the reference and all accepted alternatives of all katas."""
    for kata in shipped():
        yield kata, kata.solutions
        yield from ((kata, arm) for arm in sorted((kata.solutions / "accepted").iterdir()))


def near_misses():
    """Return the near misses of all katas."""
    for kata in shipped():
        yield from ((kata, arm) for arm in near_misses_of(kata).values())


if __name__ == "__main__":
    main()
