"""The scene of an incident: the interface for a kata's `incident.py`, and the recording of its requests."""

from __future__ import annotations

import itertools
import math
import random
import re
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from drill_katas.evidence.records import LogLine, Span
from drill_katas.evidence.stillness import Stillness
from drill_katas.evidence.watched import watch
from drill_katas.failures import SutError
from drill_katas.kit.load import is_2xx
from drill_katas.services.network import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from drill_katas.evidence.clock import Clock
    from drill_katas.evidence.meters import Meters
    from drill_katas.evidence.watched import Watched
    from drill_katas.judge.handle import Handle
    from drill_katas.judge.sut import Sut
    from drill_katas.kit.incident import Incident
    from drill_katas.services.database import Database
    from drill_katas.services.hops import HttpResponse
    from drill_katas.services.network import Network
    from drill_katas.services.upstream import Upstream

QUIET: Final = 0.05  # seconds without progress after which the clock may jump
AT_REST: Final = 0.25  # seconds without progress after the last customer hung up, at the end of the incident
LOOK: Final = 0.002  # seconds between two looks
STATUS: Final = re.compile(r"[a-z]+( [a-z]+)?")  # such as "paid", "sold out"
SHOWN_ANSWER: Final = 60  # most characters of an answer
INSTANT: Final = 0.001  # seconds that are too short for a jump
T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """A finished request of a customer, with times of the incident's clock; `status` is "none" if they gave up.

    `good` is None if the request does not count for the service level.
    """

    service: str
    name: str
    status: str
    good: bool | None
    began: float
    ended: float


@dataclass
class Sent:
    """An open request over HTTP; its customer gives up after `patience` seconds of the incident's clock."""

    service: str
    name: str
    future: Future[HttpResponse]
    sent: float  # time of the judge's clock
    began: float
    patience: float
    good: Callable[[HttpResponse], bool] | None


