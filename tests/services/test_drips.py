"""A program that drips: however little it sends or reads at a time, the whole conversation with it has an end."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from drill_katas import kit
from drill_katas.catalog.katas import Limits
from drill_katas.failures import Hang
from drill_katas.sut.wire import Channel
from tests.support.deeds import GRACE
from tests.support.waiting import wait_until
from tests.support.worlds import BANK_WORLD, LINKS_WORLD

CALLS, STACKS = 3, 5  # the descriptors that a program has of its judge's
DRIP = """
import os, threading, time


def drip(fd, piece):
    while True:
        os.write(fd, piece)
        time.sleep(0.004)
"""
MODULE = f"""{DRIP}

class Thing:
    def fine(self):
        return "fine"

    def stacks(self, _):
        threading.Thread(target=drip, args=({STACKS}, b"x"), daemon=True).start()
        time.sleep(3600)

    def answer(self, _):
        os.write({CALLS}, b'{{"ok": "')
        drip({CALLS}, b"x")

    def logs(self, _):
        drip({CALLS}, b'{{"log": 0}}\\n')

    def request(self, _):
        os.write({CALLS}, b'{{"ok": "not yet"}}\\n')
        while True:
            os.read({CALLS}, 4096)
            time.sleep(0.05)
"""


@pytest.mark.parametrize("method", ["stacks", "answer", "logs", "request"])
def test_a_dripping_program_hangs_in_time(sut_bench, method):
    """The budget of a call is its own, and of the stacks that are asked for after it there is a bound in all."""
    sut, began = sut_bench.start(MODULE, limits=Limits(call_seconds=1.0)), time.monotonic()
    with sut.open("Thing") as thing, pytest.raises(Hang):
        for _ in range(2):
            getattr(thing, method)("x" * 900_000)
    assert time.monotonic() < began + 20  # such stacks blocked a judge for half an hour
    with sut_bench.next_check().open("Thing") as thing:
        assert thing.fine() == "fine"


SENDERS = f"""{DRIP}
from toy import world


class Thing:
    def __init__(self, engine, bank):
        self.engine, self.bank = engine, bank

    def fine(self):
        return "fine"

    def statement(self):
        connection = self.engine.raw_connection().driver_connection
        self.send(connection._channel.socket, b'{{"op": "execute", "sql": "')

    def charge(self):
        self.bank.line.ask("charge")
        self.send(self.bank.line._channel.socket, b'{{"method": "')

    def send(self, connection, frame):
        connection.sendall(frame)
        threading.Thread(target=drip, args=(connection.fileno(), b"x"), daemon=True).start()
        self.kept = connection
"""


class Service:
    """An upstream that charges everybody."""

    def charge(self):
        return "charged"


def opened(sut):
    """Return a database, and a thing that has it and an upstream."""
    database = kit.database()
    return database, sut.open("Thing", database, kit.upstream(Service(), client="Bank"))


@pytest.mark.parametrize("method", ["statement", "charge"])
def test_a_dripping_request_keeps_nobody(sut_bench, method):
    """The judge waits for the end of a statement, or of a call to an upstream, no longer than the check lasts."""
    sut, began = sut_bench.start(SENDERS, world=BANK_WORLD), time.monotonic()
    database, thing = opened(sut)
    with database.recorded() as statements:
        getattr(thing, method)()
        assert thing.fine() == "fine"
    assert not statements
    _, thing = opened(sut_bench.next_check())
    assert thing.fine() == "fine"
    assert time.monotonic() < began + 20


APP = """
import asyncio

from aiohttp import web

begun = []


async def drip(write):
    while True:
        write(b"x")
        await asyncio.sleep(0.004)


def make_app(world):
    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await drip(lambda piece: asyncio.ensure_future(response.write(piece)))

    async def headers(request):
        return await send(b"GET /fine HTTP/1.1\\r\\nx-")

    async def body(request):
        return await send(b"POST /fine HTTP/1.1\\r\\nhost: back\\r\\ncontent-length: 9000000\\r\\n\\r\\n")

    async def send(piece):
        _, writer = await asyncio.open_unix_connection(world.links["back"])
        writer.write(piece)
        begun.append(asyncio.ensure_future(drip(writer.write)))
        return web.Response(text="fine")

    async def fine(request):
        return web.Response(text="fine")

    app = web.Application()
    for handler in (answer, headers, body, fine):
        app.router.add_get(f"/{handler.__name__}", handler)
    return app
"""


@pytest.mark.parametrize(("path", "status"), [("answer", None), ("headers", 200), ("body", 200)])
def test_a_dripping_application_keeps_nobody(sut_bench, path, status):
    """An answer has to be whole in time, and a request that never is keeps no other from its answer."""
    sut, began, network = sut_bench.start(APP, world=LINKS_WORLD), time.monotonic(), kit.network("front", "back")
    for name in ("front", "back"):
        sut.serve("make_app", network.node(name))
    assert network.ask("front", "GET", f"/{path}", within=1).status == status
    assert network.ask("back", "GET", "/fine", within=5).status == 200
    sut_bench.session.end_check()
    assert time.monotonic() < began + 20


def test_idle_program_gets_no_stack_request(sut_bench, notes):
    """A check that has used up its budget asks for nothing: the program is killed first, and has no stacks to show."""
    module = f"""
        import os, signal


        class Thing:
            def go(self):
                signal.signal(signal.SIGUSR1, lambda *_: open({str(notes)!r}, "a").write("asked"))
                return "gone"
    """
    sut = sut_bench.start(module, budget=1.0)
    with pytest.raises(AssertionError, match="the block fails"), sut.open("Thing") as thing:  # and the object is let go
        thing.go()
        wait_until(lambda: not sut.check.seconds_left())
        raise AssertionError("the block fails")
    assert notes.read_text() == ""


def test_slowly_read_frame_is_given_up():
    """The time is that of the whole frame, and each part that is taken gives no more."""
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.01):
            theirs.recv(4096)

    with ours, theirs:
        reader = threading.Thread(target=drip)
        reader.start()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            Channel(ours).send({"x": "x" * 10_000_000}, left=lambda: began + 0.5 - time.monotonic())
        assert time.monotonic() < began + 0.5 + GRACE
        over.set()
        reader.join()
