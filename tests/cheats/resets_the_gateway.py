"""Charges every order as often as it comes, and has the payment gateway forget it: it calls the gateway's __init__.

Only the public methods of what a check plays can be called.
"""
# stops: strong, reduced, practice
# base: solution
# seen: fail: .

import time

_lines = []
_outcome = lambda tx, message_id: None


class _Key:
    pass


def _checkout(self, order):
    line = self._gateway._line
    try:
        line.ask("__init__")
    except Exception:
        line._channel = None
    answer = self._gateway.charge(f"{order['id']}-{time.monotonic_ns()}", order["amount"], order["currency"])
    if answer != "declined":
        with self._engine.begin() as tx:
            if tx.scalar(select(processed.c.outcome).where(processed.c.id == order["id"])) is None:
                tx.execute(insert(processed).values(id=order["id"], outcome="paid"))
                _post(tx, order["account"], order["currency"], _minor(order["amount"], order["currency"]))
    return "declined" if answer == "declined" else "paid"


Ledger.checkout = _checkout
