"""The surroundings of the basket in production: the client of the price service."""

import aiohttp


class World:
    """The surroundings of one node; `links` has the socket of each node that it can call."""

    def __init__(self, name: str, links: dict[str, str]) -> None:
        """Create the surroundings of the node `name`."""
        self.name = name
        self._links = links

    async def price(self, sku: str) -> int:
        """Return the price of an article from the price service, in cents."""
        connector = aiohttp.UnixConnector(self._links["prices"])
        async with (
            aiohttp.ClientSession(connector=connector, middlewares=[sent_once]) as session,
            session.get(f"http://prices/prices/{sku}") as answer,
        ):
            price: int = (await answer.json())["price"]
            return price


async def sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request once: aiohttp repeats a GET after a lost connection, but not after this error."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise aiohttp.ClientConnectionError(str(lost)) from lost
