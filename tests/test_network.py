"""Applications in the SUT, the links between them, and what can go wrong on these."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from drill_katas.services.broker import Services
from drill_katas.services.network import Network
from drill_katas.verdict import Outcome
from tests.conftest import MANIFEST

WORLD = """
import aiohttp


class World:
    def __init__(self, name, links, greeting="hello"):
        self.name, self.greeting, self._links = name, greeting, links

    async def ask(self, node, path, headers=None):
        connector = aiohttp.UnixConnector(self._links[node])
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.get(f"http://{node}{path}", headers=headers) as answer:
                return answer.status, await answer.json()
"""
APP = """
import asyncio
import time

import aiohttp
from aiohttp import web


def make_app(world):
    async def hello(request):
        return web.json_response({"from": world.name, "says": world.greeting})

    async def through(request):
        headers = {"traceparent": request.headers["traceparent"]}
        try:
            async with asyncio.timeout(2):
                status, body = await world.ask("back", "/hello", headers)
        except TimeoutError:
            return web.json_response({"from": "nobody"}, status=504)
        except aiohttp.ClientError:
            return web.json_response({"from": "nobody"}, status=502)
        return web.json_response(body, status=status)

    async def slow(request):
        time.sleep(5)

    async def waits(request):
        await asyncio.Event().wait()

    app = web.Application()
    app.router.add_get("/hello", hello)
    app.router.add_get("/through", through)
    app.router.add_get("/slow", slow)
    app.router.add_get("/waits", waits)
    return app
"""
BOTH = """
    network = kit.network("front", "back")
    for name in ("front", "back"):
        sut.serve("make_app", network.node(name), greeting="good night")
"""
ONE = """
    network = kit.network("front", "back")
    sut.serve("make_app", network.node("front"))
"""


@pytest.fixture
def apps(toy):
    """The toy as an application that two nodes run."""
    toy.write("kata.toml", MANIFEST.replace('"calls"', '"http"'))
    toy.write("world.py", WORLD)
    toy.module(APP)
    return toy


def check(apps, body: str, start: str = BOTH):
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    apps.checks(f'@pytest.mark.stage("symptom")\ndef test_go(sut):\n    """It goes."""\n{start}{lines}')
    return apps.check()


def passes(apps, body: str, start: str = BOTH) -> None:
    result = check(apps, body, start)
    assert result.passed, result.message


def test_an_application_is_asked_over_http_and_knows_its_world(apps):
    passes(
        apps,
        """
answer = network.ask("front", "GET", "/hello", within=5)
assert (answer.status, answer.json()) == (200, {"from": "front", "says": "good night"})
assert network.ask("front", "GET", "/nowhere", within=5).status == 404
""",
    )


def test_every_call_is_seen_with_who_called_whom_and_on_which_trace(apps):
    passes(
        apps,
        """
answer = network.ask("front", "GET", "/through", within=5)
assert answer.json()["from"] == "back"
hops = [(hop.caller, str(hop), hop.path, hop.status, hop.trace_id == answer.trace_id) for hop in network.hops]
assert hops == [("customers", "front#1", "/through", 200, True), ("front", "back#1", "/hello", 200, True)], hops
""",
    )


def test_many_at_once_are_answered_in_their_order_and_counted(apps):
    passes(
        apps,
        """
network.delay("back", 0.2)
answers = network.ask_together("front", [("GET", "/through", {}), ("GET", "/hello", {})] * 20, within=5)
assert [answer.json()["from"] for answer in answers] == ["back", "front"] * 20
assert network.peak["back"] == 20, network.peak
""",
    )


def test_a_node_that_is_cut_off_answers_nobody_until_it_is_healed(apps):
    passes(
        apps,
        """
network.partition("back")
answer = network.ask("front", "GET", "/through", within=5)
assert (answer.status, answer.json()) == (504, {"from": "nobody"})
assert network.ask("back", "GET", "/hello", within=0.3).status is None
network.heal("back")
assert network.ask("front", "GET", "/through", within=5).status == 200
assert network.open_hops() == []
""",
    )


def test_after_a_kill_the_next_program_takes_the_node_over(apps):
    passes(
        apps,
        """
for _ in range(3):
    sut.serve("make_app", network.node("back"))
    assert network.ask("back", "GET", "/hello", within=5).status == 200
    sut.kill()
assert network.ask("back", "GET", "/hello", within=5).status is None
""",
        '    network = kit.network("back")\n',
    )


def test_the_next_calls_can_be_scripted(apps):
    passes(
        apps,
        """
