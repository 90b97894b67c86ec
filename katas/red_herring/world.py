"""Clients of the database server and of the payment provider."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine


class Database:
    """The database server that checkout and export share."""

    def __init__(self, connect: Callable[..., Engine]) -> None:
        """Know how to connect to the server."""
        self._connect = connect

    def engine(self, **options: Any) -> Engine:
        """Return a new engine; the options are those of SQLAlchemy's `create_engine`."""
        return self._connect(**options)


class Payments:
    """Charges customers through the payment provider."""

    def __init__(self, line: Any) -> None:
        """Talk to the provider over an open line."""
        self._line = line

    def charge(self, key: str, amount: int) -> str:
        """Charge `amount` cents; answer "charged" or "declined".

        A key is charged at most once; the same key gets the first answer again. Raise TimeoutError when no answer
        came in time; the charge may have happened.
        """
        answer: str = self._line.ask("charge", key=key, amount=amount)
        return answer
