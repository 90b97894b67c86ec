"""The faults of a network: stand-ins, partitions, delays, and scripted answers of its nodes."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from drill_katas.failures import KataMistake
from drill_katas.services.upstream import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.services.hops import Hop

Played = Callable[["Hop"], Awaitable[tuple[int, Any]]]
"""Answers a call to a node that the check plays: a status and a JSON value."""


class NetworkFaults:
    """The methods of a network that make its calls go wrong. Each raises `KataMistake` for an unknown node."""

    def __init__(self, nodes: tuple[str, ...]) -> None:
        self.nodes = nodes
        self._played: dict[str, Played] = {}
        self._partitioned: set[str] = set()
        self._latency: dict[str, float] = {}
        self._faults: dict[str, deque[int | Fault | None]] = {}

    def play(self, node: str, played: Played) -> None:
        """Let the check answer the calls to a node: `await played(hop)` returns a status and a JSON value."""
        node = self._known(node)
        if not inspect.iscoroutinefunction(played):
            raise KataMistake(f"network.play({node!r}, ...) takes an async function that returns (status, value)")
        self._played[node] = played

    def partition(self, node: str) -> None:
        """Cut a node off: its calls, in both directions, get no answer and no error until the caller gives up."""
        self._partitioned.add(self._known(node))

    def heal(self, node: str) -> None:
        """End a partition. Lost calls stay lost."""
        self._partitioned.discard(self._known(node))

    def delay(self, node: str, seconds: float) -> None:
        """Delay every call to a node by `seconds`."""
        self._latency[self._known(node)] = seconds

    def script(self, node: str, faults: Iterable[int | Fault | None]) -> None:
        """Set the faults of the next calls to a node, one per call.

        | fault | effect |
        | --- | --- |
        | None | the node answers |
        | a status | the judge answers with it; the node gets no call |
        | a `Fault` other than `NONE` | the caller loses its connection |
        """
        self._faults[self._known(node)] = deque(faults)

    def _known(self, node: str) -> str:
        if node not in self.nodes:
            raise KataMistake(f"{node} is not a node of this network: {', '.join(self.nodes)}")
        return node

    async def _cross(self, hop: Hop) -> None:
        """Cross the link; during a partition, wait until the caller gives up."""
        if self._partitioned & {hop.caller, hop.callee}:
            await asyncio.Event().wait()

    async def _answer(self, hop: Hop, forward: Callable[[Hop], Awaitable[web.Response]]) -> web.Response:
        """Return the answer to a call, with the faults of its callee; `forward` passes it on to the callee."""
        await asyncio.sleep(self._latency.get(hop.callee, 0))
        faults = self._faults.get(hop.callee)
        fault = faults.popleft() if faults else None
        if isinstance(fault, int):
            return web.json_response({"error": f"{hop.callee} answers {fault}"}, status=fault)
        if fault is Fault.REQUEST_LOST:
            raise aiohttp.ClientConnectionError(fault)
        answer = await forward(hop)
        if fault is Fault.REPLY_LOST:
            raise aiohttp.ClientConnectionError(fault)
        return answer
