"""The strategies for messages that come at least once, and the check that an error is reported once."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from drill_katas import kit

DAY = [{"id": f"evt-{number}", "amount": f"{number}.00", "delivery": 1} for number in range(3)]
REPORTS = """
import prometheus_client
import structlog

FAILED = prometheus_client.Counter("orders_failed", "Failed orders.", ["reason"])
log = structlog.get_logger()


class Thing:
    def go(self, counts, lines):
        for _ in range(counts):
            FAILED.labels("full").inc()
        for _ in range(lines):
            log.error("order failed", reason="full")

    def astray(self):
        FAILED.labels("full").inc()
        log.error("order failed", reason="full", trace_id="ab" * 16)
"""
REPORT = kit.ErrorReport(
    "orders_failed_total", labels={"reason": "full"}, line={"event": "order failed", "reason": "full"}
)


@given(topic=kit.events.deliveries(DAY))
def test_deliveries_of_each_message_are_numbered(topic):
    counts = Counter(message["id"] for message in topic)
    assert set(counts) == {message["id"] for message in DAY}
    for name, times in counts.items():
        assert [message["delivery"] for message in topic if message["id"] == name] == list(range(1, times + 1))


def test_messages_come_again_and_in_any_order():
    assert find(kit.events.deliveries(DAY), lambda topic: len(topic) > len(DAY))
    assert find(kit.events.deliveries(DAY), lambda topic: topic[0]["id"] == "evt-2")


def test_alike_ids_are_different_ids():
    assert all(one != other for one, other in kit.events.ALIKE)


@given(drawn=st.lists(kit.events.ids("order"), min_size=5, max_size=5, unique=True))
def test_ids_have_their_prefix(drawn):
    assert all(each.startswith("order-") and len(each) == len("order-") + 12 for each in drawn)


@pytest.fixture
def sut(sut_bench):
    return sut_bench.start(REPORTS)


def expect_report(sut, act, times=1):
    """Observe what `act` does, and expect that many reports of a full shop."""
    with sut.open("Thing") as thing, sut.observe() as seen:
        act(thing)
    REPORT.expect(seen, "a full shop:", times=times)


def test_an_error_reported_once_passes(sut):
    expect_report(sut, lambda thing: thing.go(1, 1))
    expect_report(sut, lambda thing: thing.go(0, 0), times=0)


@pytest.mark.parametrize("unobserved", [1, 0])
def test_unobserved_errors_have_to_be_reported_too(sut, unobserved):
    """The judge has seen two failures; the program reports when its metrics are asked for."""
    with sut.open("Thing") as thing:
        with sut.observe():
            thing.go(1, 1)
        thing.go(unobserved, unobserved)
        if unobserved:
            REPORT.expect_ever(sut, "a full shop:", times=2)
            return
        with pytest.raises(AssertionError) as failure:
            REPORT.expect_ever(sut, "a full shop:", times=2)
    counts = (
        "in the whole check, observed or not, orders_failed_total counts 1 and the contract's line is in the log 1 time"
    )
    assert str(failure.value) == f"a full shop: {counts}; the judge saw 2"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda thing: thing.go(2, 1), 'orders_failed_total{reason="full"} went up by 2; it should go up by 1'),
        (
            lambda thing: thing.go(1, 0),
            "the contract's line is in the log 0 times; it should be there 1 time. Logged: nothing",
        ),
        (
            lambda thing: thing.astray(),
            f"it is logged under the trace id {'ab' * 16}; it should be logged once, under that of the request",
        ),
    ],
    ids=["counted twice", "not logged", "on another trace"],
)
def test_a_wrong_report_gets_its_message(sut, act, message):
    with pytest.raises(AssertionError) as failure:
        expect_report(sut, act)
    assert str(failure.value) == f"a full shop: {message}"
