"""Calls another service without end, with bodies of a megabyte, which the judge keeps with every call that it sees.

What is kept of one check has one bound, and the check that asserts nothing about it ends by it all the same.
"""
# stops: strong, reduced, practice
# file: board.py
# base: broken
# seen: limit: most of it calls between services

import aiohttp

_make_app = make_app


def make_app(world):
    async def _flood(request):
        connector = aiohttp.UnixConnector(world.prices, limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(600):
                async with session.post("http://prices/price", data=b"x" * 900_000) as answer:
                    await answer.read()

    app = web.Application()
    for path in ("/health", "/users"):
        app.router.add_route("*", path, _flood)
    return app
