"""A check that uses the kit in a way that cannot work gets a sentence with what to do."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis.stateful import rule

from drill_katas import kit
from tests.support.worlds import BANK_WORLD

MODULE = """
from aiohttp import web


class Thing:
    def __init__(self, *given):
        self.given = given

    def go(self, *given):
        return "gone"


def make_app(world):
    async def hello(request):
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/hello", hello)
    return app
"""
WORLD = f"""
{BANK_WORLD}

class World:
    def __init__(self, name, links, **settings):
        pass
"""
GET = ("GET", "/hello", {})
NOT_ATTACHED = "this {} is not attached to the program yet; pass it to sut."


@pytest.fixture
def sut(sut_bench):
    return sut_bench.start(MODULE, world=WORLD)


@pytest.fixture
def network(sut):
    """A network whose node `front` the SUT serves; nothing answers at `back`."""
    made = kit.network("front", "back")
    sut.serve("make_app", made.node("front"))
    return made


class Walk(kit.Machine):
    """Goes once."""

    @rule()
    def go(self):
        with self.sut.open("Thing") as thing:
            thing.go()


def each(**questions):
    """Parametrize a test by questions, which name themselves."""
    return pytest.mark.parametrize("question", questions.values(), ids=questions)


def mistake(act, *args, **named):
    with pytest.raises(kit.KataMistake) as caught:
        act(*args, **named)
    return str(caught.value)


# Too early


def recorded(database):
    with database.recorded():
        pass


@each(
    statements=lambda database: database.statements,
    usage=lambda database: database.usage(),
    open_connections=lambda database: database.open_connections,
    peak_connections=lambda database: database.peak_connections,
    checked_out=lambda database: database.checked_out(),
    holding=lambda database: kit.Holding(database).note("POST /price"),
    recorded=recorded,
)
def test_database_answers_only_when_attached(question):
    assert mistake(question, kit.database()).startswith(NOT_ATTACHED.format("database"))


def test_recording_may_begin_before_database_is_attached(sut):
    database = kit.database()
    with database.recorded() as seen:
        sut.open("Thing", database)
    assert seen == []


@each(
    received=lambda upstream: upstream.received,
    sent=lambda upstream: upstream.sent,
)
def test_upstream_answers_only_when_attached(question):
    upstream = kit.upstream(object(), client="Bank")
    upstream.script([kit.Fault.REQUEST_LOST])
    assert mistake(question, upstream).startswith(NOT_ATTACHED.format("upstream"))


def lagging(network, node="front"):
    with kit.lag(network, node):
        pass


@each(
    ask=lambda network: network.ask("front", "GET", "/hello", within=1),
    ask_together=lambda network: network.ask_together("front", [GET], within=1),
    start=lambda network: network.start(network.send("front", GET, within=1)),
    send=lambda network: asyncio.run(network.send("front", GET, within=1)),
    wait=lambda network: network.wait(1),
    hops=lambda network: network.hops,
    peak=lambda network: network.peak,
    open_hops=lambda network: network.open_hops(),
    node=lambda network: network.node("front").listen(),
    burst=lambda network: kit.load.burst(network, "front", [GET], within=1),
    closed_loop=lambda network: kit.load.closed_loop(network, "front", [GET], clients=1, within=1),
    lagging=lagging,
)
def test_network_answers_only_when_attached(question):
    made = kit.network("front")
    made.delay("front", 0.1)
    assert mistake(question, made).startswith(NOT_ATTACHED.format("network"))


def test_node_without_an_application_is_not_asked(network):
    said = "nothing answers at the node back; call sut.serve or network.play for it first"
    assert mistake(network.ask, "back", "GET", "/hello", within=1) == said
    assert mistake(kit.load.burst, network, "back", [GET], within=1) == said
    assert mistake(lagging, network, "back") == said


def test_machine_has_a_sut_only_when_explored(sut):
    assert "only when kit.explore(MACHINE, sut) runs it" in mistake(Walk().go)
    assert "kit.explore takes the class of a machine" in mistake(kit.explore, Walk(), sut)
    kit.explore(Walk, sut, examples=1, steps=1)


@each(
    increase=lambda seen: seen.increase("x"),
    logs=lambda seen: seen.logs(),
    log_text=lambda seen: seen.log_text(),
)
def test_observation_answers_after_its_block(sut, question):
    with sut.observe() as seen:
        assert "complete when its `with sut.observe()` block ends" in mistake(question, seen)
    question(seen)


@pytest.mark.parametrize("sizes", [{}, {1: []}])
def test_growth_needs_two_sizes(sizes):
    growth = kit.Growth(sizes, "user")
    assert "growth needs the statements of two sizes or more" in mistake(lambda: growth.slope)
    assert "growth needs the statements of two sizes or more" in mistake(str, growth)


# Too late


def test_closed_object_is_not_called(sut):
    with sut.open("Thing") as thing:
        pass
    assert "go(...) is called after the `with` block of its object, which closed it" in mistake(thing.go)


def test_killed_programs_object_asks_to_be_reopened(sut):
    thing = sut.open("Thing")
    sut.kill()
    with pytest.raises(kit.Killed, match=re.escape("thing.go(): the program with this object was killed; open it")):
        thing.go()


def test_resources_end_with_their_check(sut, sut_bench):
    database, upstream, network = kit.database(), kit.upstream(object(), client="Bank"), kit.network("front")
    sut.open("Thing", database, upstream)
    sut.serve("make_app", network.node("front"))
    sut = sut_bench.next_check()
    over = "belongs to a check that is over; make a new one in each check"
    assert mistake(sut.open, "Thing", database) == f"this database {over}"
    assert mistake(sut.open, "Thing", upstream) == f"this upstream {over}"
    assert mistake(sut.serve, "make_app", network.node("front")) == f"this network {over}"
    assert mistake(network.ask, "front", "GET", "/hello", within=1) == f"this network {over}"
    assert database.statements == upstream.received == network.hops == [], "what was recorded is kept"


# The wrong thing


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (object(), "a value of type object"),
        (kit.database, "the class Database"),
        (kit.network("front"), "a value of type Network"),
        (kit.network("front").node("front"), "a value of type Node"),
    ],
)
def test_only_plain_data_and_resources_are_passed(sut, network, value, name):
    said = f"cannot take {name}: pass plain data"
    assert said in mistake(sut.open, "Thing", value)
    assert said in mistake(sut.open("Thing").go, value)
    assert said in mistake(sut.serve, "make_app", network.node("back"), setting=value)


@pytest.mark.parametrize("value", [kit.network("front"), "front", kit.database()])
def test_only_a_node_is_served(sut, value):
    assert "takes a node: network.node(NAME), not a value of type " in mistake(sut.serve, "make_app", value)


def test_methods_take_arguments_by_position(sut):
    assert mistake(sut.open("Thing").go, n=1) == "go(...) takes its arguments by position, and not n=..."


def test_missing_client_is_named(sut, sut_bench):
    assert "world.py has no class Bunk" in mistake(sut.open, "Thing", kit.upstream(object(), client="Bunk"))
    sut = sut_bench.start(MODULE, world="class Bank:\n    pass\n")
    assert "world.py has no class World" in mistake(sut.serve, "make_app", kit.network("front").node("front"))


def test_unknown_node_error_lists_known_nodes(network):
    for act in (network.node, network.partition, network.heal):
        assert mistake(act, "bach") == "bach is not a node of this network: front, back"
    assert "bach is not a node" in mistake(network.ask, "bach", "GET", "/hello", within=1)


@pytest.mark.parametrize("nodes", [(), ("front", "front")])
def test_network_needs_different_nodes(nodes):
    assert "a network needs nodes with different names" in mistake(kit.network, *nodes)


def test_only_an_async_function_plays_a_node(network):
    assert "takes an async function" in mistake(network.play, "back", lambda hop: (200, {}))


def test_path_begins_with_a_slash(network):
    assert mistake(network.ask, "front", "GET", "hello", within=1) == "the path 'hello' does not begin with /"


@pytest.mark.parametrize("step", [0, -1])
def test_steps_count_from_1(sut, step):
    for trouble in (sut.failing_at_step, sut.failing_from_step, sut.unanswered_at_step, sut.killed_before_step):
        assert mistake(trouble(step).__enter__) == f"steps count from 1, so there is no step {step}"


def test_check_with_mistake_fails_with_its_message(toy):
    """It is a failure of the kata, and `kata verify` shows it."""
    toy.checks("""
        @pytest.mark.stage("symptom")
        def test_go(sut):
            \"\"\"It goes.\"\"\"
            assert not kit.database().statements, "there should be none"
    """)
    assert toy.check().message.startswith(f"KataMistake: {NOT_ATTACHED.format('database')}")
