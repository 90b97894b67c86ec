"""The page of each kata agrees with the records of its incident: times, names, shares and counts, in every variant."""

from __future__ import annotations

import re
import statistics

import pytest

from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.katas import ORIGINAL, shipped
from drill_katas.evidence import history
from drill_katas.evidence.records import clock_time, day
from drill_katas.evidence.replay import Replay, story_of
from tests.support.replays import replay_once

NAMES = shipped().names()
SEEDS = {"fp_drift": (0, 2), "red_herring": (0, 2), "n_plus_one": (0,), "circular_deadlock": (0,)}
PLAYS = [
    (name, variant, seed)
    for name in NAMES
    for variant in (ORIGINAL, *shipped().get(name).manifest.variants)
    for seed in SEEDS[name]
]


class Page:
    """The part of a briefing above its contract."""

    def __init__(self, name):
        text = shipped().get(name).briefing.read_text(encoding="utf-8")
        self.text = text.partition("## The contract")[0]
        self.quoted = " ".join(line[1:].strip() for line in self.text.splitlines() if line.startswith(">"))
        self.at = re.match(r"# (\d\d:\d\d) · PAGE", self.text)[1]
        self.words = " ".join(self.text.replace("\n>", "\n").split())
        self.alerts = dict(re.findall(r"`([A-Z]\w+)`(?: \((\d\d:\d\d)\))?", self.quoted))  # name: time, or ""


def at_page(incident, page):
    """The moment of the page, in seconds since 1970."""
    hours, minutes = map(int, page.at.split(":"))
    return incident.summary.began - incident.summary.began % 86_400 + hours * 3600 + minutes * 60


def until(incident, page, **labels):
    """How many requests with these labels were counted until the page."""
    return sum(
        max((value for at, value in series.points if at <= at_page(incident, page)), default=0)
        for family in incident.metrics
        if family.name == "requests"
        for series in family.series
        if labels.items() <= series.labels.items()
    )


def lately(incident, page, minutes, **labels):
    """How many of them in the last minutes before it."""
    found = 0
    for family in incident.metrics:
        for series in family.series:
            if family.name == "requests" and labels.items() <= series.labels.items():
                seen = [(at, value) for at, value in series.points if at <= at_page(incident, page)]
                before = [value for at, value in seen if at <= at_page(incident, page) - minutes * 60]
                found += (seen[-1][1] if seen else 0) - (before[-1] if before else 0)
    return found


def gauge(incident, name):
    (family,) = (each for each in incident.metrics if each.name == name)
    return [value for series in family.series for _, value in series.points]


def logged(incident, event):
    return [line for line in incident.logs if line.event == event]


def compared(incident, page):
    return [line for line in logged(incident, "books compared") if line.at <= at_page(incident, page)]


def first_differing(incident):
    return next(line for line in logged(incident, "books compared") if line.fields["differing"])


def recorded_nights():
    """The days of the nights on record, each with the largest share of checkouts that failed."""
    families = history.metrics(shipped().get("red_herring"))
    (errors,) = (family for family in families if family.name == "checkout_error_ratio")
    nights = {}
    for series in errors.series:
        for at, value in series.points:
            nights[day(at)] = max(value, nights.get(day(at), 0))
    return nights


def restarts_at_four():
    """The days on which checkout was restarted at 04:00."""
    found = [line for line in history.deploys(shipped().get("red_herring")) if line.event == "restart"]
    return {day(line.at) for line in found if line.service == "shop-checkout" and clock_time(line.at) == "04:00:00"}


