"""Who waits for whom, told from the calls that a network has seen."""

from __future__ import annotations

import itertools
import re

from drill_katas.kit import waits
from drill_katas.services.hops import Hop
from drill_katas.verdict import Outcome
from tests.conftest import MANIFEST
from tests.test_network import WORLD

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


def test_a_chain_follows_the_calls_of_one_trace():
    hops = [*a_chain(ONE, 1, 0.0)[:3], hop("customers", "a", 9, 0.5, OTHER), hop("a", "b", 8, 1.5, OTHER)]
    chains = [[str(each) for each in chain] for chain in waits.chains(hops)]
    assert chains == [["a#1", "b#2", "c#3"], ["a#9", "b#8"]]


def test_a_chain_has_only_calls_that_are_open():
    hops = [hop("customers", "a", 1, 0.0), hop("a", "b", 1, 1.0, ended=2.0), hop("a", "b", 2, 3.0)]
    assert [[str(each) for each in chain] for chain in waits.chains(hops)] == [["a#1", "b#2"]]


def test_a_call_off_the_trace_is_nobodys():
    hops = [hop("customers", "a", 1, 0.0), hop("a", "b", 1, 1.0, trace=None), hop("b", "a", 2, 2.0, trace=None)]
    assert [len(chain) for chain in waits.chains(hops)] == [1, 1, 1]
    assert waits.cycles(hops) == []


def test_a_call_is_not_made_by_one_that_began_later():
    hops = [hop("a", "b", 1, 0.0), hop("customers", "a", 1, 1.0)]
    assert [len(chain) for chain in waits.chains(hops)] == [1, 1]


def test_requests_on_one_trace_have_a_chain_each():
    hops = [hop("customers", "a", n, n / 10) for n in range(3)] + [hop("a", "b", n, 1 + n / 10) for n in range(3)]
    assert [[str(each) for each in chain] for chain in waits.chains(hops)] == [
        ["a#0", "b#0"],
        ["a#1", "b#1"],
        ["a#2", "b#2"],
    ]


def test_a_cycle_says_who_waits_for_whom_and_how_many_workers_are_held():
    hops = [each for trace, first, began in ((ONE, 1, 0.0), (OTHER, 5, 0.1)) for each in a_chain(trace, first, began)]
    told = waits.describe(hops, workers=2)
    assert told == "they wait in a cycle: a#1 -> b#2 -> c#3 -> a (2 of 2 workers held), and 1 more like it"


def test_a_cycle_that_has_an_answer_is_none():
    hops = a_chain(ONE, 1, 0.0)
    hops[-1].status = 200
    assert waits.cycles(hops) == []
    told = waits.describe(hops, workers=1)
    assert told == "open calls: a 1, b 1, c 1; the longest chain of them is a#1 -> b#2 -> c#3, which calls nobody"


def test_a_cycle_begins_where_it_comes_back_to():
    hops = [hop("customers", "front", 1, -1.0), *a_chain(ONE, 1, 0.0)]
    hops[1].caller = "front"
    assert [[str(each) for each in cycle] for cycle in waits.cycles(hops)] == [["a#1", "b#2", "c#3", "a#4"]]


def test_without_open_calls_there_is_nothing_to_tell():
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


def test_applications_that_wait_for_each_other_are_found_out_while_their_customers_wait(toy):
    toy.write("kata.toml", MANIFEST.replace('"calls"', '"http"') + 'preload = ["aiohttp.web"]\n')
    toy.write("world.py", WORLD)
    toy.module(CALLS_BACK)
    toy.checks(
        '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    network = kit.network("front", "back")
    for name in ("front", "back"):
        sut.serve("make_app", network.node(name))
    assert network.ask("front", "GET", "/through", within=5).status == 200
    patience = kit.load.Patience(1.0, lambda: sut.hang(kit.waits.describe(network.hops, workers=2)))
    kit.load.burst(network, "front", [("GET", "/through", {})] * 2, within=60, patience=patience)
'''
    )
    result = toy.check()
    assert result.outcome is Outcome.HANG
    told = r"they wait in a cycle: front#\d -> back#\d -> front \(2 of 2 workers held\), and 1 more like it"
    assert re.fullmatch(told, result.message), result.message
    details = "\n".join(result.details)
    assert "2 tasks wait:" in details
    assert "concurrent/futures" not in details
