"""Grades every right arm beside busy processes: python busy.py [--katas NAMES] [--seeds NUMBERS] [--busy N].

Every arm is right, so the grader causes any other verdict than `pass`: a refusal is wrong, `not judged` is acceptable.
Prints the counts, and writes a line of JSON per grading. Each seed is a round of all right arms; a round takes about 40
minutes on two cores beside 20 processes. An interrupted run continues: gradings in the record are skipped.
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
    """Judges that count results with a check that was not judged; such a task is judged again."""

    def __init__(self, judges: Judges) -> None:
        self._judges = judges
        self.not_judged = 0

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield the result of each task."""
        for judged in self._judges.judged(tasks):
            self.not_judged += bool(judged.unjudged)
            yield judged


def main() -> None:
    """Judge all arms; print a line per grading, and the counts at the end."""
    options = parsed()
    katas = [kata for kata in shipped() if not options.katas or kata.name in options.katas.split(",")]
    made = recorded(options.record)
    began = time.monotonic()
    policy = strongest_policy(katas, None, unsafe=True)
    with busy(options.busy), Pool(katas, policy, options.jobs) as pool, options.record.open("a") as record:
        counted = Counted(pool)
        for seed in options.seeds:
            for judged in settled(counted, (task for task in tasks_of(katas, seed) if task.key not in made)):
                messages = {check.name: check.message for check in judged.checks if not check.passed} or judged.problem
                made[judged.key] = result(judged)
                entry = {"grading": judged.key, "result": result(judged), "seconds": judged.seconds, "said": messages}
                record.write(json.dumps(entry | {"load": os.getloadavg()[0]}) + "\n")
                record.flush()
                print(f"{judged.key}: {result(judged)}, {judged.seconds:.0f} s {messages or ''}", flush=True)
    took = time.monotonic() - began
    counts = Counter(made.values())
    summary = ", ".join(f"{counts[what]} {what}" for what in ("right", "refused", "not judged"))
    print(f"{len(made)} gradings at the tier {policy.tier} beside {options.busy} busy processes: {summary}")
    print(f"this time {took:.0f} s; {counted.not_judged} results had a check that was not judged")


def recorded(record: Path) -> dict[str, str]:
    """Return the results of an earlier run by grading."""
    lines = record.read_text().splitlines() if record.exists() else []
    return {entry["grading"]: entry["result"] for entry in map(json.loads, lines)}


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--katas", default="", help="comma-separated names; default: all")
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3, 4], help="seeds, one round each; default: 1,2,3,4")
    parser.add_argument("--busy", type=int, default=20, help="busy processes; default: 20")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="gradings at once; default: one per core")
    parser.add_argument("--record", type=Path, default=Path("busy.jsonl"), help="file to continue; default: busy.jsonl")
    return parser.parse_args()


def numbers(text: str) -> list[int]:
    """Parse comma-separated numbers."""
    return [int(number) for number in text.split(",")]


def tasks_of(katas: Iterable, seed: int) -> Iterator[Task]:
    """Yield a task for every right arm of the katas."""
    for kata in katas:
        for arm in arms_of(kata, read_answer(kata.solutions)):
            if arm.kind in RIGHT:
                files = arm_from(kata, str(arm.source)).contents
                yield Task(key=f"{kata.name}/{arm.name}/{seed}", kata=kata.name, files=files, seed=seed)


def result(judged: Judged) -> str:
    """Return "right", "refused", or "not judged"."""
    if judged.checks and all(check.passed for check in judged.checks):
        return "right"
    return "not judged" if judged.unjudged or not judged.checks else "refused"


if __name__ == "__main__":
    main()