FACTS = {
    "circular_deadlock": {
        "less than 5 % of the orders of the last 4 minutes are confirmed": lambda seen, page: (
            lately(seen, page, 4, request="POST /orders", status="200")
            < 0.05 * lately(seen, page, 4, request="POST /orders")
        ),
        "`/health` green": lambda seen, page: (
            until(seen, page, request="GET /health") == until(seen, page, request="GET /health", status="200") > 0
        ),
        "nothing logged": lambda seen, _: not seen.logs,
        "Today at 15:00: a sale": lambda seen, _: clock_time(seen.summary.since) == "15:00:00",
    },
    "fp_drift": {
        "have differed from the bank for at least 5 minutes": lambda seen, page: (
            compared(seen, page)[-1].at - first_differing(seen).at > 290
        ),
        "The accounts of 12 customers": lambda seen, _: (
            len({span.attributes["account"] for span in seen.spans if span.name == "balance"}) == 12
        ),
        "are compared every 5 minutes": lambda seen, _: all(
            each.fields and clock_time(each.at)[3:5] in {"45", "50", "55", "00", "05"}
            for each in logged(seen, "books compared")
        ),
        "the last two comparisons found differences": lambda seen, page: all(
            each.fields["differing"] for each in compared(seen, page)[-2:]
        ),
        "Escalated to you at 03:07": lambda _, page: page.at == "03:07",
        "p95 normal": lambda seen, _: seen.summary.after.p95 < 0.1,
        "Tonight at 02:54: a routine deploy restarted": lambda seen, _: (
            [clock_time(line.at)[:5] for line in logged(seen, "deployed")] == ["02:54"]
        ),
    },
    "n_plus_one": {
        "since 09:00, more than half of `GET /dashboard` had no answer within 3 s": lambda seen, _: (
            seen.summary.after.share < 0.5 and clock_time(seen.summary.since) == "09:00:00"
        ),
        "next to none before": lambda seen, _: seen.summary.before.share > 0.9,
        "No slow queries": lambda seen, _: (
            statistics.quantiles([span.seconds for span in seen.spans if span.service == "orders-db"], n=100)[97] < 1
        ),
    },
    "red_herring": {
        "more than 90 % of a processor for a minute": lambda seen, _: (
            sum(value > 0.9 for value in gauge(seen, "export_worker_cpu_ratio")) >= 4
        ),
        "three of five checkouts do not end in a payment": lambda seen, page: (
            lately(seen, page, 5, service="shop-checkout", status="paid")
            < 0.4 * lately(seen, page, 5, service="shop-checkout")
        ),
        "at 04:00 on both earlier nights like this one": lambda *_: (
            {night for night, share in recorded_nights().items() if share > 0.1} == restarts_at_four()
            and len(restarts_at_four()) == 2
        ),
        "goes on sale at 02:45": lambda seen, _: (
            [clock_time(line.at)[:5] for line in logged(seen, "drop on sale")] == ["02:45"]
        ),
        "every night at 02:50": lambda seen, _: (
            clock_time(min(span.began for span in seen.spans if span.service == "export-worker"))[:5] == "02:50"
        ),
        "the last fourteen nights": lambda *_: len(recorded_nights()) == 14,
    },
}
"""What a page claims, word by word, and how the records of an incident show it."""


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_in_briefing_is_a_fact(name):
    """Each figure in the alert's text is in a claim that is compared with the records; each claim is on the page."""
    page = Page(name)
    for claim in FACTS[name]:
        assert claim in page.words, f"BRIEFING.md of {name} no longer says {claim!r}"
    claims = " ".join([*FACTS[name], *(f"({time})" for time in page.alerts.values())])
    for figure in re.findall(r"\d[\d:,.]*", page.quoted):
        assert figure.rstrip(".,:") in claims, f"{figure} is on the page of {name}, and no claim of it is compared"
    with story_of(shipped().get(name)) as story:
        rules = {rule.name: rule for rule in story.INCIDENT.rules}
    assert page.alerts.keys() <= rules.keys()
    assert any(rules[alert].severity == "page" for alert in page.alerts)
    for minutes in re.findall(r"(\d) minutes", page.quoted):
        assert any(f"{minutes}m" in f"{rules[alert].condition} {rules[alert].wait}" for alert in page.alerts)


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_is_two_short_tables(name):
    """A briefing has at most 45 lines; each rule is one row with its own id, at most 8 of them do not hold today."""
    text = shipped().get(name).briefing.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 45
    broken, _, kept = text.partition("### What does not hold today")[2].partition("### What holds today")
    rules = [re.findall(r"^\| ([A-Z]\d) \| .+ \|$", part, re.MULTILINE) for part in (broken, kept)]
    assert 0 < len(rules[0]) <= 8
    assert len(set(rules[0] + rules[1])) == len(rules[0] + rules[1])
    assert "F1" in rules[1], "a rule for calls that cannot do their work"


@pytest.mark.long
@pytest.mark.parametrize(("name", "variant", "seed"), PLAYS)
def test_a_page_agrees_with_the_records(shared, name, variant, seed):
    """Its alerts have fired when it goes out, at the times it names; and each of its claims is so."""
    of, page = shipped().get(name), Page(name)
    incident = replay_once(shared, Replay(of, arm_from(of, str(of.variant_folder(variant))), variant, seed=seed))
    fired = {}
    for alert in incident.alerts:
        fired.setdefault(alert.name, alert.fired)
    for alert, time in page.alerts.items():
        assert alert in fired, f"{alert} is on the page, and does not fire"
        assert fired[alert] <= at_page(incident, page), f"{alert} fires {clock_time(fired[alert])}, after the page"
        assert not time or clock_time(fired[alert])[:5] == time
    paged = {each.name for each in incident.alerts if each.severity == "page" and each.fired <= at_page(incident, page)}
    assert paged <= page.alerts.keys(), "alerts that page somebody are on the page"
    for claim, holds in FACTS[name].items():
        assert holds(incident, page), f"the records do not show: {claim}"


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "arm"),
    [(name, arm.name) for name in NAMES for arm in sorted((shipped().get(name).solutions / "accepted").iterdir())],
)
def test_no_right_fix_pages_anybody(shared, name, arm):
    of = shipped().get(name)
    incident = replay_once(shared, Replay(of, arm_from(of, str(of.solutions / "accepted" / arm)), ORIGINAL, seed=0))
    assert not [alert.name for alert in incident.alerts if alert.severity == "page"]
