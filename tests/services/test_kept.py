"""All data that the judge stores for a program has one bound; the message names the largest part."""

from __future__ import annotations

import contextlib
import socket

import pytest

from drill_katas import kit
from drill_katas.catalog.katas import Limits
from drill_katas.failures import LimitExceeded
from drill_katas.services.broker import MOST_CONNECTIONS, Services
from drill_katas.services.retained import MAX_RETAINED, CountedChannel, RetainedBytes, RetentionExceeded, weight_of
from drill_katas.sut.wire import decode
from tests.support.memory import growth
from tests.support.waiting import wait_until
from tests.support.worlds import BANK_WORLD, LINKS_WORLD

MIB = 1 << 20
MOST_GROWTH = 450 * MIB  # memory of a judge, including all that it stores
LIMITS = Limits(call_seconds=20.0)
MODULE = """
import os, socket

import prometheus_client
import structlog

from toy import world

LARGE = "x" * 900_000
MANY = prometheus_client.Gauge("many", "Many.", ["which"])


class Thing:
    def __init__(self, bank):
        self.line = bank.line

    def connected(self, *frames):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(self.line._address)
        connection.sendall(b'{"service": "%s"}\\n' % self.line._service.encode())
        for frame in frames:
            connection.sendall(frame)
        return connection

    def fine(self):
        return "fine"

    def log_large_lines(self):
        while True:
            structlog.get_logger().info(LARGE)

    def log_small_lines(self):
        while True:
            os.write(3, b'{"log":{}}\\n' * 500)

    def call_with_large_arguments(self):
        while True:
            self.line.ask("charge", cents=1, note=LARGE)

    def call_with_arguments_of_nobody(self):
        while True:
            try:
                self.line.ask("charge", nonsense=[[] for _ in range(200_000)])
            except ValueError:
                pass

    def call_on_traces_of_any_json(self):
        connection = self.connected()
        while True:
            connection.sendall(b'{"method": "charge", "arguments": {}, "trace": [%s0]}\\n' % (b"0," * 400_000))
            connection.recv(65536)

    def call_by_halves(self):
        kept = [self.connected(b"x" * 900_000) for _ in range(150)]
        return kept and "fine"

    def answer_at_length(self):
        return LARGE

    def measure_much(self):
        for number in range(1_500):
            MANY.labels(f"{number}-{'x' * 100}").set(1)
"""


class Service:
    """An upstream that takes any note."""

    def charge(self, cents=0, note=""):
        return "charged"


def opened(sut):
    return sut.open("Thing", kit.upstream(Service(), client="Bank"))


def answer_at_length(sut, thing):
    kept = [thing.answer_at_length() for _ in range(500)]
    raise AssertionError(f"{len(kept)} answers are kept")


def call_by_halves(sut, thing):
    thing.call_by_halves()
    thing.fine()


def start_again(sut, thing):
    with contextlib.suppress(BaseException):
        thing.log_large_lines()
    opened(sut)
    sut.measured("started again", 1)


def measure_much(sut, thing):
    thing.measure_much()
    kept = []
    for _ in range(100):
        with sut.observe() as seen:
            kept.append(seen)


WAYS = {
    "log_large_lines": "log lines",
    "log_small_lines": "log lines",
    "call_with_large_arguments": "calls to upstreams",
    "call_with_arguments_of_nobody": "calls to upstreams",
    "call_on_traces_of_any_json": "calls to upstreams",
    "call_by_halves": "requests half sent",
    "answer_at_length": "answers",
    "measure_much": "samples of metrics",
    "start_again": "log lines",
}


def send_too_much(sut, way):
    """Have a program send too much, until the judge ends the check."""
    with opened(sut) as thing:
        act = globals().get(way)
        if act is not None:
            act(sut, thing)
        else:
            getattr(thing, way)()


@pytest.mark.parametrize("way", WAYS)
def test_sending_too_much_meets_a_limit(sut_bench, way):
    """The message names the largest part; the next check is judged as ever."""
    sut = sut_bench.start(MODULE, world=BANK_WORLD, limits=LIMITS)
    with growth() as memory, pytest.raises(LimitExceeded, match=f"most of it {WAYS[way]}") as limit:
        send_too_much(sut, way)
    assert memory.most < MOST_GROWTH
    assert f"more than the {MAX_RETAINED // MIB} MiB" in str(limit.value)
    assert not sut.check.figures, "what was ended is started again"
    with opened(sut_bench.next_check()) as thing:
        assert thing.fine() == "fine"


