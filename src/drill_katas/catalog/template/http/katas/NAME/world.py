"""What surrounds the basket in production: the client of the price service."""

import aiohttp


class World:
    """One node's surroundings; `links` are the sockets of the nodes that it can call."""

    def __init__(self, name: str, links: dict[str, str]) -> None:
        """Be the node `name`."""
        self.name = name
        self._links = links

    async def price(self, sku: str) -> int:
        """Ask the price service for the price of an article, in cents."""
        connector = aiohttp.UnixConnector(self._links["prices"])
        async with (
            aiohttp.ClientSession(connector=connector, middlewares=[sent_once]) as session,
            session.get(f"http://prices/prices/{sku}") as answer,
        ):
            price: int = (await answer.json())["price"]
            return price


async def sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request; aiohttp sends a GET again when its connection is lost, and this error keeps it from that."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise aiohttp.ClientConnectionError(str(lost)) from lost
