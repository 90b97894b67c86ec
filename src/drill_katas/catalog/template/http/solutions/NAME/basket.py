"""A customer's basket, as a web application."""

from typing import Any

from aiohttp import web


def make_app(world: Any) -> web.Application:
    """Return the application of one customer's basket."""
    lines: list[tuple[str, int]] = []

    async def add(request: web.Request) -> web.Response:
        line = await request.json()
        lines.append((line["sku"], line["quantity"]))
        return web.Response(status=204)

    async def total(_request: web.Request) -> web.Response:
        prices = [await world.price(sku) * quantity for sku, quantity in lines]
        return web.json_response({"total": sum(prices)})

    app = web.Application()
    app.add_routes([web.post("/lines", add), web.get("/total", total)])
    return app
