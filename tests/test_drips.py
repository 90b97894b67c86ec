"""A program that drips: however little it sends or reads at a time, the whole conversation with it has an end."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from drill_katas.sut.wire import Channel
from tests.conftest import MANIFEST
from tests.deeds import GRACE, HANG, PASS, judge, notes

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
CHECKS = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        for _ in range(2):
            thing.METHOD("x" * 900_000)

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''


@pytest.mark.parametrize("method", ["stacks", "answer", "logs", "request"])
def test_a_program_that_drips_hangs_in_time(toy, method):
    """The budget of a call is its own, and of the stacks that are asked for after it there is a bound in all."""
    toy.limits(call_seconds=1.0)
    toy.module(MODULE)
    toy.checks(CHECKS.replace("METHOD", method))
    (check, after), _ = judge(toy)
    assert check.outcome is HANG, check.message
    assert check.seconds < 20  # such stacks kept a judge for half an hour
    assert after.outcome is PASS, after.message


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
SENDERS_CHECKS = '''
class Service:
    def charge(self):
        return "charged"


def opened(sut):
    database = kit.database()
    return database, sut.open("Thing", database, kit.upstream(Service(), client="Bank"))


@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    database, thing = opened(sut)
    with database.recorded() as statements:
        thing.METHOD()
        assert thing.fine() == "fine"
    assert not statements


@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    assert opened(sut)[1].fine() == "fine"
'''


@pytest.mark.parametrize("method", ["statement", "charge"])
def test_a_request_that_is_sent_in_drips_keeps_nobody(toy, method):
    """The judge waits for the end of a statement, or of a call to an upstream, no longer than the check lasts."""
    toy.write("world.py", "class Bank:\n    def __init__(self, line):\n        self.line = line\n")
    toy.module(SENDERS)
    toy.checks(SENDERS_CHECKS.replace("METHOD", method))
    began = time.monotonic()
    for check in judge(toy)[0]:
        assert check.outcome is PASS, check.message
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
APP_CHECKS = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    network = kit.network("front", "back")
    for name in ("front", "back"):
        sut.serve("make_app", network.node(name))
    assert network.ask("front", "GET", "/PATH", within=1).status == STATUS
    assert network.ask("back", "GET", "/fine", within=5).status == 200
'''


@pytest.mark.parametrize(("path", "status"), [("answer", None), ("headers", 200), ("body", 200)])
def test_an_application_that_drips_keeps_nobody(toy, path, status):
    """An answer has to be whole in time, and a request that never is keeps no other from its answer."""
    toy.write("kata.toml", MANIFEST.replace('"calls"', '"http"') + 'preload = ["aiohttp.web"]\n')
    toy.write("world.py", "class World:\n    def __init__(self, name, links):\n        self.links = links\n")
    toy.module(APP)
    toy.checks(APP_CHECKS.replace("PATH", path).replace("STATUS", str(status)))
    began = time.monotonic()
    check = toy.check()
    assert check.outcome is PASS, check.message
    assert time.monotonic() < began + 20


def test_an_idle_program_is_asked_for_no_stacks(toy):
    """A check that has used up its budget asks for nothing: the program is killed first, for it has nothing to tell."""
    asked = notes(toy)
    toy.module(f"""
        import os, signal


        class Thing:
            def go(self):
                signal.signal(signal.SIGUSR1, lambda *_: open({str(asked)!r}, "a").write("asked"))
                return "gone"
    """)
    toy.checks('''
        import time

        @pytest.mark.stage("symptom")
        @pytest.mark.timeout(1)
        def test_go(sut):
            """It goes."""
            with sut.open("Thing") as thing:
                thing.go()
                while sut.check.seconds_left():
                    time.sleep(0.01)
                raise AssertionError("the block fails, and lets the object go")
    ''')
    check = toy.check()
    assert "the block fails" in check.message
    assert asked.read_text() == ""


def test_a_frame_that_is_read_in_drips_is_given_up():
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
