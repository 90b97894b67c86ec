"""The baskets of all customers, as a web application."""

from typing import Any

from aiohttp import web


def make_app(world: Any) -> web.Application:
    """Return the application."""
    baskets: dict[str, dict[str, tuple[int, int]]] = {}

    async def add(request: web.Request) -> web.Response:
        """Put an article into a basket."""
        addition = await request.json()
        if addition["quantity"] < 1:
            return web.json_response({"error": "a quantity is at least 1"}, status=400)
        try:
            price = await world.price(addition["sku"])
        except ConnectionError as error:
            return web.json_response({"error": str(error)}, status=502)
        articles = baskets.setdefault(request.match_info["id"], {})
        articles[addition["sku"]] = (price, addition["quantity"])
        return web.Response(status=204)

    async def total(request: web.Request) -> web.Response:
        """Answer the cost of a basket, in cents."""
        articles = baskets.get(request.match_info["id"], {})
        return web.json_response({"total": sum(price * quantity for price, quantity in articles.values())})

    app = web.Application()
    app.add_routes([web.post("/baskets/{id}/additions", add), web.get("/baskets/{id}/total", total)])
    return app
