"""The surroundings of programs that several test files start."""

WORLD = """
import aiohttp


class World:
    def __init__(self, name, links, greeting="hello"):
        self.name, self.greeting, self._links = name, greeting, links

    async def ask(self, node, path, headers=None):
        connector = aiohttp.UnixConnector(self._links[node])
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.get(f"http://{node}{path}", headers=headers) as answer:
                return answer.status, await answer.json()
"""
LINKS_WORLD = """
class World:
    def __init__(self, name, links):
        self.links = links
"""
BANK_WORLD = """
class Bank:
    def __init__(self, line):
        self.line = line
"""
