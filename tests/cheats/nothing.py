"""A ledger that keeps no books at all."""


class Ledger:
    """Answers zero, whatever came before."""

    def __init__(self, engine, gateway):
        self.engine, self.gateway = engine, gateway

    def apply(self, event):
        return None

    def balance(self, account, currency):
        return "0"

    def book(self, currency):
        return "0"

    def checkout(self, order):
        return "paid"