@dataclass
class ReplayScene:
    """The `kit.Scene` of a replay: plays an incident on a SUT.

    `chance` is the random generator of the seed; `ablation` names the experiment. `after_step(scene, share)` is called
    after each step with the completed share. An `endless` scene continues after its end.
    """

    sut: Sut
    incident: Incident
    clock: Clock
    meters: Meters
    after_step: Callable[[ReplayScene, float], None]
    variant: str
    seed: int
    ablation: str | None = None
    endless: bool = False
    requests: list[Request] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)  # service of each call, by trace id
    watched: dict[str, Watched] = field(default_factory=dict)
    exposed: dict[str, Callable[[], Handle]] = field(default_factory=dict)  # objects to call by hand, by service
    _sent: list[Sent] = field(default_factory=list)
    _unfinished: bool = False  # whether a customer of this step hung up, or got the status 202

    def __post_init__(self) -> None:
        self.chance = random.Random(f"incident {self.seed}")  # noqa: S311 - a night in a shop, not a secret

    def without(self, ablation: str) -> bool:
        """Return whether this replay is the experiment `ablation`."""
        assert ablation in self.incident.ablations, f"incident.py does not name the ablation {ablation}"
        return self.ablation == ablation

    def watch(self, name: str, thing: Database | Upstream | Network, owner: str = "") -> None:
        """Record the observations of a database, an upstream, or a network; `owner` is the service that uses it."""
        self.watched[name] = watch(name, thing, owner)

    def expose(self, service: str, handle: Callable[[], Handle]) -> None:
        """Make an object's methods callable by hand under `kata serve`, as those of `service`."""
        self.exposed[service] = handle

    def ticks(self, seconds: float) -> Iterator[float]:
        """Yield the minutes since the start for each step of `seconds`; each step ends when the system is at rest."""
        steps = int(self.incident.minutes * 60 / seconds)
        for step in itertools.count() if self.endless else range(steps):
            self._jump_to(self.incident.began + step * seconds)
            self._unfinished = False
            yield step * seconds / 60
            end = self.incident.began + (step + 1) * seconds
            self._settle()
            if self._unfinished:  # the system may still be working, and a jump would lengthen this work
                self._wait_until_still(QUIET, end)
            self._jump_to(end)
            self._give_up()
            if step + 1 == steps and not self.endless and self._sent:
                self._give_up(at_once=True)  # so that the last sample includes these customers
                self._wait_until_still(AT_REST)
            self._note_in_flight(len(self._sent))
            self.after_step(self, min(1.0, (step + 1) / steps))

    def wait(self, seconds: float) -> None:
        """Let `seconds` of the incident's clock pass between two requests."""
        self._jump_to(self.clock.now() + seconds)

    def call(
        self, service: str, name: str, act: Callable[[], T], good: Callable[[T], bool] = lambda _: True, **fields: Any
    ) -> T | None:
        """Run `act`, which calls the SUT, as one request to a service on a new trace; return its answer.

        | case | effect |
        | --- | --- |
        | the SUT raises | the error is logged, as by a framework; the answer is None |
        | the answer is one or two words | it becomes the status of the request |
        | `fields` | they become attributes of the span |
        """
        trace_id = f"{self.chance.getrandbits(128):032x}"
        self.services[trace_id] = service
        began = time.monotonic()
        answer, is_good = None, False
        self._note_in_flight(len(self._sent) + 1)
        with self.sut.on_trace(trace_id):
            try:
                answer = act()
            except SutError as error:
                status = "error"
                self.log(
                    service, "error", "request failed", trace_id=trace_id, request=name, error=error.raised.strip()
                )
            else:
                is_status = isinstance(answer, str) and STATUS.fullmatch(answer)
                status = answer if isinstance(answer, str) and is_status else "ok"
                if isinstance(answer, str) and not is_status:
                    fields = {"answer": answer[:SHOWN_ANSWER], **fields}
                is_good = good(answer)
        ended = time.monotonic()
        self._note_in_flight(len(self._sent))
        self._note(Request(service, name, status, is_good, self.clock.at(began), self.clock.at(ended)))
        span = Span(
            trace_id=trace_id,
            service=service,
            name=name,
            kind="server",
            began=self.clock.at(began),
            ended=self.clock.at(ended),
            failed=status == "error",
            attributes={"caller": OUTSIDE, "status": status} | {key: str(value) for key, value in fields.items()},
        )
        self.spans.append(span)
        return answer

    def send(
        self,
        network: Network,
        node: str,
        name: str,
        *,
        patience: float,
        good: Callable[[HttpResponse], bool] | None = is_2xx,
        **options: Any,
    ) -> Future[HttpResponse]:
        """Start a request to a node, such as "GET /health"; its customer gives up after `patience` seconds.

        `good` decides whether an answer is good; with None, the request does not count for the service level.
        `options` are those of aiohttp's client, such as `json` and `headers`, and `path` if it differs from the name.
        """
        method, _, path = name.partition(" ")
        path = options.pop("path", path)
        trace_id = f"{self.chance.getrandbits(128):032x}"
        headers = {"traceparent": f"00-{trace_id}-{trace_id[:16]}-01", **options.pop("headers", {})}
        future = network.start(network.send(node, (method, path, {**options, "headers": headers}), within=None))
        self._sent.append(Sent(node, name, future, time.monotonic(), self.clock.now(), patience, good))
        self._note_in_flight(len(self._sent))
        return future

    def log(self, service: str, level: str, event: str, *, trace_id: str | None = None, **fields: Any) -> None:
        """Log a line of the surroundings: a deploy, a cron job, a framework."""
        line = LogLine(
            id="", at=self.clock.now(), service=service, level=level, event=event, trace_id=trace_id, fields=fields
        )
        self.logs.append(line)

    def gauge(self, name: str, value: float, about: str, **labels: str) -> None:
        """Set a gauge of the surroundings; `about` is its help text."""
        self.meters.set_gauge(name, about, labels, value)

    def _note_in_flight(self, requests: int) -> None:
        self.gauge("requests_in_flight", requests, "Requests without an answer yet.")

    def _note(self, request: Request) -> None:
        self.requests.append(request)
        if request.name == self.incident.request and request.good is not None:
            self.meters.note_level(good=request.good)
        self.meters.note(request.service, request.name, request.status, max(0.0, request.ended - request.began))

    def _jump_to(self, at: float) -> None:
        """Jump to a later time; timeouts of the SUT on the way run out in order."""
        while (left := at - self.clock.now()) > INSTANT:
            skipped = self.clock.skipped(left)
            step = self.sut.advance(skipped) if skipped else 0.0
            self.clock.jump_to(at if step == skipped else self.clock.now() + max(INSTANT, left * step / skipped))
            if step != skipped:
                self._settle()

    def _settle(self) -> None:
        """Wait until all requests are answered or the system makes no progress; customers may give up meanwhile."""
        still = self._stillness(QUIET)
        while self._sent:
            self._take_answers()
            if still.reached():
                return
            self._give_up()
            time.sleep(LOOK)

    def _stillness(self, seconds: float) -> Stillness:
        return Stillness(self._signs, self.sut.check.meter, seconds)

    def _signs(self) -> tuple[int, ...]:
        """Return numbers that change while there is progress."""
        return (len(self._sent), *(each.progress for each in self.watched.values()))

    def _take_answers(self) -> None:
        for sent in [each for each in self._sent if each.future.done()]:
            self._sent.remove(sent)
            self._end(sent)

    def _give_up(self, *, at_once: bool = False) -> None:
        """Cancel the requests whose patience is over, or with `at_once` all of them."""
        now = self.clock.now()
        for sent in [each for each in self._sent if at_once or now - each.began >= each.patience]:
            self._sent.remove(sent)
            sent.future.cancel()
            self._unfinished = True
            self._end(sent)

    def _wait_until_still(self, seconds: float, end: float = math.inf) -> None:
        """Wait until there is no progress for `seconds` of the judge's clock, at most until `end` of the incident's."""
        still = self._stillness(seconds)
        while not still.reached() and self.clock.now() < end:
            time.sleep(LOOK)

    def _end(self, sent: Sent) -> None:
        try:
            answer = sent.future.result()
        except CancelledError:
            answer = None
        status = "none" if answer is None or answer.status is None else str(answer.status)
        self._unfinished |= status == str(HTTPStatus.ACCEPTED.value)
        good = sent.good and answer is not None and sent.good(answer)
        ended = self.clock.now() if answer is None else self.clock.at(sent.sent + answer.seconds)
        self._note(Request(sent.service, sent.name, status, good, sent.began, ended))
