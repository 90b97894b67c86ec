"""Chains and cycles of waiting applications, found in the calls that a network has seen."""

from __future__ import annotations

import itertools
import re

import pytest

from drill_katas import kit
from drill_katas.failures import Hang
from drill_katas.kit import waits
from drill_katas.services.hops import Hop
from tests.support.worlds import WORLD

ONE, OTHER = "1" * 32, "2" * 32


def hop(caller, callee, number, began, trace: str | None = ONE, ended: float | None = None) -> Hop:
    headers = {} if trace is None else {"traceparent": f"00-{trace}-{trace[:16]}-01"}
    status = None if ended is None else 200
    return Hop(number, caller, callee, "GET", "/", headers, b"", began, ended, status)


def a_chain(trace: str, first: int, began: float) -> list[Hop]:
    """A customer's call to a, on to b and c, and back to a; each number is the one before plus one."""
    path = ["customers", "a", "b", "c", "a"]
    steps = itertools.pairwise(path)
    return [hop(caller, callee, first + n, began + n, trace) for n, (caller, callee) in enumerate(steps)]


def test_chain_follows_calls_of_one_trace():
    hops = [*a_chain(ONE, 1, 0.0)[:3], hop("customers", "a", 9, 0.5, OTHER), hop("a", "b", 8, 1.5, OTHER)]
    chains = [[str(each) for each in chain] for chain in waits.chains(hops)]
    assert chains == [["a#1", "b#2", "c#3"], ["a#9", "b#8"]]


def test_chain_has_only_open_calls():
    hops = [hop("customers", "a", 1, 0.0), hop("a", "b", 1, 1.0, ended=2.0), hop("a", "b", 2, 3.0)]
    assert [[str(each) for each in chain] for chain in waits.chains(hops)] == [["a#1", "b#2"]]


def test_calls_off_the_trace_join_no_chain():
    hops = [hop("customers", "a", 1, 0.0), hop("a", "b", 1, 1.0, trace=None), hop("b", "a", 2, 2.0, trace=None)]
    assert [len(chain) for chain in waits.chains(hops)] == [1, 1, 1]
    assert waits.cycles(hops) == []


def test_a_later_call_makes_no_earlier_one():
    hops = [hop("a", "b", 1, 0.0), hop("customers", "a", 1, 1.0)]
    assert [len(chain) for chain in waits.chains(hops)] == [1, 1]


def test_each_request_on_trace_has_own_chain():
    hops = [hop("customers", "a", n, n / 10) for n in range(3)] + [hop("a", "b", n, 1 + n / 10) for n in range(3)]
    assert [[str(each) for each in chain] for chain in waits.chains(hops)] == [
        ["a#0", "b#0"],
        ["a#1", "b#1"],
        ["a#2", "b#2"],
    ]


def test_a_cycle_names_callers_and_held_workers():
    hops = [each for trace, first, began in ((ONE, 1, 0.0), (OTHER, 5, 0.1)) for each in a_chain(trace, first, began)]
    shown = waits.describe(hops, workers=2)
    assert shown == "they wait in a cycle: a#1 -> b#2 -> c#3 -> a (2 of 2 workers held), and 1 more like it"


def test_an_answered_cycle_is_no_cycle():
    hops = a_chain(ONE, 1, 0.0)
    hops[-1].status = 200
    assert waits.cycles(hops) == []
    shown = waits.describe(hops, workers=1)
    assert shown == "open calls: a 1, b 1, c 1; the longest chain of them is a#1 -> b#2 -> c#3, which calls nobody"


def test_a_cycle_begins_at_its_return():
    hops = [hop("customers", "front", 1, -1.0), *a_chain(ONE, 1, 0.0)]
    hops[1].caller = "front"
    assert [[str(each) for each in cycle] for cycle in waits.cycles(hops)] == [["a#1", "b#2", "c#3", "a#4"]]


def test_no_open_call_has_its_message():
    assert waits.describe([hop("customers", "a", 1, 0.0, ended=1.0)], workers=2) == "no call is open"


def test_overlap_counts_what_is_open_at_once():
    hops = [
        hop("a", "b", 1, 0.0, ended=2.0),
        hop("a", "b", 2, 1.0, ended=3.0),
        hop("a", "b", 3, 2.0, ended=4.0),
        hop("a", "b", 4, 2.5),
        hop("a", "c", 1, 0.0, ended=9.0),
    ]
    assert waits.max_overlap(hops[:3]) == 2  # the third begins when the first has ended
    assert waits.most_open(hops, "a", "b") == 3
    assert waits.most_open(hops, "a", "c") == 1
    assert waits.most_open(hops, "b", "a") == 0
    assert waits.max_overlap([]) == 0


CALLS_BACK = """
import asyncio

from aiohttp import web


def make_app(world):
    workers = asyncio.Semaphore(2)
    other = {"front": "back", "back": "front"}[world.name]

    async def through(request):
        async with workers:
            status, body = await world.ask(other, "/again", {"traceparent": request.headers["traceparent"]})
        return web.json_response(body, status=status)

    async def again(request):
        if world.name == "back":
            return await through(request)
        async with workers:
            await asyncio.to_thread(int)  # which leaves a thread without work
            return web.json_response({})

    app = web.Application()
    app.router.add_get("/through", through)
    app.router.add_get("/again", again)
    return app
"""


def test_a_cycle_of_applications_is_described(sut_bench):
    """Two applications that wait for each other, found out while their customers wait."""
    sut, network = sut_bench.start(CALLS_BACK, world=WORLD), kit.network("front", "back")
    for name in ("front", "back"):
        sut.serve("make_app", network.node(name))
    assert network.ask("front", "GET", "/through", within=5).status == 200
    patience = kit.load.Patience(1.0, lambda: sut.hang(kit.waits.describe(network.hops, workers=2)))
    with pytest.raises(Hang) as hang:
        kit.load.burst(network, "front", [("GET", "/through", {})] * 2, within=60, patience=patience)
    cycle = r"they wait in a cycle: front#\d -> back#\d -> front \(2 of 2 workers held\), and 1 more like it"
    assert re.fullmatch(cycle, str(hang.value))
    details = "\n".join(hang.value.details)
    assert "2 tasks wait:" in details
    assert "concurrent/futures" not in details
