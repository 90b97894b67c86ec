"""Scores of diagnoses: right answers, circles, onsets, experiments, and guesses."""

from __future__ import annotations

import itertools
import random

import pytest

from drill_katas.catalog.answer import EFFECTS, read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.katas import ORIGINAL, shipped
from drill_katas.catalog.mechanisms import MECHANISMS, NOTHING
from drill_katas.evidence import store
from drill_katas.evidence.graph import cycles, edges
from drill_katas.evidence.query import moment, services
from drill_katas.evidence.records import Alert, IncidentRecord, ServiceLevel, Summary
from drill_katas.evidence.replay import Replay, story_of
from drill_katas.investigation.baseline import POINTS, Named, best_constant, beyond, constant_points, points, stretch_of
from drill_katas.investigation.scoring import Hypothesis, outcome, score
from tests.support.replays import replay_once

NAMES = shipped().names()
VARIANTS = [(name, variant) for name in NAMES for variant in (ORIGINAL, *shipped().get(name).manifest.variants)]


def right(truth, **changed):
    """The right answer without evidence and experiment, but for what is changed."""
    stretch = stretch_of(truth)
    onset = stretch and 1_000 * 86400 + stretch[0]
    answer = {
        "component": truth.components[0], "mechanisms": truth.mechanisms, "onset": onset, "alerts": truth.alerts,
    }  # fmt: skip
    return Hypothesis(**answer | changed)


def judged(incident, hypothesis, came=None):
    return score(hypothesis, truths_of(incident.summary.kata), incident, came or {})


def truths_of(name):
    return read_answer(shipped().get(name).solutions).diagnosis


def an_incident(name, variant):
    """An incident of a variant in which every alert fires, with one log line; nothing is replayed."""
    truth = truths_of(name)[variant]
    stretch = stretch_of(truth)
    summary = Summary(
        kata=name, variant=variant, source="workspace", seed=0, ablation=None, began=86400_000.0, ended=86401_800.0,
        since=86400_900.0, until=86401_800.0, onset=stretch and 86400_000.0 + stretch[0],
        before=ServiceLevel(requests=1, good=1, p95=0.1), after=ServiceLevel(requests=1, good=0, p95=0.1), seconds=1.0,
    )  # fmt: skip
    alerts = tuple(
        Alert(name=each, severity="page", summary="", expression="", fired=86400_900.0, resolved=None)
        for each in truth.alerts
    )
    return IncidentRecord(summary=summary, logs=(), spans=(), metrics=(), alerts=alerts)


# Right answers


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_variants_diagnosis_names_existing_parts(name, variant):
    truth = read_answer(shipped().get(name).solutions).diagnosis[variant]
    with story_of(shipped().get(name)) as story:
        assert set(truth.alerts) == {rule.name for rule in story.INCIDENT.rules}
        assert set(truth.supports) <= set(story.INCIDENT.ablations)
    assert set(truth.mechanisms) <= set(MECHANISMS)
    assert "noise" in truth.alerts.values(), "every incident has a red herring"


@pytest.mark.long
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_declarations_of_a_variant_come_true(shared, name, variant):
    """The failure and its evidence exist, and every declared experiment identifies the cause."""
    of = shipped().get(name)
    arm = arm_from(of, str(of.variant_folder(variant)))
    truths = read_answer(of.solutions).diagnosis
    truth = truths[variant]
    as_it_was = replay_once(shared, Replay(of, arm, variant))
    assert (as_it_was.summary.onset is None) == (truth.components == (NOTHING,)) == (not truth.onset)
    if truth.onset:
        first, last = stretch_of(truth)
        assert first - 60 <= as_it_was.summary.onset % 86400 <= last + 60
    assert set(truth.components) <= {NOTHING, *services(as_it_was)}
    came = {
        ablation: outcome(as_it_was, replay_once(shared, Replay(of, arm, variant, ablation=ablation)))
        for ablation in truth.supports
    }
    assert came == truth.supports
    ids = {line.id for line in as_it_was.logs} | {span.trace_id for span in as_it_was.spans}
    ablation, predicted = next(iter(came.items()))
    best = max(
        (
            score(
                Hypothesis(
                    component=truth.components[0],
                    mechanisms=truth.mechanisms,
                    onset=as_it_was.summary.onset,
                    alerts=truth.alerts,
                    evidence=(each,),
                    experiment=(ablation, predicted),
                ),
                truths,
                as_it_was,
                came,
            )
            for each in sorted(ids)[:400]
        ),
        key=lambda each: each.points,
    )
    assert best.points == 100, best
    assert best.right


def test_every_member_of_cycle_is_right_component(drills):
    """The circle is the one that `kata graph` shows."""
    incident = store.read(drills / ".kata" / "incidents" / "circular_deadlock", "circular_deadlock")
    (circle,) = cycles(edges(incident.spans, incident.summary.ended))
    truth = read_answer(shipped().get("circular_deadlock").solutions).diagnosis[ORIGINAL]
    assert set(truth.components) == set(circle.split(" -> "))
    for each in truth.components:
        (component, *_) = judged(incident, right(truth, component=each)).parts
        assert component.right, each


