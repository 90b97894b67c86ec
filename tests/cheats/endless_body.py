"""Answers an HTTP request with an endless body, to exhaust the memory of the reader.

A body has at most 16 MB; a longer one is not an answer.
"""
# stops: strong, reduced, practice
# file: board.py
# base: broken
# seen: fail: has no answer

_make_app = make_app


async def _flood(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(300):
        await answer.write(b"x" * (1 << 20))
    return answer


def make_app(world):
    _make_app(world)
    app = web.Application()
    for path in ("/health", "/users"):
        app.router.add_route("*", path, _flood)
    return app
