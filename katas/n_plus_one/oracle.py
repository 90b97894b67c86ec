"""What is right: a shop to hold dashboards against, and what fills and asks it."""

import random
import time
from collections import Counter
from fractions import Fraction
from http import HTTPStatus

from hypothesis import strategies as st

from drill_katas import kit

from .price_service import PriceService, skus_of

WITHIN = 8.0  # seconds for an answer where time is not the question
PROMPT = 0.5  # seconds for an answer of /health
MOST_SPOKEN = 80  # characters of an answer in a message
GIVES_UP = 1.5  # seconds that a call to the price service may take
SKUS = ["sku-1", "SKU-1", "sku-1 ", "sku-\u00e9", "sku-'7", "sku,2", "sku/3?a=b", "7e2", "700"]
SERVED = kit.ErrorReport("dashboard_seconds_count", labels={}, line={"event": "dashboard served", "level": "info"})
FAILED = kit.ErrorReport(
    "dashboard_failures_total",
    labels={"reason": "prices"},
    line={"event": "dashboard failed", "level": "error", "reason": "prices"},
)


class Shop:
    """One instance of the dashboard, or several on one database, and what its answers have to be."""

    def __init__(self, sut, *, round_trip=0.0, latency=0.01, instances=("dashboard",)):
        self.users, self.orders = {}, {}  # by user id: what was sent; [order id, lines] in the order placed
        self.service = PriceService()
        self.service.latency = latency
        self.database = kit.database(round_trip=round_trip)
        self.network = kit.network("prices", *instances)
        self.network.play("prices", self.service.answer)
        self._sut, self._instances = sut, instances
        self.serve()

    def serve(self):
        for name in self._instances:
            self._sut.serve("make_app", self.network.node(name), engine=self.database)

    def add(self, users, orders, at="dashboard"):
        """Add users, and place orders, each a user's id and lines of (SKU, quantity). Returns the ids of the orders."""
        if users:
            self.add_users(users, at)
        return self.place(orders, at)

    def add_users(self, users, at="dashboard"):
        """Add users; returns the ids of the orders placed, none."""
        answer = self.post(at, "/users", {"users": users})
        assert answer.status == HTTPStatus.CREATED, f"POST /users {spoken(answer)}; it should be 201"
        self.know(users)
        return []

    def place(self, orders, at="dashboard"):
        """Place orders and return their ids."""
        answer = self.post(at, "/orders", as_body(orders))
        assert answer.status == HTTPStatus.CREATED, f"POST /orders {spoken(answer)}; it should be 201"
        return self.know_orders(answer.json()["ids"], orders)

    def post(self, at, path, value):
        return self.network.ask(at, "POST", path, within=WITHIN, json=value)

    def know(self, users):
        """Expect these users on dashboards from now on."""
        for user in users:
            self.users[user["id"]] = user
            self.orders[user["id"]] = []

    def know_orders(self, ids, orders):
        """Expect these orders on dashboards from now on, under these ids, which are returned."""
        assert sorted(set(ids)) == ids, f"orders placed together got the ids {ids}, which do not rise"
        for order_id, (user, lines) in zip(ids, orders, strict=True):
            self.orders[user].append((order_id, lines))
        return ids

    def fill(self, users, orders=3, lines=2, addresses=2, *, skus=8, first=1, at="dashboard"):
        """Add users with so many of everything each, and give all their SKUs a price. Returns the users' ids."""
        chance = random.Random(self._sut.seed)  # noqa: S311 - no secrets
        names = [f"sku-{chance.randrange(10**6):06}" for _ in range(skus)]
        self.service.prices |= {sku: f"{chance.randrange(1, 100_000) / 1000:.3f}" for sku in names}
        ids = list(range(first, first + users))
        people = [
            {"id": user, "name": f"Customer {user}", "addresses": [f"{n} Mill Lane" for n in range(addresses)]}
            for user in ids
        ]
        ordered = [
            (user, [(chance.choice(names), chance.randint(1, 9)) for _ in range(lines)])
            for _ in range(orders)
            for user in ids
        ]
        self.add(people, ordered, at)
        return ids

    def fill_apart(self, users, first=1):
        """Add users who have ordered one line each, of a SKU that nobody else has. Returns the users' ids."""
        ids = list(range(first, first + users))
        self.service.prices |= {f"sku-of-{user}": f"{user}.25" for user in ids}
        people = [{"id": user, "name": f"Customer {user}", "addresses": []} for user in ids]
        self.add(people, [(user, [(f"sku-of-{user}", 1)]) for user in ids])
        return ids

    def ask(self, ids, at="dashboard", within=WITHIN):
        return self.network.ask(at, "GET", path_of(ids), within=within)

    def ask_together(self, pages, within=WITHIN):
        return self.network.ask_together("dashboard", [("GET", path_of(ids), {}) for ids in pages], within=within)

    def begin_to_ask(self, ids):
        """Ask for a dashboard; returns at once a function that waits for its answer."""
        asked = self.network.start(self.network.send("dashboard", ("GET", path_of(ids), {}), WITHIN))
        return lambda: asked.result(WITHIN + 1)

    def expect_on_their_traces(self, answered):
        """Every call for prices is on the trace of an answer that shows one of them."""
        shown = {answer.trace_id: self.skus(ids) for answer, ids in answered}
        strange = [call for call in self.price_calls() if not skus_of(call) & shown.get(call.trace_id, set())]
        assert not strange, (
            f"of {kit.plural(len(self.price_calls()), 'call')} to the price service {len(strange)} were on no trace of "
            f"a request that shows what they ask for"
        )

    def expect(self, answer, ids, told, maybe=None):
        """The answer is the dashboard of these users, exactly; `told` follows "a dashboard".

        An order whose id is in `maybe` shows whole, or not at all.
        """
        told = f"a dashboard {told}"
        self.expect_ok(answer, told)
        page = answer.json()
        shown = [user.get("id") for user in page.get("users", [])]
        assert shown == ids, f"{told} of the users shown {kit.difference(shown, ids)}"
        for user in page["users"]:
            absent = set(maybe or ()) - {order.get("id") for order in user.get("orders", [])}
            expect_same(user, self.right(user["id"], absent), f"{told} user {user['id']}")

    def expect_ok(self, answer, told):
        """It is answered 200. A busy machine can be the reason of a late answer; a soon 503 has other reasons."""
        late = answer.status is None or (answer.status == HTTPStatus.SERVICE_UNAVAILABLE and answer.seconds >= GIVES_UP)
        self._sut.in_time(not late, f"{told} {spoken(answer)}; it should be 200")
        assert answer.status == HTTPStatus.OK, f"{told} {spoken(answer)}; it should be 200"

    def right(self, user, absent=()):
        """What the dashboard shows of a user but for some orders; amounts as fractions."""
        orders = []
        for order_id, lines in self.orders[user]:
            if order_id not in absent:
                shown = [self._line(sku, quantity) for sku, quantity in lines]
                orders.append({"id": order_id, "lines": shown, **_summed(shown)})
        known = self.users[user]
        return {"id": user, "name": known["name"], "addresses": known["addresses"], "orders": orders, **_summed(orders)}

    def shown(self, ids):
        """How many users, addresses, orders and lines a dashboard shows."""
        others = sum(1 + len(self.users[user]["addresses"]) + len(self.orders[user]) for user in ids)
        return others + self.count_lines(ids)

    def count_lines(self, ids):
        return sum(len(lines) for user in ids for _, lines in self.orders[user])

    def skus(self, ids):
        return {sku for user in ids for _, lines in self.orders[user] for sku, _ in lines}

    def answered(self, status):
        """Return how many dashboards were answered with this status so far, as seen from outside; 0: nobody waited."""
        asked = (hop for hop in self.network.hops if hop.path.startswith("/dashboard"))
        return sum(hop.status == status for hop in asked)

    def price_calls(self):
        return [hop for hop in self.network.hops if hop.callee == "prices"]

    def wait_for_calls(self, many):
        """Wait until so many calls to the price service are open, or for a second."""
        until = time.monotonic() + 1
        while sum(hop.status is None for hop in self.price_calls()) < many and time.monotonic() < until:
            time.sleep(0.01)

    def most_asked(self, before):
        """Return the SKU that the price service was asked for most often after so many calls, and how often."""
        times = Counter(sku for hop in self.price_calls()[before:] for sku in skus_of(hop))
        return times.most_common(1)[0] if times else ("no SKU", 0)

    def _line(self, sku, quantity):
        price = self.service.prices.get(sku)
        total = None if price is None else Fraction(price) * quantity
        return {"sku": sku, "quantity": quantity, "price": price and Fraction(price), "total": total}


