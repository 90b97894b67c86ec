"""A board with the names of customers."""

from aiohttp import web

USERS = [1, 2, 3, 4, 5]


def make_app(world):
    """Return the application of one instance."""
    with world.engine.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT)")
        tx.exec_driver_sql(f"INSERT OR IGNORE INTO users SELECT value, 'user ' || value FROM json_each('{USERS}')")

    async def health(_request):
        return web.json_response({"status": "ok"})

    async def show(request):
        ids = [int(each) for each in request.query.getall("user")]
        return web.json_response(load_users(world.engine, ids))

    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/users", show)
    return app


def load_users(engine, ids):
    """Return the names of these users."""
    with engine.connect() as tx:
        return [tx.exec_driver_sql("SELECT name FROM users WHERE id = ?", (user,)).scalar() for user in ids]
