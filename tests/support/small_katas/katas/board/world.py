"""The world of the board: its database, and the link to the price service."""


class World:
    """One instance of the board."""

    def __init__(self, name, links, engine):
        """Connect to the database, and know where the price service listens."""
        self.name = name
        self.engine = engine
        self.prices = links["prices"]
