"""The client of the payment gateway."""

from typing import Any


class Gateway:
    """Charges customers through the payment provider."""

    def __init__(self, line: Any) -> None:
        """Talk to the provider over an open line."""
        self._line = line

    def charge(self, key: str, amount: str, currency: str) -> str:
        """Charge `amount`; answer "charged" or "declined".

        A key is charged at most once; the same key gets the first answer again. Raise TimeoutError when no answer
        came in time; the charge may have happened.
        """
        answer: str = self._line.ask("charge", key=key, amount=amount, currency=currency)
        return answer
