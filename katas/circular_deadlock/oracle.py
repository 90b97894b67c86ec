"""The oracle: goods and customers of a day, the right prices, and the answers of the contract."""

import random

from drill_katas import kit

OK, ACCEPTED, NOT_FOUND, TOO_LATE = 200, 202, 404, 504
FINAL = {OK, 409}
REFUSED = {429, 503}
ANSWERS = FINAL | REFUSED | {ACCEPTED, TOO_LATE}


class Day:
    """The goods and customers of a day, made from the seed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)  # noqa: S311 - a day in a shop, not a secret
        self.tiers = dict(zip(["gold", "silver", "standard"], [*self.chance.sample(range(5, 40), 2), 0], strict=True))
        self.customers = {f"customer-{number}": tier for number, tier in self.numbered(list(self.tiers) * 2)}
        self.coupons = {f"SAVE{off}": off for off in self.chance.sample(range(3, 50), 2)}
        self.prices = {f"sku-{number}": str(self.chance.randrange(2, 900)) for number in self.numbers(3)}

    def numbers(self, many):
        return self.chance.sample(range(1_000, 10_000), many)

    def numbered(self, items):
        return list(zip(self.numbers(len(items)), items, strict=True))

    def order(self, **fields):
        return {
            "id": f"order-{self.chance.getrandbits(40):010x}",
            "customer": self.chance.choice(list(self.customers)),
            "sku": self.chance.choice(list(self.prices)),
            "quantity": self.chance.randrange(1, 4),
            "coupon": self.chance.choice([None, *self.coupons]),
        } | fields

    def orders(self, many, **fields):
        return [self.order(**fields) for _ in range(many)]

    def customer_of(self, tier):
        return next(customer for customer, of in self.customers.items() if of == tier)

    def list_price(self, order):
        return f"{int(self.prices[order['sku']]) * order['quantity']}.00"

    def price(self, order):
        tier = self.customers.get(order["customer"], "standard")
        off = self.tiers[tier] + self.coupons.get(order["coupon"], 0)
        return kit.money.text(int(self.prices[order["sku"]]) * order["quantity"] * (100 - off), "USD")

    def confirmation(self, order, price=None, *, degraded=False):
        return {"id": order["id"], "status": "confirmed", "price": price or self.price(order), "degraded": degraded}


def expect_outcome(outcome, right, context, status=OK):
    seen, wanted = in_words(*outcome), in_words(status, right)
    what = f"{context}: {right['id']} is {seen}; it should be {wanted}"
    same_words = f"{context}: in the answer {status} of {right['id']} {kit.difference(outcome[1], right)}"
    assert outcome == (status, right), what if seen != wanted else same_words


def differs(outcome, before):
    """Name the first difference between two outcomes, each (status, body)."""
    (status, body), (right, wanted) = outcome, before
    return kit.difference(status, right, "the status") or kit.difference(body, wanted)


def in_words(status, body):
    match body:
        case {"status": "confirmed", "price": price, "degraded": degraded}:
            return f"confirmed at {price}{', degraded' if degraded else ''} ({status})"
        case {"status": "rejected", "reason": reason}:
            return f"rejected as {reason} ({status})"
    return f"answered {status}"


def shown(answer):
    return answer.body[:120].decode(errors="replace")