def orders_of():
    """A user's orders: lists of lines, each a SKU and a quantity."""
    quantities = st.one_of(st.integers(1, 20), st.integers(10**8, 10**9))
    lines = st.lists(st.tuples(st.sampled_from(SKUS), quantities), max_size=5)
    return st.lists(lines, max_size=3)


def prices_of():
    """Prices of at most three places, small ones as often as large ones; some SKUs have none."""
    digits = st.integers(0, 9)
    prices = digits.flatmap(lambda many: st.integers(10**many // 10, 10**many - 1)).map(as_price)
    return st.dictionaries(st.sampled_from(SKUS), prices, min_size=len(SKUS) - 2)


def as_body(orders):
    """Return the body of the POST that places these orders."""
    placed = [{"user": user, "lines": [{"sku": sku, "quantity": n} for sku, n in lines]} for user, lines in orders]
    return {"orders": placed}


def as_price(thousandths):
    """Write a price as people do: 7, 7.5, 0.125."""
    text = f"{thousandths // 1000}.{thousandths % 1000:03}"
    return text.rstrip("0").rstrip(".")


def expect_prompt(sut, lag, told):
    assert not lag.failed, (
        f"while {told} /health fails {kit.plural(lag.failed, 'time')}; it should be answered with 200"
    )
    sut.in_time(
        lag.max <= PROMPT,
        f"while {told} /health is answered after up to {lag.max:.1f} s (95 of 100 within {lag.p95:.1f} s); "
        f"it should be within {PROMPT:g} s",
        late=lag.max - PROMPT,
    )


def shop_of(sut):
    """The shop that all examples of a check share; each adds users of its own."""
    if _shared.get("trial") is not sut.check:
        _shared.update(trial=sut.check, shop=Shop(sut, latency=0.0))
    return _shared["shop"]


_shared = {}


def path_of(ids):
    return "/dashboard?" + "&".join(f"user={user}" for user in ids)


def spoken(answer):
    """Say what came back: "answers 503 {...}"."""
    if answer.status is None:
        return f"has no answer after {answer.seconds:.1f} s"
    body = " ".join(answer.body.decode(errors="replace").split())
    return f"answers {answer.status} {body if len(body) <= MOST_SPOKEN else f'{body[:MOST_SPOKEN]}...'}"


def expect_same(shown, right, told):
    """Two pages are the same; amounts by their exact value."""
    if isinstance(right, Fraction):
        assert isinstance(shown, str), f"{told} is {shown!r}; it should be a decimal string, {as_decimal(right)}"
        assert kit.money.exact(shown) == right, f"{told} is {shown}; exactly it is {as_decimal(right)}"
    elif isinstance(right, dict):
        assert isinstance(shown, dict), f"{told} is {shown!r}"
        keys = dict.fromkeys(right, "there")
        assert shown.keys() == right.keys(), f"{told}: {kit.difference(dict.fromkeys(shown, 'there'), keys)}"
        for name, value in right.items():
            expect_same(shown[name], value, f"{told}, {name}")
    elif isinstance(right, list):
        assert isinstance(shown, list), f"{told} is {shown!r}"
        assert len(shown) == len(right), f"{told}: {len(shown)} are shown; it should be {len(right)}"
        for number, (one, other) in enumerate(zip(shown, right, strict=True), 1):
            expect_same(one, other, f"{told} {number}")
    else:
        assert (shown, type(shown)) == (right, type(right)), f"{told} is {shown!r}; it should be {right!r}"


def as_decimal(amount):
    """Write an amount of at most three places."""
    thousandths = int(amount * 1000)
    return f"{thousandths // 1000}.{thousandths % 1000:03}"


def _summed(parts):
    totals = [part["total"] for part in parts]
    if None in totals:
        return {"total": None, "incomplete": True}
    return {"total": sum(totals, Fraction(0)), "incomplete": False}
