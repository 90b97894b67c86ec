"""The network between services: each HTTP call passes through the judge, which records it and can inject faults.

Services are *nodes*. A node is an application of the learner in the SUT, or a stand-in that the check plays. A *link*
between two nodes is a proxy on a unix socket.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import aiohttp
from aiohttp import web

from drill_katas.failures import KataMistake
from drill_katas.services import links
from drill_katas.services.attachment import Attachment
from drill_katas.services.hops import Hop, HttpResponse
from drill_katas.services.http_client import AS_ANSWERED, Request, body_of, client, end_to_end, send
from drill_katas.services.network_faults import NetworkFaults
from drill_katas.services.retained import ANSWERS, HOPS, RetentionExceeded

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from concurrent.futures import Future

    from drill_katas.machine.cpu_time import Wait
    from drill_katas.services.broker import Services
    from drill_katas.services.retained import RetainedBytes

OUTSIDE: Final = "customers"  # the caller name of requests from outside of the system

T = TypeVar("T")


@dataclass(frozen=True)
class Node:
    """One node of a network. Pass it to `sut.serve`, and the SUT gets a `World` with links to the other nodes."""

    network: Network
    name: str

    def attach(self, services: Services) -> dict[str, Any]:
        """Start this node's links; return its name and its links as a JSON object for the SUT."""
        return {"$node": self.network.attach(services)[self.name]}

    def listen(self) -> socket.socket:
        """Return a listening socket for the SUT, because the sandbox allows it no socket of its own."""
        return self.network.listen(self.name)


@dataclass
class _Host:
    """The judge's side of an attached network: the sockets of its nodes, and HTTP clients, by node."""

    services: Services
    retained: RetainedBytes
    sockets: dict[str, str]
    clients: dict[str, aiohttp.ClientSession] = field(default_factory=dict)
    outside: dict[str, aiohttp.ClientSession] = field(default_factory=dict)


