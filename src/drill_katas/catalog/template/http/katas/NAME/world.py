"""The surroundings of the baskets in production: a client of the price service."""

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=1.0)


class World:
    """The surroundings of one node; `links` are the sockets of the nodes that it can call."""

    def __init__(self, name: str, links: dict[str, str]) -> None:
        """Be the node `name`."""
        self.name = name
        self._links = links

    async def price(self, sku: str) -> int:
        """Return the price of an article, in cents. Raises `ConnectionError` if the price service does not answer."""
        connector = aiohttp.UnixConnector(self._links["prices"])
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, middlewares=[sent_once]) as session,
                session.get(f"http://prices/prices/{sku}", raise_for_status=True) as answer,
            ):
                price: int = (await answer.json())["price"]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(f"no price of {sku}: {error!r}") from error
        return price


async def sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request once; by itself, aiohttp repeats a GET after these two errors."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise aiohttp.ClientConnectionError(str(lost)) from lost