network.script("back", [503, None, 500])
answers = [network.ask("front", "GET", "/through", within=5).status for _ in range(4)]
assert answers == [503, 200, 500, 200], answers
""",
    )


def test_a_scripted_loss_is_a_lost_connection_before_or_after_the_call_is_carried_out(apps):
    passes(
        apps,
        """
served = []
async def prices(hop):
    served.append(hop.number)
    return 200, {}
network.play("back", prices)
for fault, carried_out in ((kit.Fault.REQUEST_LOST, 0), (kit.Fault.REPLY_LOST, 2), (kit.Fault.NONE, 1)):
    served.clear()
    network.script("back", [fault] * 2)  # aiohttp's client asks again itself, once, for what changes nothing
    status = network.ask("front", "GET", "/through", within=5).status
    assert (status, len(served)) == (200 if fault is kit.Fault.NONE else 502, carried_out), (fault, status, served)
""",
        ONE,
    )


def test_a_node_can_be_played_by_the_check(apps):
    passes(
        apps,
        """
async def prices(hop):
    return 200, {"from": f"the check, to {hop.path}"}
network.play("back", prices)
assert network.ask("front", "GET", "/through", within=5).json() == {"from": "the check, to /hello"}
""",
        ONE,
    )


def test_a_node_that_nobody_serves_is_a_lost_connection(apps):
    passes(
        apps,
        """
assert network.ask("front", "GET", "/through", within=5).status == 502
""",
        ONE,
    )


def test_a_frozen_application_shows_its_threads_and_tasks(apps):
    result = check(
        apps,
        """
patience = kit.load.Patience(2, lambda: sut.hang("nobody is answered"))
kit.load.burst(network, "front", [("GET", "/waits", {})] * 2, within=30, patience=patience)
""",
    )
    assert (result.outcome, result.message) == (Outcome.HANG, "nobody is answered")
    details = "\n".join(result.details)
    assert "2 tasks wait:" in details
    assert "selectors.py" not in details
    assert "recv_fds" not in details
    assert re.search(r"toy.py:\d+ in waits: await asyncio.Event\(\).wait\(\)", details)


def test_what_a_request_logs_carries_its_trace(apps):
    apps.write("kata.toml", MANIFEST.replace('"calls"', '"http"') + 'preload = ["structlog"]\n')
    apps.module(
        APP.replace(
            "    async def hello(request):\n",
            """
    async def hello(request):
        structlog.get_logger().error("said hello", to=request.query.get("to", ""))
""",
        ).replace("import aiohttp\n", "import aiohttp\nimport structlog\n", 1)
    )
    passes(
        apps,
        """
with sut.observe() as seen:
    answers = network.ask_together("front", [("GET", f"/hello?to={n}", {}) for n in range(3)], within=5)
    through = network.ask("front", "GET", "/through", within=5)
assert [line["to"] for line in seen.logs(trace_id=answers[1].trace_id)] == ["1"]
assert [line["event"] for line in seen.logs(trace_id=through.trace_id)] == ["said hello"]
""",
    )


@pytest.mark.long
def test_what_the_factory_raises_or_returns_is_told(apps):
    apps.module("def make_app(world):\n    return 1 / 0\n")
    result = check(apps, "")
    assert "raised ZeroDivisionError" in result.message
    apps.module("def make_app(world):\n    return 7\n")
    assert "make_app returned a int, not an aiohttp.web.Application" in check(apps, "").message
    apps.module("def make_app():\n    return 7\n")
    assert "the contract in BRIEFING.md calls it with other arguments" in check(apps, "").message
    apps.module("def make():\n    return 7\n")
    assert "make_app is missing in toy.py" in check(apps, "").message


def test_a_node_that_is_none_is_refused_by_all_that_names_one():
    network = Network("front", "back")
    for name in (
        lambda: network.partition("bakc"),
        lambda: network.heal("bakc"),
        lambda: network.delay("bakc", 1),
        lambda: network.script("bakc", [503]),
        lambda: network.play("bakc", None),
        lambda: network.node("bakc"),
    ):
        with pytest.raises(AssertionError, match="bakc is not a node of this network: front, back"):
            name()


def test_a_network_ends_quietly_under_whatever_traffic_is_left(caplog):
    """Customers still asking, a call that is on its way, and one that never gets an answer."""
    services, network = Services(), Network("front", "back")
    network.attach(services)

    async def customer(node):
        while True:
            await network.send(node, ("GET", "/", {}), within=None)

    async def never(hop):
        await asyncio.Event().wait()

    network.play("back", never)
    for node in ("front", "back") * 10:
        network.start(customer(node))
    while len(network.hops) < 100:
        time.sleep(0.01)
    began = time.monotonic()
    services.close()
    assert time.monotonic() - began < 5, "it waited for calls that have no answer"
    assert not caplog.records
    assert not services.folder.exists()
