"""The price service, and its view of its callers."""

import asyncio
import json
import time
from http import HTTPStatus

CAP = 4  # calls that it takes at once


class PriceService:
    """Answers prices after `latency` seconds; refuses calls beyond its limit."""

    def __init__(self):
        self.prices = {}
        self.latency = 0.01
        self.refused = 0
        self.kept_waiting = None  # seconds that an answer waited for /health of its caller, without success
        self.holding = None  # a `kit.Holding` that notes the calls
        self._watched = None
        self._open = 0

    async def answer(self, hop):
        if self._open == CAP:
            self.refused += 1
            return 429, {"error": f"{CAP} calls are already open"}
        self._open += 1
        if self.holding:
            self.holding.note(f"{hop.method} {hop.path} to the price service")
        try:
            asked = skus_of(hop)
            await asyncio.sleep(self.latency)
            await self._health(hop)
            if hop.path == "/price":
                return 200, {"price": self.prices.get(*asked)}
            return 200, {"prices": {sku: self.prices[sku] for sku in asked if sku in self.prices}}
        finally:
            self._open -= 1

    def waits_for_health(self, network):
        """From now on, delay each answer until the caller has answered /health during the call, or for 1 s."""
        self._watched = network

    async def _health(self, hop):
        while self._watched and self.kept_waiting is None:
            calls = reversed(self._watched.hops)
            answered = (call for call in calls if call.path == "/health" and call.status == HTTPStatus.OK)
            if any(call.began > hop.began for call in answered):
                return
            if time.monotonic() > hop.began + 1:
                self.kept_waiting = time.monotonic() - hop.began
            await asyncio.sleep(0.01)


def skus_of(hop):
    """Return the SKUs of a price call."""
    asked = json.loads(hop.body)
    return set(asked.get("skus", [asked.get("sku")]))