APP = """
import asyncio

import aiohttp
from aiohttp import web


def make_app(world):
    async def flood(request, **options):
        connector = aiohttp.UnixConnector(world.links["back"], limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            while True:
                async with session.post("http://back/", **options) as answer:
                    await answer.read()

    async def bodies(request):
        await flood(request, data=b"x" * 900_000)

    async def headers(request):
        await flood(request, headers={f"x-{number}": "1" for number in range(100)})

    async def large(request):
        return web.Response(body=b"x" * 4_000_000)

    app = web.Application()
    for handler in (bodies, headers, large):
        app.router.add_get(f"/{handler.__name__}", handler)
    return app
"""
CHARGES = """
class Thing:
    def __init__(self, bank):
        self.line = bank.line

    def charged(self, size):
        try:
            return self.line.ask("charge", note="x" * size)
        except Exception:
            return "not charged"
"""
SENDS = """
import aiohttp
from aiohttp import web


def make_app(world):
    async def sends(request):
        connector = aiohttp.UnixConnector(world.links["back"])
        async with aiohttp.ClientSession(connector=connector) as session:
            body = b"x" * int(request.query["size"])
            async with session.post("http://back/", data=body) as answer:
                return web.Response(status=answer.status)

    app = web.Application()
    app.router.add_get("/sends", sends)
    return app
"""
APP_WAYS = {"bodies": "calls between services", "headers": "calls between services", "large": "answers"}


async def answer_ok(hop):
    return 200, None


def served(sut):
    """Return a network with an application at its front, and a back that answers everything."""
    network = kit.network("front", "back")
    network.play("back", answer_ok)
    sut.serve("make_app", network.node("front"))
    return network


@pytest.mark.parametrize("way", APP_WAYS)
def test_service_that_sends_too_much_hits_limit(sut_bench, way):
    """The count ends the check, although it asserts nothing and loses its connections."""
    sut = sut_bench.start(APP, world=LINKS_WORLD)
    network = served(sut)
    with growth() as memory, pytest.raises(LimitExceeded, match=f"most of it {APP_WAYS[way]}"):
        kept = [network.ask("front", "GET", f"/{way}", within=20) for _ in range(30)]
        sut_bench.session.raise_end()
        raise AssertionError(f"{len(kept)} answers are kept")
    assert memory.most < MOST_GROWTH


def test_an_upstream_refuses_a_large_request(sut_bench):
    """It closes the connection, regardless of the total."""
    sut = sut_bench.start(CHARGES, world=BANK_WORLD)
    bank = kit.upstream(Service(), client="Bank")
    with sut.open("Thing", bank) as thing:
        answers = [thing.charged(900_000), thing.charged(1_100_000), thing.charged(0)]
    assert answers == ["charged", "not charged", "charged"]
    assert len(bank.received) == 2


def test_a_node_refuses_a_large_body(sut_bench):
    """It answers 413, regardless of the total."""
    network = served(sut_bench.start(SENDS, world=LINKS_WORLD))
    sizes = (900_000, 1_100_000, 0)
    statuses = [network.ask("front", "GET", f"/sends?size={size}", within=10).status for size in sizes]
    assert statuses == [200, 413, 200]


def test_released_memory_makes_room():
    """Only stored data counts; an excess is never subtracted again, so the verdict is final."""
    retained = RetainedBytes(10 * MIB)
    for _ in range(5):
        retained.add("answers", 9 * MIB)
        retained.release("answers", 9 * MIB)
    retained.raise_if_exceeded()
    with pytest.raises(RetentionExceeded, match="most of it log lines"):
        retained.add("log lines", 11 * MIB)
    retained.release("log lines", 11 * MIB)
    with pytest.raises(BaseException, match="10 MiB that the judge retains per check, most of it log lines"):
        retained.raise_if_exceeded()


def test_too_much_ends_the_program_once():
    """It is ended at the first excess, and each later count meets that, too."""
    retained, ends = RetainedBytes(MIB), []
    retained.end = lambda: ends.append("ended")
    for _ in range(2):
        with pytest.raises(RetentionExceeded):
            retained.add("answers", 2 * MIB)
    assert ends == ["ended"]


@pytest.mark.parametrize("text", [b'{"log": 0}', b"[" + b"[]," * 999 + b"[]]", b'{"a":[' + b'"",' * 999 + b'""]}'])
def test_decoded_json_weighs_more_than_its_text(text):
    """Objects are counted at what they take: an empty list has 56 bytes for its two signs, and 8 for its place."""
    assert weight_of(text) >= len(text) + 64 * (len(decode(text)) - 1)


def test_half_sent_frame_counts_until_complete():
    """It takes memory as it comes, and is weighed as a frame when it's whole."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = CountedChannel(ours)
        theirs.sendall(b'{"a": "')
        assert channel.receive(timeout=0.1) is None
        assert channel.retained.by_kind == {"requests half sent": 7}
        theirs.sendall(b'b"}\n')
        assert channel.receive(timeout=5) == {"a": "b"}
        assert not channel.retained.by_kind
        assert channel.weight > len('{"a": "b"}')


def test_connections_that_end_are_forgotten():
    """A program that connects again and again leaves nothing behind in its judge."""
    services = Services()
    try:
        for _ in range(2 * MOST_CONNECTIONS):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(services.address)
        wait_until(lambda: not services._channels)
    finally:
        services.close()
