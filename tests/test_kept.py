"""What a program has its judge keep has one bound over all of it, and the verdict names what was too much."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from drill_katas.services.broker import MOST_CONNECTIONS, Services
from drill_katas.services.retained import MAX_RETAINED, CountedChannel, RetainedBytes, RetentionExceeded, weight_of
from drill_katas.sut.wire import decode
from tests.conftest import MANIFEST, Toy
from tests.deeds import LIMIT, PASS, judge

if TYPE_CHECKING:
    from drill_katas.verdict import CheckResult

MIB = 1 << 20
MOST_MEMORY = 600 * MIB  # of a judge, with all that pytest and its libraries take
WORLD = """
class Bank:
    def __init__(self, line):
        self.line = line
"""
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
CHECKS = '''
import contextlib
import resource


class Service:
    def charge(self, cents, note=""):
        return "charged"


def answer_at_length(sut, thing):
    return [thing.answer_at_length() for _ in range(500)]


def call_by_halves(sut, thing):
    thing.call_by_halves()
    thing.fine()


def start_again(sut, thing):
    with contextlib.suppress(BaseException):
        thing.log_large_lines()
    sut.open("Thing", kit.upstream(Service(), client="Bank"))
    sut.measured("started again", 1)


def measure_much(sut, thing):
    thing.measure_much()
    kept = []
    for _ in range(100):
        with sut.observe() as seen:
            kept.append(seen)


@pytest.mark.stage("symptom")
@pytest.mark.parametrize("way", WAYS)
def test_go(sut, way):
    """It goes."""
    with sut.open("Thing", kit.upstream(Service(), client="Bank")) as thing:
        globals()[way](sut, thing) if way in globals() else getattr(thing, way)()


@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever, and the judge has not grown beyond all bounds."""
    with sut.open("Thing", kit.upstream(Service(), client="Bank")) as thing:
        assert thing.fine() == "fine"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST // 1024
'''
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


@pytest.fixture(scope="module")
def senders(tmp_path_factory) -> dict[str, CheckResult]:
    """The results of a program that sends too much in each of these ways, and of the check after them."""
    toy = Toy(tmp_path_factory.mktemp("senders"))
    toy.write("world.py", WORLD)
    toy.write("kata.toml", f'{MANIFEST}preload = ["structlog", "prometheus_client"]\n[limits]\ncall_seconds = 20.0\n')
    toy.module(MODULE)
    toy.checks(CHECKS.replace("WAYS", str([*WAYS])).replace("MOST", str(MOST_MEMORY)))
    return dict(zip([*WAYS, "next"], judge(toy)[0], strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_sends_too_much_meets_a_limit(senders, way):
    """The verdict says what there was most of."""
    check = senders[way]
    assert check.outcome is LIMIT, check.message
    assert f"more than the {MAX_RETAINED // MIB} MiB" in check.message
    assert f"most of it {WAYS[way]}" in check.message


def test_what_was_ended_for_too_much_is_not_started_again(senders):
    """The check swallows the limit and opens its object again, which ends it there."""
    assert not senders["start_again"].figures


def test_a_judge_keeps_its_size_through_all_of_it(senders):
    """The last check looks at the most memory that the judge has ever had."""
    assert senders["next"].outcome is PASS, senders["next"].message


APP_WORLD = """
class World:
    def __init__(self, name, links):
        self.links = links
"""
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
APP_CHECKS = '''
import resource

from aiohttp import web


async def back(hop):
    return 200, None


@pytest.mark.stage("symptom")
@pytest.mark.parametrize("way", WAYS)
def test_go(sut, way):
    """It goes."""
    network = kit.network("front", "back")
    network.play("back", back)
    sut.serve("make_app", network.node("front"))
    answers = [network.ask("front", "GET", f"/{way}", within=20) for _ in range(30)]


@pytest.mark.stage("symptom")
def test_next(sut):
    """The judge has not grown beyond all bounds."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST // 1024
'''
APP_WAYS = {"bodies": "calls between services", "headers": "calls between services", "large": "answers"}


@pytest.fixture(scope="module")
def services(tmp_path_factory) -> dict[str, CheckResult]:
    """The results of a service that sends too much in each of these ways, and of the check after them."""
    toy = Toy(tmp_path_factory.mktemp("services"))
    toy.write("kata.toml", MANIFEST.replace('"calls"', '"http"'))
    toy.write("world.py", APP_WORLD)
    toy.module(APP)
    toy.checks(APP_CHECKS.replace("WAYS", str([*APP_WAYS])).replace("MOST", str(MOST_MEMORY)))
    return dict(zip([*APP_WAYS, "next"], judge(toy)[0], strict=True))


@pytest.mark.parametrize("way", APP_WAYS)
def test_a_service_that_sends_too_much_meets_a_limit(services, way):
    """The check asserts nothing: it is the count that ends it, whatever a check makes of lost connections."""
    check = services[way]
    assert check.outcome is LIMIT, check.message
    assert f"most of it {APP_WAYS[way]}" in check.message


def test_a_judge_of_services_keeps_its_size(services):
    """The last check looks at the most memory that the judge has ever had."""
    assert services["next"].outcome is PASS, services["next"].message


def test_a_request_beyond_its_own_bound_is_not_taken(toy):
    """Whatever its total is: an upstream hangs up, and a node of a network answers 413."""
    toy.write("world.py", WORLD)
    toy.module("""
        class Thing:
            def __init__(self, bank):
                self.line = bank.line

            def charged(self, size):
                try:
                    return self.line.ask("charge", note="x" * size)
                except Exception:
                    return "not charged"
    """)
    toy.checks("""
        class Service:
            def charge(self, note):
                return "charged"

        @pytest.mark.stage("symptom")
        def test_go(sut):
            \"\"\"It goes.\"\"\"
            bank = kit.upstream(Service(), client="Bank")
            with sut.open("Thing", bank) as thing:
                answers = [thing.charged(900_000), thing.charged(1_100_000), thing.charged(0)]
            assert answers == ["charged", "not charged", "charged"], answers
            assert len(bank.received) == 2
    """)
    check = toy.check()
    assert check.outcome is PASS, check.message


def test_a_body_beyond_its_own_bound_is_not_taken(toy):
    toy.write("kata.toml", MANIFEST.replace('"calls"', '"http"'))
    toy.write("world.py", APP_WORLD)
    toy.module("""
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
    """)
    toy.checks("""
        async def back(hop):
            return 200, None

        @pytest.mark.stage("symptom")
        def test_go(sut):
            \"\"\"It goes.\"\"\"
            network = kit.network("front", "back")
            network.play("back", back)
            sut.serve("make_app", network.node("front"))
            sizes = (900_000, 1_100_000, 0)
            statuses = [network.ask("front", "GET", f"/sends?size={size}", within=10).status for size in sizes]
            assert statuses == [200, 413, 200], statuses
    """)
    check = toy.check()
    assert check.outcome is PASS, check.message


def test_what_is_given_back_makes_room():
    """Only what is retained counts; after an excess nothing is given back, so that the verdict stands."""
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


def test_too_much_ends_the_program_once_and_for_all():
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


def test_a_half_sent_frame_counts_until_its_end():
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
        until = time.monotonic() + 20
        while services._channels and time.monotonic() < until:
            time.sleep(0.01)
        assert not services._channels
    finally:
        services.close()
