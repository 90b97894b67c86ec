"""Calls another service endlessly with bodies of 1 MB, because the judge records every call with its body.

All records of one check share one bound, which applies even if the check asserts nothing about them.
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