@pytest.mark.parametrize(
    ("name", "shown", "not_shown"),
    [
        ("fp_drift", ["02:41", "02:43", "02:45:08"], ["02:50:15", "02:54", "never"]),
        ("red_herring", ["02:55", "02:56:30"], ["02:45", "02:51:15", "never"]),
        ("n_plus_one", ["09:00", "09:02"], ["08:57", "09:04", "never"]),
        ("circular_deadlock", ["15:00", "15:01:40"], ["14:42:20", "15:04:40", "never"]),
    ],
)
def test_onset_is_right_where_evidence_shows_it(drills, name, shown, not_shown):
    """fp_drift compares its books every five minutes: the first that differ, and any time since the last, are right."""
    incident = store.read(drills / ".kata" / "incidents" / name, name)
    truth = read_answer(shipped().get(name).solutions).diagnosis[ORIGINAL]
    for text in (*shown, *not_shown):
        onset = None if text == "never" else moment(incident, text)
        (part,) = (each for each in judged(incident, right(truth, onset=onset)).parts if each.name == "onset")
        assert part.right == (text in shown), text


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_experiments_reason_depends_on_it_alone(name, variant):
    """For any named cause, and any other experiments in any order."""
    of = shipped().get(name)
    truth = read_answer(of.solutions).diagnosis[variant]
    incident = an_incident(name, variant)
    with story_of(of) as story:
        ablations = list(story.INCIDENT.ablations)
    wrong = [mechanism for mechanism in MECHANISMS if mechanism not in truth.mechanisms][:3]
    for ablation in ablations:
        came = truth.supports.get(ablation, "unchanged")
        others = {each: "better" for each in ablations if each != ablation}
        reasons = {
            judged(incident, right(truth, mechanisms=named, experiment=(ablation, came)), tried).parts[-1].why
            for named in ([(each,) for each in wrong] + [truth.mechanisms] * (ablation not in truth.supports))
            for tried in ({ablation: came}, {ablation: came, **others}, {**others, ablation: came})
        }
        other = "this supports another cause"
        why = other if ablation in truth.supports else "other causes have the same outcome"
        assert reasons == {f"with {ablation} {EFFECTS[came]}, as predicted; {why}"}


# Guesses


@pytest.mark.parametrize("name", NAMES)
def test_no_constant_answer_beats_the_zero(name):
    """Of each part, every answer there is: the best of these, over the variants, is where the scale begins."""
    truths = list(truths_of(name).values())
    components = sorted({each for truth in truths for each in truth.components} | {"elsewhere"})
    mechanisms = [frozenset(of) for size in (1, 2, 3) for of in itertools.combinations(MECHANISMS, size)]
    moments = [None, *(60.0 * minute for minute in range(24 * 60))]
    alerts = list(truths[0].alerts)
    marks = [dict(zip(alerts, of, strict=True)) for of in itertools.product(["caused", "noise"], repeat=len(alerts))]
    nothing = {"component": "elsewhere", "mechanisms": frozenset(), "onset": -9e9, "alerts": {}}
    best = sum(
        max(
            sum(points(Named(**nothing | {part: value}).shares(truth)) for truth in truths) / len(truths)
            for value in values
        )
        for part, values in {
            "component": components, "mechanisms": mechanisms, "onset": moments, "alerts": marks,
        }.items()
    )  # fmt: skip
    assert best == pytest.approx(constant_points(truths))
    assert beyond(best, constant_points(truths)) == pytest.approx(0)
    assert beyond(100, constant_points(truths)) == 1


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_an_answer_without_grounds_earns_nothing(name, variant):
    """Every constant one, the right one by luck, and one whose experiment supports another cause."""
    incident = an_incident(name, variant)
    truth, best = truths_of(name)[variant], best_constant(list(truths_of(name).values()))
    onset = None if best.onset is None else incident.summary.began + best.onset
    constant = Hypothesis(
        component=best.component, mechanisms=tuple(best.mechanisms), onset=onset, alerts=best.alerts
    )  # fmt: skip
    ablation, came = next(iter(truth.supports.items()))
    elsewhere = right(truth, mechanisms=("clock-error",), experiment=(ablation, came))
    for guess, tried in ((constant, {}), (right(truth), {}), (elsewhere, {ablation: came})):
        assert judged(incident, guess, tried).points == 0
    assert judged(incident, right(truth, experiment=(ablation, came)), {ablation: came}).points == 50


def test_the_points_are_a_hundred():
    assert sum(POINTS.values()) == 100


def guesses(incident, chance):
    """A random answer for each part."""
    minute = chance.randrange(30)
    return Hypothesis(
        component=chance.choice([NOTHING, *services(incident)]),
        mechanisms=(chance.choice(list(MECHANISMS)),),
        onset=incident.summary.began + 60 * minute,
        alerts={alert.name: chance.choice(["caused", "noise"]) for alert in incident.alerts},
        evidence=(chance.choice([span.trace_id for span in incident.spans]),),
    )


@pytest.mark.parametrize("name", NAMES)
def test_random_and_loudest_answers_score_almost_nothing(drills, name):
    """Random ones cite a trace, too; docs/performance.md has these figures."""
    incident = store.read(drills / ".kata" / "incidents" / name, name)
    chance = random.Random(0)
    random_ones = [judged(incident, guesses(incident, chance)) for _ in range(200)]
    assert not any(each.right for each in random_ones)
    assert sum(each.points for each in random_ones) / 200 < 2
    loudest = Hypothesis(
        component=services(incident)[0],
        mechanisms=("cpu-saturation",),
        onset=incident.alerts[0].fired,
        alerts={alert.name: "caused" for alert in incident.alerts},
    )
    assert judged(incident, loudest).points == 0
