"""Scores of diagnoses without evidence: the best constant answer, random answers, and the first alert."""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.katas import ORIGINAL, shipped
from drill_katas.catalog.mechanisms import MECHANISMS, NOTHING
from drill_katas.evidence.query import services
from drill_katas.evidence.replay import Replay, replay
from drill_katas.investigation.baseline import best_constant, constant_points
from drill_katas.investigation.scoring import DAY, Hypothesis, score

if TYPE_CHECKING:
    from drill_katas.evidence.records import IncidentRecord
    from drill_katas.investigation.baseline import Named

MANY = 2_000


def main() -> None:
    """Print a table with a line per variant, in points of 100."""
    print(f"{'':30} constant  loudest  random (mean, best of {MANY})")
    for kata in shipped():
        truths = read_answer(kata.solutions).diagnosis
        best = best_constant(list(truths.values()))
        for variant in (ORIGINAL, *kata.manifest.variants):
            incident = replay(Replay(kata, arm_from(kata, str(kata.variant_folder(variant))), variant))
            chance = random.Random(0)
            by_chance = [score(guess(incident, chance), truths, incident, {}).points for _ in range(MANY)]
            constant, loud = (
                score(each, truths, incident, {}).points for each in (constantly(best, incident), loudest(incident))
            )
            random_points = f"{statistics.mean(by_chance):6.1f} {max(by_chance):5}"
            print(f"{kata.name + ' ' + variant:30} {constant:8}  {loud:7}  {random_points}")
        print(f"{'  zero of the scale':30} {constant_points(truths.values()):8.1f}")


def constantly(best: Named, incident: IncidentRecord) -> Hypothesis:
    """Return the best constant answer of a kata, for one of its incidents."""
    day = incident.summary.began - incident.summary.began % DAY
    return Hypothesis(
        component=best.component,
        mechanisms=tuple(best.mechanisms),
        onset=None if best.onset is None else day + best.onset,
        alerts=best.alerts,
    )


def loudest(incident: IncidentRecord) -> Hypothesis:
    """Return the diagnosis that blames the service in the first alert's name."""
    alerts = incident.alerts
    named = [each for each in services(incident) if alerts and each.split("-")[0] in alerts[0].name.lower()]
    return Hypothesis(
        component=(named or services(incident))[0],
        mechanisms=("cpu-saturation",),
        onset=alerts[0].fired if alerts else None,
        alerts=dict.fromkeys((alert.name for alert in alerts), "caused"),
    )


def guess(incident: IncidentRecord, chance: random.Random) -> Hypothesis:
    """Return a random answer for each part."""
    return Hypothesis(
        component=chance.choice([NOTHING, *services(incident)]),
        mechanisms=(chance.choice(list(MECHANISMS)),),
        onset=incident.summary.began + 60 * chance.randrange(30),
        alerts={alert.name: chance.choice(["caused", "noise"]) for alert in incident.alerts},
        evidence=(chance.choice([span.trace_id for span in incident.spans]),),
    )


if __name__ == "__main__":
    main()
