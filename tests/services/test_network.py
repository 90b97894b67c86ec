"""Applications in the SUT, the links between them, and the faults on these links."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from drill_katas import kit
from drill_katas.failures import CheckEnded, Hang, KataMistake, SutError
from drill_katas.services.broker import Services
from drill_katas.services.network import Network
from tests.support.waiting import wait_until
from tests.support.worlds import WORLD

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


@pytest.fixture
def sut(sut_bench):
    return sut_bench.start(APP, world=WORLD)


def serve(sut, *served):
    """Return a network of the nodes `front` and `back`, of which these are served."""
    network = kit.network("front", "back")
    for name in served:
        sut.serve("make_app", network.node(name), greeting="good night")
    return network


@pytest.fixture
def network(sut):
    return serve(sut, "front", "back")


@pytest.fixture
def front(sut):
    """A network whose other node has no server."""
    return serve(sut, "front")


def test_applications_answer_over_http(network):
    answer = network.ask("front", "GET", "/hello", within=5)
    assert (answer.status, answer.json()) == (200, {"from": "front", "says": "good night"})
    assert network.ask("front", "GET", "/nowhere", within=5).status == 404


def test_a_hop_has_caller_callee_and_trace(network):
    answer = network.ask("front", "GET", "/through", within=5)
    assert answer.json()["from"] == "back"
    hops = [(hop.caller, str(hop), hop.path, hop.status, hop.trace_id == answer.trace_id) for hop in network.hops]
    assert hops == [("customers", "front#1", "/through", 200, True), ("front", "back#1", "/hello", 200, True)], hops


def test_concurrent_requests_are_answered_in_order(network):
    network.delay("back", 0.2)
    answers = network.ask_together("front", [("GET", "/through", {}), ("GET", "/hello", {})] * 20, within=5)
    assert [answer.json()["from"] for answer in answers] == ["back", "front"] * 20
    assert network.peak["back"] == 20, network.peak


def test_a_partitioned_node_answers_after_healing(network):
    network.partition("back")
    answer = network.ask("front", "GET", "/through", within=5)
    assert (answer.status, answer.json()) == (504, {"from": "nobody"})
    assert network.ask("back", "GET", "/hello", within=0.3).status is None
    network.heal("back")
    assert network.ask("front", "GET", "/through", within=5).status == 200
    assert network.open_hops() == []


def test_the_next_program_serves_a_killed_node(sut):
    network = kit.network("back")
    for _ in range(3):
        sut.serve("make_app", network.node("back"))
        assert network.ask("back", "GET", "/hello", within=5).status == 200
        sut.kill()
    assert network.ask("back", "GET", "/hello", within=5).status is None


def test_the_next_calls_follow_a_script(network):
    network.script("back", [503, None, 500])
    answers = [network.ask("front", "GET", "/through", within=5).status for _ in range(4)]
    assert answers == [503, 200, 500, 200], answers


def test_lost_calls_lose_their_connection(front):
    """The call is lost before it is carried out, or its reply after."""
    served = []

    async def prices(hop):
        served.append(hop.number)
        return 200, {}

    front.play("back", prices)
    for fault, carried_out in ((kit.Fault.REQUEST_LOST, 0), (kit.Fault.REPLY_LOST, 2), (kit.Fault.NONE, 1)):
        served.clear()
        front.script("back", [fault] * 2)  # aiohttp's client itself retries an idempotent request once
        status = front.ask("front", "GET", "/through", within=5).status
        assert (status, len(served)) == (200 if fault is kit.Fault.NONE else 502, carried_out), (fault, status, served)


def test_a_check_plays_a_node(front):
    async def prices(hop):
        return 200, {"from": f"the check, to {hop.path}"}

    front.play("back", prices)
    assert front.ask("front", "GET", "/through", within=5).json() == {"from": "the check, to /hello"}


def test_an_unserved_node_loses_its_connections(front):
    assert front.ask("front", "GET", "/through", within=5).status == 502


def test_a_frozen_application_shows_threads_and_tasks(sut, network):
    patience = kit.load.Patience(2, lambda: sut.hang("nobody is answered"))
    with pytest.raises(Hang, match=r"^nobody is answered$") as hang:
        kit.load.burst(network, "front", [("GET", "/waits", {})] * 2, within=30, patience=patience)
    details = "\n".join(hang.value.details)
    assert "2 tasks wait:" in details
    assert "selectors.py" not in details
    assert "recv_fds" not in details
    assert re.search(r"toy.py:\d+ in waits: await asyncio.Event\(\).wait\(\)", details)


def test_logs_carry_the_trace_of_their_request(sut_bench):
    greeting = """
    async def hello(request):
        structlog.get_logger().error("said hello", to=request.query.get("to", ""))
"""
    app = APP.replace("    async def hello(request):\n", greeting).replace(
        "import aiohttp\n", "import aiohttp\nimport structlog\n", 1
    )
    sut = sut_bench.start(app, world=WORLD)
    network = serve(sut, "front", "back")
    with sut.observe() as seen:
        answers = network.ask_together("front", [("GET", f"/hello?to={n}", {}) for n in range(3)], within=5)
        through = network.ask("front", "GET", "/through", within=5)
    assert [line["to"] for line in seen.logs(trace_id=answers[1].trace_id)] == ["1"]
    assert [line["event"] for line in seen.logs(trace_id=through.trace_id)] == ["said hello"]


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("def make_app(world):\n    return 1 / 0\n", "raised ZeroDivisionError"),
        ("def make_app(world):\n    return 7\n", "make_app returned a int, not an aiohttp.web.Application"),
        ("def make_app():\n    return 7\n", "the contract in BRIEFING.md calls it with other arguments"),
        ("def make():\n    return 7\n", "make_app is missing in toy.py"),
    ],
    ids=["raises", "returns a number", "takes no world", "is missing"],
)
def test_a_wrong_factory_gets_its_message(sut_bench, factory, message):
    with pytest.raises((SutError, CheckEnded), match=re.escape(message)):
        serve(sut_bench.start(factory, world=WORLD), "front")


def test_every_method_refuses_an_unknown_node():
    network = Network("front", "back")

    async def answer(_hop):
        return 200, None

    for name in (
        lambda: network.partition("bakc"),
        lambda: network.heal("bakc"),
        lambda: network.delay("bakc", 1),
        lambda: network.script("bakc", [503]),
        lambda: network.play("bakc", answer),
        lambda: network.node("bakc"),
    ):
        with pytest.raises(KataMistake, match="bakc is not a node of this network: front, back"):
            name()


def test_a_network_ends_quietly_under_traffic(caplog):
    """Customers still asking, a call that is on its way, and one that never gets an answer."""
    services, network = Services(), Network("front", "back")
    network.attach(services)

    async def customer(node):
        while True:
            await network.send(node, ("GET", "/", {}), within=None)

    async def never(hop):
        await asyncio.Event().wait()

    async def at_once(hop):
        return 200, None

    network.play("front", at_once)
    network.play("back", never)
    for node in ("front", "back") * 10:
        network.start(customer(node))
    wait_until(lambda: len(network.hops) >= 100)
    began = time.monotonic()
    services.close()
    assert time.monotonic() - began < 5, "it waited for calls that have no answer"
    assert not caplog.records
    assert not services.folder.exists()
