"""The replay of an incident: the waits that its clock skips, and those it does not skip."""

from __future__ import annotations

import pytest

from tests.support.replays import asked
from tests.support.toy import MANIFEST
from tests.support.worlds import WORLD

APP = """
import asyncio

from aiohttp import web


def make_app(world):
    async def last(request):
        await asyncio.sleep(0.02)
        return web.json_response({})

    async def page(request):
        asyncio.ensure_future(made(request.headers["traceparent"]))
        await asyncio.Event().wait()

    async def made(trace):
        for _ in range(20):
            await world.ask("back", "/last", {"traceparent": trace})

    app = web.Application()
    app.router.add_get("/last", last)
    app.router.add_get("/page", page)
    return app
"""
STORY = """
from drill_katas import kit

INCIDENT = kit.Incident(
    begins="2026-06-02T08:50:00Z", minutes=2, request="GET /page", since=1, rules=(), ablations={}
)


def replay(scene):
    network = kit.network("front", "back")
    for name in ("front", "back"):
        scene.sut.serve("make_app", network.node(name))
    scene.watch("network", network)
    for _ in scene.ticks(seconds=30):
        scene.send(network, "front", "GET /page", patience=0.1)
"""


@pytest.fixture
def story(toy):
    toy.write("kata.toml", MANIFEST.replace('"calls"', '"http"') + 'preload = ["aiohttp.web"]\n')
    toy.write("world.py", WORLD)
    toy.write("incident.py", STORY)
    toy.module(APP)
    return toy


@pytest.mark.long
def test_the_clock_waits_for_abandoned_work(story):
    """Twenty calls of 20 ms: the customer leaves after 0.1 s, and the next one comes half a minute later."""
    done = story.kata("incident", "toy")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = [
        span["ended"] - span["began"]
        for trace in asked(story.root, "traces", "toy", "--grep", "GET /page")
        for span in trace["spans"]
        if span["name"] == "GET /last"
    ]
    assert len(calls) == 4 * 20
    assert max(calls) < 5


FAILING = """
from drill_katas import kit

INCIDENT = kit.Incident("2026-06-02T08:50:00Z", 2, "GET /page", since=1, rules=(), ablations={})


def replay(scene):
    for _ in scene.ticks(seconds=30):
        ACT
"""


@pytest.fixture
def failing(toy):
    """Replay an incident that does this."""

    def replay(act):
        toy.write("incident.py", FAILING.replace("ACT", act))
        return toy.kata("incident", "toy")

    return replay


def test_error_outside_request_ends_incident_with_log(toy, failing):
    toy.body("raise ValueError('out of stock')")
    assert failing("scene.sut.open('Thing').go()").returncode == 0
    (line,) = asked(toy.root, "logs", "toy", "--level", "critical")
    assert line["event"] == "the program failed"
    assert line["fields"]["reason"] == "thing.go() raised ValueError: out of stock"


def test_mistake_in_an_incident_is_named(failing):
    said = failing("kit.network('front').ask('front', 'GET', '/', within=1)")
    assert said.returncode == 2
    assert "incident.py cannot be played: this network is not attached to the program yet" in " ".join(
        said.stderr.split()
    )
