"""What is right: a shop to hold checkout and export against, and the orders that both are sent."""

import contextlib
import random
import re
from collections import Counter
from itertools import count

from hypothesis import strategies as st

from drill_katas import kit

DAY = "2026-03-13"
PRICE = 1200  # cents
PLENTY = 10_000  # units
TRIES = 50  # of one charge that get no answer, if a checkout tries again
SERVER = 20  # connections that the database server takes
FAILURES = ["sold out", "repriced", "declined", "unavailable", "invalid", "unknown"]
"""Every way in which a checkout fails."""
ANSWERS = ["paid", *FAILURES]
SKUS = [("mug", "cap", "mug-gold"), ("poster", "frame", "poster-signed"), ("lamp", "shade", "lamp-no-7")]
NEVER_REFUSED = {"COMMIT", "ROLLBACK", "the ROLLBACK as the connection returns to its pool"}
"""Steps that do not fail: SQLAlchemy loses a connection to a failed rollback, and a transaction to a failed commit."""
PRICES = {"tray": PRICE, 'tray, "red"': 5}
ODD = [
    "order,8",
    'order "9"',
    "",
    "Order-1",
    "order-1",
    "order-1 ",
    "order-10",
    "order-2",
    "order 2",
    "o'hara",
    "\u00e9",
    "e\u0301",
    "two\nlines",
]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=4)


class Provider:
    """The payment provider: charges a key once, and declines the amounts it is told to."""

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
    """A shop that is open: its database, its provider, and its checkout in the SUT.

    It has plenty of a mug and a cap, whose price the provider declines, and one piece of a drop.
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
        """Return a new order whose answer is `right`, given that the provider fails as `deliver` has it fail."""
        number, chance = next(self._numbers), self._chance
        off = chance.randrange(1, 500)
        special = {
            "sold out": {"sku": self.drop, "quantity": chance.randrange(2, 21)},
            "repriced": {"quantity": chance.randrange(1, 21), "price": PRICE + (off if number % 2 else -off)},
            "declined": {"sku": self.cap, "price": Provider.DECLINED},
            "invalid": {"quantity": 0},
            "unknown": {"sku": f"{self.mug}s"},
        }
        order = {"id": f"order-{number}", "day": DAY, "sku": self.mug, "quantity": 1, "price": PRICE}
        return order | {"delivery": 1} | special.get(right, {}) | more

    def deliver(self, right, order=None, fault=kit.Fault.REQUEST_LOST):
        """Check out an order whose answer should be `right`; return the answer, or what it raised."""
        self.payments.script([fault] * TRIES if right == "unavailable" else [])
        try:
            return self.checkout.checkout(order or self.order(right))
        except kit.SutError as error:
            return f"raised {error.raised.splitlines()[0]}"


def expect_answer(answer, right, told, seen=""):
    assert answer == right, f'{told} {as_words(answer)}; it should be "{right}"{seen}'


def expect_nothing_held(database, told):
    """No connection is checked out, and no transaction is open."""
    held = held_in(database)
    assert not held, f"{told} {held}"


def held_in(database):
    """Name the connections that are checked out, as the server sees it; "" if there are none."""
    held = database.checked_out()
    if not held:
        return ""
    first = held[0]
    since = f" since {in_short(first.call)}" if first.call else ""
    what = f"{kit.plural(len(held), 'connection is', 'connections are')} held; connection {first.connection}{since}"
    return f"{what}, in an open transaction" if first.in_transaction else what


def in_short(call):
    """Return a call on one line, with the order's id in place of the order."""
    return re.sub(r'\(\{.*?"id": ("[^"]*").*?\}\)', r"(\1)", call.partition("\n")[0])


def opened(shop):
    """Say how many connections are open, held or not."""
    return f"with {kit.plural(shop.database.open_connections, 'connection')} open"


def expect_a_paid_order(shop, told):
    """The next good order is paid."""
    expect_answer(shop.deliver("paid"), "paid", f"{told} the next good order")


def expect_stock(shop, sku, right, told):
    left = shop.checkout.stock(sku)
    assert left == right, f"{told} {left} units of {sku} are left; it should be {right}"


