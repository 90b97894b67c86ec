"""The HTTP endpoint of a live system, on this machine only: metrics, and services to call by hand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec
from aiohttp import web

from drill_katas.errors import UserError
from drill_katas.evidence.exposition import negotiated
from drill_katas.evidence.records import clock_time
from drill_katas.failures import Broken, CheckEnded, SutError
from drill_katas.services.event_loop import EventLoopThread
from drill_katas.services.http_client import end_to_end

if TYPE_CHECKING:
    from drill_katas.evidence.scene import ReplayScene
    from drill_katas.evidence.watched import Sample
    from drill_katas.live.job_queue import JobQueue
    from drill_katas.services.hops import HttpResponse
    from drill_katas.services.network import Network

HOST: Final = "127.0.0.1"
BRIEF: Final = 0.1  # seconds that a scrape waits for the end of a step
LONGEST: Final = 60.0  # most seconds between two scrapes over which a gauge keeps its maximum
UNANSWERED: Final = "the system gave no answer"


class Endpoint:
    """Serves `/metrics`, `/SERVICE/...`, and a list of these at `/`; `port` 0 takes any free port."""

    def __init__(self, scene: ReplayScene, jobs: JobQueue, port: int) -> None:
        self._scene = scene
        self._jobs = jobs
        self._loop = EventLoopThread()
        self._samples: tuple[Sample, ...] = ()
        self._measured = self._scraped = time.monotonic()
        self.port = port
        app = web.Application()
        app.router.add_get("/", self._index)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_route("*", "/{service}/{rest:.*}", self._service)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)

    @property
    def url(self) -> str:
        """The address."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Start to listen. Raises `UserError` if the port is not available."""
        try:
            self._loop.run(self._start())
        except OSError as error:
            self._loop.close()
            reason = os.strerror(error.errno or 0)
            raise UserError(f"port {self.port} is not available ({reason}); --port 0 takes any free port") from None
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._loop.run(self._runner.cleanup())
        self._loop.close()

    def measure(self) -> None:
        """Take the samples for scrapes until the next call. Call this only in the thread that plays the incident."""
        measured = time.monotonic()
        since = max(self._scraped, measured - LONGEST)
        self._samples = tuple(self._scene.meters.samples(self._scene.sut, self._scene.watched.values(), since))
        self._measured = measured

    def services(self) -> dict[str, str]:
        """Return the names of the services, with the form of their requests."""
        nodes = self._nodes()
        by_path = {node: f"/{node}/... (requests of the briefing)" for node in nodes}
        by_method = {name: f"/{name}/METHOD (body: a JSON list of arguments)" for name in self._scene.exposed}
        return by_path | by_method

    async def _start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _index(self, _request: web.Request) -> web.Response:
        time_line = f"incident time {clock_time(self._scene.clock.now())}"
        return web.Response(text="\n".join([time_line, "/metrics", *self.services().values(), ""]))

    async def _metrics(self, request: web.Request) -> web.Response:
        with contextlib.suppress(TimeoutError):  # a late scrape gets the last samples, because a gap is worse
            await asyncio.wait_for(asyncio.wrap_future(self._jobs.submit(self.measure)), BRIEF)
        self._scraped = self._measured  # gauges keep their maximum between two scrapes
        text, content_type = negotiated(self._samples, request.headers.get("accept", ""))
        return web.Response(body=text, headers={"content-type": content_type})

    async def _service(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        network = self._nodes().get(service)
        if network is not None:
            return await _pass_on(network, service, request)
        if service in self._scene.exposed:
            return await self._call(service, request)
        known = ", ".join(self.services()) or "none yet, the system is starting"
        return web.Response(status=404, text=f"there is no service {service!r} here; services: {known}\n")

    async def _call(self, service: str, request: web.Request) -> web.Response:
        """Call a method; the body is a JSON list of arguments, or one argument of another type."""
        if request.method != "POST":
            return web.Response(status=405, text="POST a JSON list of arguments\n", headers={"allow": "POST"})
        body = await request.read()
        try:
            value = msgspec.json.decode(body) if body.strip() else []
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return web.Response(status=400, text=f"the body should be a JSON list of arguments: {error}\n")
        arguments = value if isinstance(value, list) else [value]
        called = self._jobs.submit(lambda: self._called(service, request.match_info["rest"], arguments))
        try:
            return web.json_response(await asyncio.wrap_future(called))
        except SutError as error:
            return web.Response(status=500, text=f"{error.raised.strip()}\n")
        except Broken as broken:
            return web.Response(status=400, text=f"{broken}\n")
        except CheckEnded as ended:
            return web.Response(status=503, text=f"{UNANSWERED}: {ended}\n")

    def _called(self, service: str, method: str, arguments: list[Any]) -> Any:
        raised: list[SutError] = []

        def act() -> Any:
            try:
                return getattr(self._scene.exposed[service](), method)(*arguments)
            except SutError as error:
                raised.append(error)
                raise

        value = self._scene.call(service, method, act)
        if raised:
            raise raised[0]
        return value

    def _nodes(self) -> dict[str, Network]:
        return {name: network for each in self._scene.watched.values() for name, network in each.nodes.items()}


async def _pass_on(network: Network, service: str, request: web.Request) -> web.Response:
    path = request.path_qs.removeprefix(f"/{service}")
    options = {"headers": end_to_end(request.headers), "data": await request.read()}
    answer: HttpResponse = await asyncio.wrap_future(
        network.start(network.send(service, (request.method, path, options), within=None))
    )
    if answer.status is None:
        return web.Response(status=502, text=f"{UNANSWERED}\n")
    return web.Response(status=answer.status, headers=end_to_end(answer.headers), body=answer.body)
