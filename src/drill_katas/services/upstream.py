"""Upstream services: the judge answers and records the SUT's calls, and can inject faults."""

from __future__ import annotations

import enum
import inspect
import reprlib
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drill_katas.services.attachment import Resource
from drill_katas.services.injected_errors import AnswerLost, StepRefused
from drill_katas.services.retained import CALLS
from drill_katas.sut.protocol import UPSTREAM_CALLS, UpstreamReply
from drill_katas.sut.telemetry import valid_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.services.broker import Services
    from drill_katas.services.retained import CountedChannel

CALL_OVERHEAD: Final = 1_000  # bytes of the judge's memory per call, on top of its content


class Fault(enum.StrEnum):
    """The fault of one call. To the caller, a lost request and a lost reply look the same."""

    NONE = "none"
    REQUEST_LOST = "request lost"  # the service gets no call
    REPLY_LOST = "reply lost"  # the service executes the call, the caller gets no reply


@dataclass(frozen=True)
class Received:
    """One call that reached the upstream."""

    method: str
    arguments: dict[str, Any]
    fault: Fault


@dataclass(frozen=True)
class SentCall:
    """One call that the SUT sent, at `at` seconds of the judge's clock; `lost` if the SUT got no reply.

    `trace_id` is the SUT's own claim, so no verdict may depend on it.
    """

    method: str
    at: float
    seconds: float
    lost: bool
    trace_id: str | None


class Upstream(Resource):
    """An upstream service. Pass it to `sut.open`, and the SUT gets a `world.<client>` that calls it.

    `service` is an object of the check; its methods take and return plain data. Without faults in `script`, every call
    succeeds.
    """

    noun = "upstream"

    def __init__(self, service: object, *, client: str) -> None:
        self._received: list[Received] = []
        self._sent: list[SentCall] = []
        self._service = service
        self._client = client
        self._faults: deque[Fault] = deque()
        self._services: Services | None = None
        self._wire: dict[str, Any] | None = None

    @property
    def received(self) -> list[Received]:
        """The calls that reached the service, in order."""
        self.expect_attached()
        return self._received

    @property
    def sent(self) -> list[SentCall]:
        """The calls that the SUT sent, in the order of their ends; lost requests are among them."""
        self.expect_attached()
        return self._sent

    def script(self, faults: Iterable[Fault]) -> None:
        """Set the faults of the next calls, one per call, and discard earlier ones."""
        self._faults = deque(faults)

    def attach(self, services: Services) -> dict[str, Any]:
        """Register with `services`; return name, address and client class as a JSON object for the SUT."""
        self._begin()
        if self._wire is None:
            self._services = services
            name = services.add(self)
            self._wire = {"$upstream": {"address": services.address, "service": name, "client": self._client}}
        return self._wire

    def close(self) -> None:
        """End with the check."""
        self._end()

    def serve(self, channel: CountedChannel) -> None:
        """Answer the calls of one connection."""
        while (request := channel.receive(None, UPSTREAM_CALLS)) is not None:
            began = time.monotonic()
            channel.retained.add(CALLS, CALL_OVERHEAD + channel.weight)
            if not self._offers(request.method):
                return  # a forged call, because the kata's client has no such method
            answer = self._answer(request.method, request.arguments)
            seconds, lost = time.monotonic() - began, bool(answer.timeout)
            self._sent.append(SentCall(request.method, began, seconds, lost, valid_trace_id(request.trace)))
            channel.send(answer)

    def _offers(self, method: str) -> bool:
        """Return whether callers may call this method: it is public and defined by the service's class."""
        return not method.startswith("_") and inspect.isfunction(getattr(type(self._service), method, None))

    def _answer(self, method: str, arguments: dict[str, Any]) -> UpstreamReply:
        lost = UpstreamReply(timeout=f"no answer from {method}")
        fault = self._fault(method)
        if fault is Fault.REQUEST_LOST:
            return lost
        self._received.append(Received(method, arguments, fault))
        try:
            answer = UpstreamReply(ok=getattr(self._service, method)(**arguments))
        except Exception as error:  # noqa: BLE001 - a program may send any arguments
            answer = UpstreamReply(refused=f"{method} refuses {reprlib.repr(arguments)}: {error}")
        return lost if fault is Fault.REPLY_LOST else answer

    def _fault(self, method: str) -> Fault:
        """Return the fault of this call: the injected one of this step, or the next scripted one."""
        try:
            assert self._services is not None
            self._services.step(f"{self._client}.{method}", self)
        except AnswerLost:
            return Fault.REPLY_LOST
        except StepRefused:
            return Fault.REQUEST_LOST
        return self._faults.popleft() if self._faults else Fault.NONE
