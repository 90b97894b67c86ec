"""The baskets of all customers, as a web application."""

from collections import Counter, defaultdict
from typing import Any

from aiohttp import web


def make_app(world: Any) -> web.Application:
    """Return the application."""
    baskets: defaultdict[str, Counter[tuple[str, int]]] = defaultdict(Counter)

    async def add(request: web.Request) -> web.Response:
        """Put an article into a basket."""
        addition = await request.json()
        if addition["quantity"] < 1:
            return web.json_response({"error": "not a number of pieces"}, status=400)
        try:
            price = await world.price(addition["sku"])
        except ConnectionError as error:
            return web.json_response({"error": str(error)}, status=502)
        baskets[request.match_info["id"]][addition["sku"], price] += addition["quantity"]
        return web.Response(status=204)

    async def total(request: web.Request) -> web.Response:
        """Answer the cost of a basket, in cents."""
        pieces = baskets[request.match_info["id"]]
        return web.json_response({"total": sum(price * quantity for (_, price), quantity in pieces.items())})

    app = web.Application()
    app.add_routes([web.post("/baskets/{id}/additions", add), web.get("/baskets/{id}/total", total)])
    return app
