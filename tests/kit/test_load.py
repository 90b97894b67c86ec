"""Load on a node: send times of requests, and figures of their answers."""

from __future__ import annotations

import itertools

import pytest

from drill_katas import kit
from drill_katas.kit import load
from drill_katas.services.hops import HttpResponse
from tests.support.waiting import wait_until
from tests.support.worlds import WORLD

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

    async def show_seen(request):
        return web.json_response(seen)

    app = web.Application()
    app.router.add_get("/slow", slow)
    app.router.add_get("/seen", show_seen)
    return app
"""


class Front:
    """A network with one node, and what its application has seen."""

    def __init__(self, sut):
        self.network = kit.network("front")
        sut.serve("make_app", self.network.node("front"))

    def seen(self):
        return self.network.ask("front", "GET", "/seen", within=5).json()


def gets(*queries):
    return [("GET", f"/slow?n={n}&{query}", {}) for n, query in enumerate(queries)]


@pytest.fixture
def front(sut_bench):
    return Front(sut_bench.start(APP, world=WORLD))


def test_a_burst_is_sent_at_once(front):
    sent = kit.load.burst(front.network, "front", gets(*(f"status={200 + n}" for n in range(10))), within=5)
    assert [answer.status for answer in sent.answers] == list(range(200, 210)), sent
    assert front.seen()["most"] == 10, front.seen()
    assert sent.good_answers == 10


def test_closed_loop_clients_wait_for_answers(front):
    sent = kit.load.closed_loop(front.network, "front", gets(*["takes=0.02"] * 12), clients=3, within=5)
    assert front.seen()["most"] == 3, front.seen()
    assert len(sent.answers) == front.seen()["finished"] == 12
    assert sent.seconds >= 4 * 0.02, sent


def test_open_loop_requests_keep_their_times(front):
    later, soon = gets("takes=0", "takes=1.5")
    arrivals = [kit.load.Arrival(0.5, later, 5), kit.load.Arrival(0.0, soon, 5)]
    sent = kit.load.open_loop(front.network, "front", arrivals)
    assert front.seen()["order"] == ["1", "0"], front.seen()
    assert sent.answers[0].seconds < 1 < sent.answers[1].seconds, sent


def test_hanging_up_cancels_the_request(front):
    hasty, patient = gets("takes=30", "takes=0.3")
    arrivals = [kit.load.Arrival(0.0, hasty, 0.2), kit.load.Arrival(0.0, patient, 5)]
    sent = kit.load.open_loop(front.network, "front", arrivals)
    assert [answer.status for answer in sent.answers] == [None, 200]
    wait_until(lambda: front.seen()["hung up"])
    assert (front.seen()["hung up"], front.seen()["finished"]) == (1, 1), front.seen()


def test_a_load_gives_up_without_patience(front):
    class TooLong(Exception):
        pass

    def lost():
        return TooLong([str(hop) for hop in front.network.open_hops()])

    with pytest.raises(TooLong, match=r"front#1.*front#2"):
        kit.load.burst(
            front.network, "front", gets("takes=30", "takes=30"), within=60, patience=kit.load.Patience(0.3, lost)
        )
    kit.load.burst(front.network, "front", gets("takes=0"), within=5, patience=kit.load.Patience(5, lost))


def test_the_caller_defines_a_good_answer(front):
    requests = gets("takes=0", "takes=0&status=503", "takes=0&status=404")
    assert kit.load.burst(front.network, "front", requests, within=5).good_answers == 1
    only_503 = kit.load.burst(front.network, "front", requests, within=5, good=lambda answer: answer.status == 503)
    assert only_503.good_answers == 1
    assert only_503.goodput > 0


def answers(*seconds: float, status: int | None = 200) -> tuple[HttpResponse, ...]:
    return tuple(HttpResponse("", status, seconds=each) for each in seconds)


def test_percentiles_are_nearest_ranks():
    message = load.Load(answers(*(n / 100 for n in range(100, 0, -1))), seconds=2.0)
    assert (message.p50, message.p95, message.p99, message.percentile(100), message.percentile(0)) == (
        0.5,
        0.95,
        0.99,
        1.0,
        0.01,
    )
    few = load.Load(answers(3.0, 1.0, 2.0), seconds=3.0)
    assert (few.p50, few.p95, few.percentile(34)) == (2.0, 3.0, 2.0)
    assert few.percentile(33) == 1.0


def test_an_empty_load_has_no_percentile():
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


def test_poisson_arrivals_follow_seed_and_rate():
    requests = [("GET", "/", {})] * 2_000
    arrivals = load.poisson(requests, rate=50.0, within=1.0, seed=7)
    assert arrivals == load.poisson(requests, rate=50.0, within=1.0, seed=7)
    assert arrivals != load.poisson(requests, rate=50.0, within=1.0, seed=8)
    times = [arrival.at for arrival in arrivals]
    assert times == sorted(times)
    assert 36 < times[-1] < 44  # 2,000 at 50 a second take 40 s, with a standard deviation of 0.9 s
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    assert 0.8 < gaps[len(gaps) // 2] * 50 / 0.693 < 1.2  # the median of an exponential is ln 2 / rate
