"""Load on a node: what is sent when, and what is told of the answers."""

from __future__ import annotations

import itertools

import pytest

from drill_katas.kit import load
from drill_katas.services.hops import HttpResponse
from tests.conftest import MANIFEST
from tests.test_network import WORLD

APP = """
import asyncio

from aiohttp import web


def make_app(world):
    open_now = 0
    seen = {"most": 0, "hung up": 0, "finished": 0, "order": []}

    async def slow(request):
        nonlocal open_now
        open_now += 1
        seen["most"] = max(seen["most"], open_now)
        seen["order"].append(request.query.get("n"))
        try:
            await asyncio.sleep(float(request.query.get("takes", "0.1")))
        except asyncio.CancelledError:
            seen["hung up"] += 1
            raise
        finally:
            open_now -= 1
        seen["finished"] += 1
        return web.json_response({}, status=int(request.query.get("status", "200")))

    async def told(request):
        return web.json_response(seen)

    app = web.Application()
    app.router.add_get("/slow", slow)
    app.router.add_get("/seen", told)
    return app
"""
START = """
    network = kit.network("front")
    sut.serve("make_app", network.node("front"))
    def gets(*queries):
        return [("GET", f"/slow?n={n}&{query}", {}) for n, query in enumerate(queries)]
    def seen():
        return network.ask("front", "GET", "/seen", within=5).json()
"""


@pytest.fixture
def front(toy):
    toy.write("kata.toml", MANIFEST.replace('"calls"', '"http"') + 'preload = ["aiohttp.web"]\n')
    toy.write("world.py", WORLD)
    toy.module(APP)
    return toy


def passes(front, body: str) -> None:
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    front.checks(f'@pytest.mark.stage("symptom")\ndef test_go(sut):\n    """It goes."""\n{START}{lines}')
    result = front.check()
    assert result.passed, result.message


def test_a_burst_is_sent_all_at_once_and_answered_in_its_order(front):
    passes(
        front,
        """
load = kit.load.burst(network, "front", gets(*(f"status={200 + n}" for n in range(10))), within=5)
assert [answer.status for answer in load.answers] == list(range(200, 210)), load
assert seen()["most"] == 10, seen()
assert load.good_answers == 10
""",
    )


def test_in_a_closed_loop_each_customer_waits_for_an_answer_before_the_next_request(front):
    passes(
        front,
        """
load = kit.load.closed_loop(network, "front", gets(*["takes=0.02"] * 12), clients=3, within=5)
assert seen()["most"] == 3, seen()
assert len(load.answers) == seen()["finished"] == 12
assert load.seconds >= 4 * 0.02, load
""",
    )


def test_in_an_open_loop_each_request_is_sent_at_its_time_whatever_becomes_of_the_others(front):
    passes(
        front,
        """
later, soon = gets("takes=0", "takes=1.5")
arrivals = [kit.load.Arrival(0.5, later, 5), kit.load.Arrival(0.0, soon, 5)]
load = kit.load.open_loop(network, "front", arrivals)
assert seen()["order"] == ["1", "0"], seen()
assert load.answers[0].seconds < 1 < load.answers[1].seconds, load
""",
    )


def test_a_customer_that_hangs_up_cancels_its_request(front):
    passes(
        front,
        """
import time
hasty, patient = gets("takes=30", "takes=0.3")
arrivals = [kit.load.Arrival(0.0, hasty, 0.2), kit.load.Arrival(0.0, patient, 5)]
load = kit.load.open_loop(network, "front", arrivals)
assert [answer.status for answer in load.answers] == [None, 200]
until = time.monotonic() + 5
while not seen()["hung up"] and time.monotonic() < until:
    time.sleep(0.02)
assert (seen()["hung up"], seen()["finished"]) == (1, 1), seen()
""",
    )


def test_a_load_that_takes_too_long_is_given_up_while_its_customers_still_wait(front):
    passes(
        front,
        """
class TooLong(Exception):
    pass
def lost():
    return TooLong([str(hop) for hop in network.open_hops()])
with pytest.raises(TooLong, match="front#1.*front#2"):
    kit.load.burst(network, "front", gets("takes=30", "takes=30"), within=60, patience=kit.load.Patience(0.3, lost))
kit.load.burst(network, "front", gets("takes=0"), within=5, patience=kit.load.Patience(5, lost))
""",
    )


def test_what_is_good_is_said_by_who_asks(front):
    passes(
        front,
        """
requests = gets("takes=0", "takes=0&status=503", "takes=0&status=404")
assert kit.load.burst(network, "front", requests, within=5).good_answers == 1
only_503 = kit.load.burst(network, "front", requests, within=5, good=lambda answer: answer.status == 503)
assert only_503.good_answers == 1 and only_503.goodput > 0
""",
    )


def answers(*seconds: float, status: int | None = 200) -> tuple[HttpResponse, ...]:
    return tuple(HttpResponse("", status, seconds=each) for each in seconds)


def test_percentiles_are_nearest_ranks():
    told = load.Load(answers(*(n / 100 for n in range(100, 0, -1))), seconds=2.0)
    assert (told.p50, told.p95, told.p99, told.percentile(100), told.percentile(0)) == (0.5, 0.95, 0.99, 1.0, 0.01)
    few = load.Load(answers(3.0, 1.0, 2.0), seconds=3.0)
    assert (few.p50, few.p95, few.percentile(34)) == (2.0, 3.0, 2.0)
    assert few.percentile(33) == 1.0


def test_nothing_sent_has_no_percentile_and_no_goodput():
    nothing = load.Load((), seconds=0.0)
    assert (nothing.goodput, nothing.describe()) == (0.0, "no requests")
    with pytest.raises(AssertionError, match="no requests"):
        _ = nothing.p50


def test_a_load_is_described_on_one_line():
    mixed = load.Load((*answers(0.1, 0.2, 0.3), *answers(0.4, status=503), *answers(2.0, status=None)), seconds=2.0)
    assert mixed.describe() == (
        "5 requests: 3 times 200, 1 time 503, 1 time no answer; 1.5 good a second; p50 0.30 s, p95 2.00 s, p99 2.00 s"
    )
    assert mixed.statuses == {200: 3, 503: 1, None: 1}


def test_poisson_arrivals_come_from_their_seed_at_their_rate():
    requests = [("GET", "/", {})] * 2_000
    arrivals = load.poisson(requests, rate=50.0, within=1.0, seed=7)
    assert arrivals == load.poisson(requests, rate=50.0, within=1.0, seed=7)
    assert arrivals != load.poisson(requests, rate=50.0, within=1.0, seed=8)
    times = [arrival.at for arrival in arrivals]
    assert times == sorted(times)
    assert 36 < times[-1] < 44  # 2,000 at 50 a second take 40 s, with a standard deviation of 0.9 s
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    assert 0.8 < gaps[len(gaps) // 2] * 50 / 0.693 < 1.2  # the median of an exponential is ln 2 / rate
