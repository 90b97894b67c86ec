"""Pricing: says what an order costs its customer, by the customer's tier and the order's coupon."""

from typing import Any

from aiohttp import web

from .world import World, health


def make_app(world: World) -> web.Application:
    """Make the application of the pricing service."""
    pricing = Pricing(world)
    app = web.Application()
    app.router.add_post("/quotes", pricing.quote)
    app.router.add_get("/health", health)
    return app


class Pricing:
    """Quotes prices, to a limited number of callers at a time."""

    def __init__(self, world: World) -> None:
        """Open for business."""
        self._world = world

    async def quote(self, request: web.Request) -> web.Response:
        """Quote the price of an order: `{"order", "sku", "quantity", "terms"}` -> `{"price"}`."""
        wanted = await request.json()
        await self._world.work()
        return web.json_response({"price": self._price(wanted["sku"], wanted["quantity"], wanted["terms"])})

    def _price(self, sku: str, quantity: int, terms: dict[str, Any]) -> str:
        """Take the discounts off the list price; both are in per cent of it."""
        off = self._world.tiers.get(terms["tier"], 0) + self._world.coupons.get(terms["coupon"] or "", 0)
        cents = int(self._world.list_prices[sku]) * quantity * (100 - off)
        return f"{cents // 100}.{cents % 100:02}"
