"""A shop with its database and its payment provider, and the orders of the checks."""

import random
from collections import Counter
from itertools import count
from typing import Any

from drill_katas import kit

DAY = "2026-03-13"
PRICE = 1200  # cents
PLENTY = 10_000  # units
TRIES = 50  # calls of payments without an answer, in case that a checkout tries again
SERVER = 20  # connections that the database server takes
FAILURES = ["sold out", "repriced", "declined", "unavailable", "invalid", "unknown"]
ANSWERS = ["paid", *FAILURES]
SKUS = [("mug", "cap", "mug-gold"), ("poster", "frame", "poster-signed"), ("lamp", "shade", "lamp-no-7")]


class Provider:
    """The payment provider: charges a key once, and declines multiples of `DECLINED`."""

    DECLINED = 1313

    def __init__(self):
        self.charged = []  # the amounts, in cents
        self._answers = {}

    def charge(self, key, amount):
        if key not in self._answers:
            self._answers[key] = "declined" if amount % self.DECLINED == 0 else "charged"
            if self._answers[key] == "charged":
                self.charged.append(amount)
        return self._answers[key]


class Shop:
    """A shop: its database, its payment provider, and its checkout in the SUT.

    In stock: many units of a mug, many of a cap whose price the provider declines, and one unit of a drop.
    """

    def __init__(self, sut, **database):
        self.sut = sut
        self.database = kit.database(connections=SERVER, client="Database", **database)
        self.provider = Provider()
        self.payments = kit.upstream(self.provider, client="Payments")
        self._numbers = count(1)
        self._chance = random.Random(sut.seed)  # noqa: S311 - no secrets
        self.mug, self.cap, self.drop = (f"{sku}-{self._chance.randrange(100)}" for sku in self._chance.choice(SKUS))
        self.reopen()
        self.checkout.restock(self.mug, PLENTY, PRICE)
        self.checkout.restock(self.cap, PLENTY, Provider.DECLINED)
        self.checkout.restock(self.drop, 1, PRICE)

    def reopen(self):
        self.checkout = self.sut.open("Checkout", self.database, self.payments)

    def open_export(self):
        return self.sut.open("Export", self.database)

    def order(self, right="paid", **more):
        """Return a new order that `deliver` gets this answer for."""
        number, chance = next(self._numbers), self._chance
        off = chance.randrange(1, 500)
        special: dict[str, dict[str, Any]] = {
            "sold out": {"sku": self.drop, "quantity": chance.randrange(2, 21)},
            "repriced": {"quantity": chance.randrange(1, 21), "price": PRICE + (off if number % 2 else -off)},
            "declined": {"sku": self.cap, "price": Provider.DECLINED},
            "invalid": {"quantity": 0},
            "unknown": {"sku": f"{self.mug}s"},
        }
        order = {"id": f"order-{number}", "day": DAY, "sku": self.mug, "quantity": 1, "price": PRICE}
        return order | {"delivery": 1} | special.get(right, {}) | more

    def deliver(self, right, order=None, fault=kit.Fault.REQUEST_LOST):
        """Check out an order that should get the answer `right`; return its answer or a description of its error."""
        self.payments.script([fault] * TRIES if right == "unavailable" else [])
        try:
            return self.checkout.checkout(order or self.order(right))
        except kit.SutError as error:
            return f"raised {error.raised.splitlines()[0]}"


def again(order, delivery=2):
    return order | {"delivery": delivery}


def an(right):
    return f"{'an' if right[0] in 'aiu' else 'a'} {right} order"


def as_words(answer):
    return answer if isinstance(answer, str) and answer.startswith("raised") else f'was "{answer}"'


def counts(answers):
    """Describe the answers: "4 sold out, 1 paid"."""
    return ", ".join(f"{number} {answer}" for answer, number in Counter(answers).items())
