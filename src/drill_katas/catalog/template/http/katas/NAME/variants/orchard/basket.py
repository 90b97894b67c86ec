"""The baskets of all customers, as a web application."""

from collections import defaultdict
from typing import Any

from aiohttp import web


def make_app(world: Any) -> web.Application:
    """Return the application."""
    costs: defaultdict[str, list[int]] = defaultdict(list)

    async def add(request: web.Request) -> web.Response:
        """Put an article into a basket."""
        addition = await request.json()
        if addition["quantity"] < 1:
            return web.json_response({"error": "a quantity is at least 1"}, status=400)
        try:
            price = await world.price(addition["sku"])
        except ConnectionError as error:
            return web.json_response({"error": str(error)}, status=502)
        costs[request.match_info["id"]].append(price * addition["quantity"])
        return web.Response(status=204)

    async def total(request: web.Request) -> web.Response:
        """Answer the cost of a basket, in cents."""
        return web.json_response({"total": sum(costs[request.match_info["id"]])})

    app = web.Application()
    app.add_routes([web.post("/baskets/{id}/additions", add), web.get("/baskets/{id}/total", total)])
    return app