class Network(NetworkFaults, Attachment):
    """The nodes of a check, their calls, and the faults of these calls. It lives until the check ends."""

    noun, passed_to = "network", "sut.serve(..., network.node(NAME))"

    def __init__(self, *nodes: str) -> None:
        if not nodes or len(set(nodes)) < len(nodes):
            raise KataMistake(f"a network needs nodes with different names, and gets {', '.join(nodes) or 'none'}")
        super().__init__(nodes)
        self._hops: list[Hop] = []
        self._peak: Counter[str] = Counter()
        self._numbers = {node: itertools.count(1) for node in nodes}
        self._open: Counter[str] = Counter()
        self._host: _Host | None = None
        self._wire: dict[str, dict[str, Any]] = {}
        self._runners: list[web.ServerRunner] = []
        self._served: set[str] = set()  # nodes with an application of the SUT

    @property
    def _bound(self) -> _Host:
        assert self._host is not None
        return self._host

    @property
    def hops(self) -> list[Hop]:
        """All calls so far, in the order of their arrival."""
        self.expect_attached()
        return self._hops

    @property
    def peak(self) -> Counter[str]:
        """The most calls to each node that were open at once."""
        self.expect_attached()
        return self._peak

    def node(self, name: str) -> Node:
        """Return a node for the SUT to serve. All methods of a network raise `KataMistake` for an unknown node."""
        return Node(self, self._known(name))

    def open_hops(self) -> list[Hop]:
        """Return the calls without an answer so far."""
        return [hop for hop in self.hops if hop.status is None]

    def attach(self, services: Services) -> dict[str, dict[str, Any]]:
        """Listen on every link; return for each node its name and its links, by callee."""
        self._begin()
        if not self._wire:
            self._host = _Host(services, services.retained, {node: services.socket_path() for node in self.nodes})
            self._wire = services.loop.run(self._listen(self._host))
            services.keep(self)
        return self._wire

    def listen(self, node: str) -> socket.socket:
        """Listen on a node's socket and replace any earlier listener."""
        self.expect_attached()
        self._served.add(node)
        path = Path(self._bound.sockets[node])
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(links.BACKLOG)
        return listener

    def ask(self, node: str, method: str, path: str, *, within: float, **options: Any) -> HttpResponse:
        """Send one request from outside and return its response; wait at most `within` seconds.

        `options` are those of aiohttp's client: `json`, `headers`.
        """
        return self.ask_together(node, [(method, path, options)], within=within)[0]

    def ask_together(self, node: str, requests: Sequence[Request], *, within: float) -> list[HttpResponse]:
        """Send all requests at once and return their responses in the same order."""
        self.expect_answers(node)
        return self._bound.services.loop.run(self._ask_together(node, requests, within))

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine that sends requests from outside, and return a future of its value."""
        try:
            self._expect_running()
        except KataMistake:
            work.close()
            raise
        return self._bound.services.loop.start(work)

    def wait(self, seconds: float) -> Wait:
        """Begin a wait of at most `seconds`; time without a processor does not count."""
        self._expect_running()
        return self._bound.services.wait(seconds)

    def expect_answers(self, node: str) -> None:
        """Raise `KataMistake` if nothing answers requests to a node: no application, and no function of the check."""
        self._expect_running()
        if self._known(node) not in self._served | self._played.keys():
            raise KataMistake(f"nothing answers at the node {node}; call sut.serve or network.play for it first")

    def _expect_running(self) -> None:
        self.expect_attached()
        self._expect_current()

    async def send(self, node: str, request: Request, within: float | None) -> HttpResponse:
        """Send one request from outside and return its response. The customer hangs up after `within` seconds."""
        self.expect_answers(node)
        return await send(
            self._bound.outside[node],
            f"http://{node}",
            request,
            within,
            self._bound.retained,
            self._bound.services.note_error,
        )

    def close(self) -> None:
        """Stop listening at the end of the check."""
        self._end()
        self._bound.services.loop.run(self._stop())

    async def _listen(self, host: _Host) -> dict[str, dict[str, Any]]:
        for node in self.nodes:
            host.clients[node] = client(host.sockets[node])
            host.outside[node] = client(await self._link(OUTSIDE, node, host))
        return {
            node: {"name": node, "links": {other: await self._link(node, other, host) for other in self.nodes}}
            for node in self.nodes
        }

    async def _link(self, caller: str, callee: str, host: _Host) -> str:
        path = host.services.socket_path()
        link = links.Link(functools.partial(self._relay, caller, callee), host.retained)
        self._runners.append(await links.listen(link, path))
        return path

    async def _relay(self, caller: str, callee: str, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._passed_on(await self._hop(caller, callee, request))
        except (aiohttp.ClientError, OSError, RetentionExceeded) as error:
            self._bound.services.note_error(error)
            if request.transport:
                request.transport.abort()  # the caller loses its connection as well
            return web.Response(status=502)

    async def _hop(self, caller: str, callee: str, request: web.BaseRequest) -> Hop:
        """Record a call when its whole request has arrived. Raises `RetentionExceeded`."""
        body = await links.body_of(request)
        self._bound.retained.add(HOPS, links.HOP + links.HEADER * len(request.headers))
        hop = Hop(
            number=next(self._numbers[callee]),
            caller=caller,
            callee=callee,
            method=request.method,
            path=request.path_qs,
            headers=request.headers,
            body=body,
        )
        self._hops.append(hop)
        return hop

    async def _passed_on(self, hop: Hop) -> web.StreamResponse:
        self._open[hop.callee] += 1
        self._peak[hop.callee] = max(self._peak[hop.callee], self._open[hop.callee])
        status = 0
        try:
            await self._cross(hop)
            answer = await self._answer(hop, self._answer_of_callee)
            await self._cross(hop)
            status = answer.status
            return answer
        finally:
            hop.status, hop.ended = status, time.monotonic()
            self._open[hop.callee] -= 1

    async def _answer_of_callee(self, hop: Hop) -> web.Response:
        if hop.callee in self._played:
            status, value = await self._played[hop.callee](hop)
            return web.json_response(value, status=status)
        url, headers = f"http://{hop.callee}{hop.path}", end_to_end(hop.headers)
        async with self._bound.clients[hop.callee].request(
            hop.method, url, headers=headers, data=hop.body, **AS_ANSWERED
        ) as answer:
            body = await body_of(answer, self._bound.retained)
        self._bound.retained.release(ANSWERS, len(body))  # because the caller owns it now
        return web.Response(status=answer.status, headers=end_to_end(answer.headers), body=body)

    async def _ask_together(self, node: str, requests: Sequence[Request], within: float) -> list[HttpResponse]:
        return await asyncio.gather(*(self.send(node, request, within) for request in requests))

    async def _stop(self) -> None:
        """Close the outside clients, then the links, then the clients behind the links."""
        for each in self._bound.outside.values():
            await each.close()
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        for each in self._bound.clients.values():
            await each.close()
