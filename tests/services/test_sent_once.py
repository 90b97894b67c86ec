"""No client that the judge runs or a kata gives sends a request a second time by itself."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import drill_katas
from drill_katas.services.broker import Services
from drill_katas.services.network import Network
from tests.support.places import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
KATAS = REPOSITORY / "katas"
TEMPLATE = Path(drill_katas.__file__).parent / "catalog/template/http/katas/NAME/world.py"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
FOUND_ELSEWHERE = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"


class Server:
    """A server of raw bytes: it answers each request with the next of `answers`, and closes after the last."""

    def __init__(self, listener: socket.socket, *answers: bytes) -> None:
        self.requests: list[bytes] = []
        self._listener = listener
        self._answers = list(answers)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        while piece := connection.recv(65536):
            self.requests.append(piece.partition(b"\r\n")[0])
            if not self._answers:
                return
            connection.sendall(self._answers.pop(0))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "node")


@pytest.fixture
def listener(path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.bind(path)
        made.listen()
        yield made


@pytest.fixture
def network() -> Iterator[Network]:
    """A network of one node, which the test itself listens for."""
    services = Services()
    made = Network("node")
    made.attach(services)
    yield made
    services.close()


def world_of(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("world_under_test", file)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # where dataclasses look it up
    spec.loader.exec_module(module)
    return module


async def call(world: Any, path: str, method: str, times: int = 1) -> list[int]:
    made = world.World("front", {"node": path}, workers=1, service_time=0.0)
    try:
        return [(await made.call("node", method, "/thing")).status for _ in range(times)]
    finally:
        await asyncio.gather(*(each.close() for each in made._sessions.values()))


async def with_prices(world: Any, path: str, ask: Callable[[Any], Any]) -> None:
    client = world.PriceClient(path)
    try:
        await ask(client)
    finally:
        await client._session.close()


async def in_thread(world: Any, path: str) -> None:
    await asyncio.to_thread(world.PriceClient(path).get, "SKU-1")


WORLDS: list[tuple[Path, Callable[[Any, str], Any]]] = [
    *(
        (KATAS / "circular_deadlock/world.py", lambda world, path, method=method: call(world, path, method))
        for method in METHODS
    ),
    (KATAS / "n_plus_one/world.py", in_thread),
    (KATAS / "n_plus_one/world.py", lambda world, path: with_prices(world, path, lambda it: it.fetch("SKU-1"))),
    (KATAS / "n_plus_one/world.py", lambda world, path: with_prices(world, path, lambda it: it.fetch_many(["SKU-1"]))),
    (TEMPLATE, lambda world, path: world.World("front", {"prices": path}).price("SKU-1")),
]


@pytest.mark.parametrize(("file", "ask"), WORLDS)
def test_a_given_world_sends_each_request_once(file, ask, path, listener):
    """The server reads each request and closes; aiohttp by itself sends a GET and a PUT again."""
    server = Server(listener)
    world = world_of(file)
    lost = (ConnectionError, getattr(world, "PricesUnavailable", world.aiohttp.ClientError))
    with pytest.raises(lost):
        asyncio.run(ask(world, path))
    assert len(server.requests) == 1, server.requests


def test_every_given_client_of_http_is_tried():
    """A kata whose world talks HTTP has a line in `WORLDS`."""
    http = {file for file in [*KATAS.glob("*/world.py"), TEMPLATE] if "http" in file.read_text(encoding="utf-8")}
    assert http == {file for file, _ in WORLDS}


def test_a_kept_connection_that_drops_is_seen(path, listener):
    """The connection is lost on its second request, as when a server restarts."""
    server = Server(listener, OK)
    world = world_of(KATAS / "circular_deadlock/world.py")
    with pytest.raises(ConnectionError):
        asyncio.run(call(world, path, "GET", times=2))
    assert server.requests == [b"GET /thing HTTP/1.1"] * 2


def test_a_given_world_follows_no_redirect(path, listener):
    """A followed redirect is a second request; `World.call` returns answers of every status."""
    server = Server(listener, FOUND_ELSEWHERE)
    statuses = asyncio.run(call(world_of(KATAS / "circular_deadlock/world.py"), path, "GET"))
    assert statuses == [307]
    assert server.requests == [b"GET /thing HTTP/1.1"]


@pytest.mark.parametrize("method", METHODS)
def test_the_network_forwards_each_request_once(network, method):
    """Both of the judge's clients are tried: the customers' and the one behind the link."""
    with network.listen("node") as listener:
        server = Server(listener)
        answer = network.ask("node", method, "/thing", within=5)
        assert answer.status is None
        assert len(network.hops) == len(server.requests) == 1, (network.hops, server.requests)


def test_the_network_sees_a_kept_connection_drop(network):
    """The node answers one request and closes the connection on the next one."""
    with network.listen("node") as listener:
        server = Server(listener, OK)
        answers = [network.ask("node", "GET", "/thing", within=5).status for _ in range(2)]
        assert answers == [200, None]
        assert len(network.hops) == len(server.requests) == 2, (network.hops, server.requests)


def test_the_network_follows_no_redirect(network):
    """The customer gets the redirect, and the node one request."""
    with network.listen("node") as listener:
        server = Server(listener, FOUND_ELSEWHERE)
        assert network.ask("node", "PUT", "/thing", within=5).status == 307
        assert len(network.hops) == len(server.requests) == 1, server.requests


def test_the_network_brings_no_cookies_along(network):
    """Cookies that a node sets are neither stored nor sent with other calls."""
    cookie = OK.replace(b"Content-Length", b"Set-Cookie: a=1\r\nContent-Length")
    seen = []

    async def node(hop):
        seen.append(hop.headers.get("Cookie"))
        return 200, {}

    with network.listen("node") as listener:
        Server(listener, cookie)
        assert network.ask("node", "GET", "/thing", within=5).headers["Set-Cookie"] == "a=1"
    network.play("node", node)
    network.ask("node", "GET", "/thing", within=5)
    assert seen == [None]
