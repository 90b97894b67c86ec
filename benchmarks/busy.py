"""Grades every right arm beside busy processes: python busy.py [--katas NAMES] [--seeds NUMBERS] [--busy N].

Each arm is right, so that any verdict but `pass` is the grader's fault: a refusal is a wrong verdict, `not judged` an
honest one. Prints how many gradings got which, and writes a line of JSON for each grading. Each seed is a round of all
right arms, which takes some 40 minutes on two cores beside 20 processes. A run that was ended goes on where it was:
gradings in the record are not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from drill_katas.batch.pool import Pool
from drill_katas.batch.tasks import Judged, Task, settled
from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.katas import shipped
from drill_katas.grading.tiers import strongest_policy
from drill_katas.verify.declared import RIGHT, arms_of
from drill_katas.verify.trials import busy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.batch.tasks import Judges


class Counted:
    """Judges that count the results in which a check was not judged; such a one is judged again."""

    def __init__(self, judges: Judges) -> None:
        self._judges = judges
        self.not_judged = 0

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield the result of each task."""
        for judged in self._judges.judged(tasks):
            self.not_judged += bool(judged.unjudged)
            yield judged


def main() -> None:
    """Judge as asked, print a line a grading, and the counts in the end."""
    options = parsed()
    katas = [kata for kata in shipped() if not options.katas or kata.name in options.katas.split(",")]
    made = recorded(options.record)
    began = time.monotonic()
    hold = strongest_policy(katas, None, unsafe=True)
    with busy(options.busy), Pool(katas, hold, options.jobs) as pool, options.record.open("a") as record:
        counted = Counted(pool)
        for seed in options.seeds:
            for judged in settled(counted, (task for task in tasks_of(katas, seed) if task.key not in made)):
                said = {check.name: check.message for check in judged.checks if not check.passed} or judged.problem
                made[judged.key] = result(judged)
                entry = {"grading": judged.key, "result": result(judged), "seconds": judged.seconds, "said": said}
                record.write(json.dumps(entry | {"load": os.getloadavg()[0]}) + "\n")
                record.flush()
                print(f"{judged.key}: {result(judged)}, {judged.seconds:.0f} s {said or ''}", flush=True)
    took = time.monotonic() - began
    counts = Counter(made.values())
    summary = ", ".join(f"{counts[what]} {what}" for what in ("right", "refused", "not judged"))
    print(f"{len(made)} gradings at the tier {hold.tier} beside {options.busy} busy processes: {summary}")
    print(f"this time {took:.0f} s; {counted.not_judged} results had a check that was not judged")


def recorded(record: Path) -> dict[str, str]:
    """Return the gradings of an earlier run, and what they came to."""
    lines = record.read_text().splitlines() if record.exists() else []
    return {entry["grading"]: entry["result"] for entry in map(json.loads, lines)}


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--katas", default="", help="names, with commas; default: all")
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3, 4], help="a round for each; default: 1,2,3,4")
    parser.add_argument("--busy", type=int, default=20, help="busy processes; default: 20")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="gradings at once; default: one a core")
    parser.add_argument("--record", type=Path, default=Path("busy.jsonl"), help="goes on with it; default: busy.jsonl")
    return parser.parse_args()


def numbers(text: str) -> list[int]:
    """Read numbers with commas between them."""
    return [int(number) for number in text.split(",")]


def tasks_of(katas: Iterable, seed: int) -> Iterator[Task]:
    """Yield every right arm of the katas."""
    for kata in katas:
        for arm in arms_of(kata, read_answer(kata.solutions)):
            if arm.kind in RIGHT:
                files = arm_from(kata, str(arm.source)).contents
                yield Task(key=f"{kata.name}/{arm.name}/{seed}", kata=kata.name, files=files, seed=seed)


def result(judged: Judged) -> str:
    """Return what a grading came to."""
    if judged.checks and all(check.passed for check in judged.checks):
        return "right"
    return "not judged" if judged.unjudged or not judged.checks else "refused"


if __name__ == "__main__":
    main()
