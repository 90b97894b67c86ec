"""Pricing: says what an order costs its customer, by the customer's tier and the order's coupon."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from .world import Deadline, World, health


def make_app(world: World) -> web.Application:
    """Make the application of the pricing service."""
    pricing = Pricing(world)
    app = web.Application()
    app.router.add_post("/quotes", pricing.quote)
    app.router.add_get("/health", health)
    return app


class TermsUnknownError(Exception):
    """Checkout does not say on which terms an order was placed."""


class Pricing:
    """Quotes prices, to a limited number of callers at a time."""

    def __init__(self, world: World) -> None:
        """Open for business."""
        self._world = world

    async def quote(self, request: web.Request) -> web.Response:
        """Quote the price of an order: `{"order", "sku", "quantity"}` -> `{"price"}`."""
        deadline = Deadline.of(request.headers)
        wanted = await request.json()
        await self._world.work()
        try:
            terms = await self._terms(wanted["order"], request, deadline)
        except (TermsUnknownError, TimeoutError, ConnectionError) as error:
            return web.json_response({"error": str(error)}, status=503, headers={"Retry-After": "1"})
        return web.json_response({"price": self._price(wanted["sku"], wanted["quantity"], terms)})

    async def _terms(self, order: str, request: web.Request, deadline: Deadline) -> dict[str, Any]:
        """Ask checkout for the tier of the order's customer, and for the coupon that came with the order."""
        trace = {"traceparent": request.headers.get("traceparent", "")}
        reply = await self._world.call(
            "checkout",
            "GET",
            f"/orders/{order}/terms",
            headers=trace | deadline.headers(),
            timeout=deadline.left(),
        )
        if reply.status != HTTPStatus.OK:
            raise TermsUnknownError(f"checkout answers {reply.status} when asked for the terms of {order}")
        terms: dict[str, Any] = reply.json
        return terms

    def _price(self, sku: str, quantity: int, terms: dict[str, Any]) -> str:
        """Take the discounts off the list price; both are in per cent of it."""
        off = self._world.tiers.get(terms["tier"], 0) + self._world.coupons.get(terms["coupon"] or "", 0)
        cents = int(self._world.list_prices[sku]) * quantity * (100 - off)
        return f"{cents // 100}.{cents % 100:02}"