def for_each_step(sut, right, trouble, what):
    """Deliver orders twice, the first time with trouble at the first step, at the second, and so on."""
    shop = Shop(sut)
    for step in count(1):
        sut.begin_example()
        order = shop.order(right)
        sku = order["sku"]
        left, charged, asked = shop.checkout.stock(sku), len(shop.provider.charged), len(shop.payments.received)
        answer = None
        with contextlib.suppress(kit.Killed), trouble(step) as met:
            answer = shop.deliver(right, order)
        if what == "killed" and met.request is not None:
            shop.reopen()
        elif met.request in NEVER_REFUSED:
            shop = Shop(sut)
            continue
        told = f"{an(right)}, {what} {met} and delivered again:"
        came_in, dearer = 0, len(shop.payments.received) > asked
        if met.request is not None and answer is not None and not answer.startswith("raised"):
            came_in = expect_effect(shop, order, left, (right, answer), f"{an(right)}, {what} {met},")
            dearer, left = dearer or answer == "unavailable", left + came_in
        if dearer:
            told = f"{told[:-1]}, when it costs more:"
            shop.checkout.restock(sku, 1, order["price"] + 1)
            left += 1
        expect_answer(shop.deliver(right, again(order)), right, f"{told} its answer")
        expect_stock(shop, sku, left - (right == "paid"), told)
        charges = len(shop.provider.charged) - charged
        assert charges == (right == "paid"), f"{told} the customer was charged {kit.plural(charges, 'time')}"
        if met.request is None:
            break
        if came_in:
            shop = Shop(sut)
        elif dearer:
            shop.checkout.restock(sku, 1, order["price"])


def expect_effect(shop, order, left, answers, told):
    """What an order was answered is in the database: its receipt, its units, or that it was refused.

    `answers` are the right one and the one it got. Returns how many units came in to find that out.
    """
    right, answer = answers
    told = f'{told} was answered "{answer}", and'
    if answer == "unavailable":
        expect_stock(shop, order["sku"], left - order["quantity"], told)
        return 0
    expect_answer(answer, right, told)
    if right == "paid":
        assert shop.checkout.receipt(order["id"]), f"{told} has no receipt"
        return 0
    expect_stock(shop, order["sku"], left, told)
    shop.checkout.restock(order["sku"], 20, order["price"])
    expect_answer(shop.deliver("paid", again(order)), right, f"{told} when 20 more are there it")
    return 20


def again(order, delivery=2):
    return order | {"delivery": delivery}


def an(right):
    return f"{'an' if right[0] in 'aiu' else 'a'} {right} order"


def as_words(answer):
    return answer if isinstance(answer, str) and answer.startswith("raised") else f'was "{answer}"'


def counts(answers):
    """Say what there was: "4 sold out, 1 paid"."""
    return ", ".join(f"{number} {answer}" for answer, number in Counter(answers).items())


@st.composite
def paid_orders(draw):
    """A day of orders that are paid, with ids that are hard to sort and to quote, and amounts that are often equal."""
    ids = draw(st.lists(st.sampled_from(ODD) | TEXTS, max_size=9, unique=True))
    return [(each, draw(st.sampled_from(list(PRICES))), draw(st.integers(1, 3))) for each in ids]


def expect_export(export, day, orders, told=""):
    """The export of a day has these orders, each (id, sku, quantity), and no other."""
    got, right = export.run(day), export_of(orders)
    pairs = zip([*got.split("\n"), None], [*right.split("\n"), None], strict=False)
    line, wanted = next((pair for pair in pairs if pair[0] != pair[1]), (None, None))
    what = f"the export of {day}{told and f', when {told},'}"
    assert got == right, f"{what} has the line {line!r}; it should be {wanted!r}"


def export_of(orders):
    """Return the export of paid orders, each (id, sku, quantity)."""
    lines = ["order,sku,quantity,amount"]
    for id_, sku, quantity in sorted(orders, key=lambda order: (-order[2] * PRICES[order[1]], order[0])):
        lines.append(f"{_field(id_)},{_field(sku)},{quantity},{money(quantity * PRICES[sku])}")
    units = sum(quantity for _, _, quantity in orders)
    cents = sum(quantity * PRICES[sku] for _, sku, quantity in orders)
    return "".join(f"{line}\n" for line in (*lines, f"total,,{units},{money(cents)}"))


def money(cents):
    return f"{cents // 100}.{cents % 100:02}"


def _field(text):
    special = any(character in text for character in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if special else text
