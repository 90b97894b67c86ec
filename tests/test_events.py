"""The strategies for messages that come at least once, and the check that an error is reported once."""

from __future__ import annotations

from collections import Counter

from hypothesis import find, given
from hypothesis import strategies as st

from drill_katas import kit
from drill_katas.verdict import Outcome
from tests.conftest import MANIFEST

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
CHECK = """
REPORT = kit.ErrorReport(
    "orders_failed_total", labels={{"reason": "full"}}, line={{"event": "order failed", "reason": "full"}}
)

@pytest.mark.stage("trace")
def test_go(sut):
    '''It goes.'''
    with sut.open("Thing") as thing:
        with sut.observe() as seen:
            thing.{call}
        REPORT.expect(seen, "a full shop:", times={times})
"""


@given(topic=kit.events.deliveries(DAY))
def test_every_message_is_delivered_and_its_deliveries_are_numbered(topic):
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


def judged(toy, call, times=1):
    toy.write("kata.toml", f'{MANIFEST}preload = ["structlog", "prometheus_client"]\n')
    toy.module(REPORTS)
    toy.checks(CHECK.format(call=call, times=times))
    return toy.check()


def test_an_error_that_is_counted_and_logged_once_on_its_trace_passes(toy):
    assert judged(toy, "go(1, 1)").passed
    assert judged(toy, "go(0, 0)", times=0).passed


def test_a_report_that_is_made_only_under_observation_is_found_out(toy):
    """The judge has seen two failures; the program tells when it is observed, by its metrics being asked for."""
    observed = CHECK.replace("REPORT.expect(seen", "thing.go({also}, {also})\n        REPORT.expect_ever(sut")
    toy.write("kata.toml", f'{MANIFEST}preload = ["structlog", "prometheus_client"]\n')
    toy.module(REPORTS)
    toy.checks(observed.format(call="go(1, 1)", times=2, also=1))
    assert toy.check().passed
    toy.checks(observed.format(call="go(1, 1)", times=2, also=0))
    assert toy.check().message == (
        "a full shop: in the whole check, observed or not, orders_failed_total counts 1 and the contract's line is in "
        "the log 1 time; the judge saw 2"
    )


def test_what_is_wrong_with_a_report_is_told(toy):
    told = 'a full shop: orders_failed_total{reason="full"} went up by 2; it should go up by 1'
    assert judged(toy, "go(2, 1)").message == told
    told = "a full shop: the contract's line is in the log 0 times; it should be there 1 time. Logged: nothing"
    assert judged(toy, "go(1, 0)").message == told
    astray = judged(toy, "astray()")
    assert astray.outcome is Outcome.FAIL
    told = f"it is logged under the trace id {'ab' * 16}; it should be logged once, under that of the request"
    assert told in astray.message
