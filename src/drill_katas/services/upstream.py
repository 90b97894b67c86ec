"""Upstream services: the SUT's calls to them are answered here, counted here, and can go wrong here."""

from __future__ import annotations

import enum
import inspect
import reprlib
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drill_katas.services.kept import CALLS
from drill_katas.services.steps import AnswerLost, StepRefused
from drill_katas.sut.protocol import UPSTREAM_CALLS, UpstreamReply
from drill_katas.sut.telemetry import valid_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.services.broker import Services
    from drill_katas.services.kept import KeptChannel

ASKED: Final = 1_000  # bytes that the judge keeps with every call, whatever is in it


class Fault(enum.StrEnum):
    """What happens to one call; to its caller both losses look the same."""

    NONE = "none"
    REQUEST_LOST = "request lost"  # the service never hears of the call
    REPLY_LOST = "reply lost"  # the service carries it out, the caller never hears


@dataclass(frozen=True)
class Received:
    """One call that reached the upstream."""

    method: str
    arguments: dict[str, Any]
    fault: Fault


@dataclass(frozen=True)
class Asked:
    """One call as the SUT made it: when, by the judge's clock, how long it took in seconds, and whether it was lost.

    `trace_id` is what the SUT says, and no verdict rests on it.
    """

    method: str
    at: float
    seconds: float
    lost: bool
    trace_id: str | None


class Upstream:
    """An upstream service; hand it to `sut.open`, and the SUT gets `world.<client>` talking to it.

    `service` is an object of the check's own, whose methods take and return plain data. `faults` are
    used up one a call, in order; when they have run out all goes well.
    """

    def __init__(self, service: object, *, client: str) -> None:
        self.received: list[Received] = []
        self.asked: list[Asked] = []
        self._service = service
        self._client = client
        self._faults: deque[Fault] = deque()
        self._wire: dict[str, Any] | None = None

    def script(self, faults: Iterable[Fault]) -> None:
        """Say what happens to the next calls, in place of what was said before."""
        self._faults = deque(faults)

    def attach(self, services: Services) -> dict[str, Any]:
        """Be reachable through `services`; the upstream's name, address and client class for the SUT."""
        if self._wire is None:
            self._services = services
            name = services.add(self)
            self._wire = {"$upstream": {"address": services.address, "service": name, "client": self._client}}
        return self._wire

    def close(self) -> None:
        """Nothing is held between checks."""

    def serve(self, channel: KeptChannel) -> None:
        """Answer the calls of one connection."""
        while (request := channel.receive(None, UPSTREAM_CALLS)) is not None:
            began = time.monotonic()
            channel.kept.add(CALLS, ASKED + channel.weight)
            if not self._offers(request.method):
                return  # no client of the kata's asks that
            answer = self._answer(request.method, request.arguments)
            seconds, lost = time.monotonic() - began, bool(answer.timeout)
            self.asked.append(Asked(request.method, began, seconds, lost, valid_trace_id(request.trace)))
            channel.send(answer)

    def _offers(self, method: str) -> bool:
        """Whether the service has such a method for its callers: no more of it is theirs, `__init__` least of all."""
        return not method.startswith("_") and inspect.isfunction(getattr(type(self._service), method, None))

    def _answer(self, method: str, arguments: dict[str, Any]) -> UpstreamReply:
        lost = UpstreamReply(timeout=f"no answer from {method}")
        fault = self._fault(method)
        if fault is Fault.REQUEST_LOST:
            return lost
        self.received.append(Received(method, arguments, fault))
        try:
            answer = UpstreamReply(ok=getattr(self._service, method)(**arguments))
        except Exception as error:  # noqa: BLE001 - a program may ask for anything, in any words
            answer = UpstreamReply(refused=f"{method} refuses {reprlib.repr(arguments)}: {error}")
        return lost if fault is Fault.REPLY_LOST else answer

    def _fault(self, method: str) -> Fault:
        """Return what happens to this call: the trouble of this step, or what is scripted."""
        try:
            self._services.step(f"{self._client}.{method}", self)
        except AnswerLost:
            return Fault.REPLY_LOST
        except StepRefused:
            return Fault.REQUEST_LOST
        return self._faults.popleft() if self._faults else Fault.NONE
