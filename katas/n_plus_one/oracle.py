"""The oracle: a shop with the right dashboards, and the requests that fill and ask it."""

import random
import time
from collections import Counter
from fractions import Fraction
from http import HTTPStatus

from hypothesis import strategies as st

from drill_katas import kit

from .price_service import PriceService, skus_of

WITHIN = 8.0  # seconds for an answer when its time does not matter
MOST_SPOKEN = 80  # characters of an answer in a message
GIVES_UP = 1.5  # seconds that a call to the price service may take
MOST_ID = 10**15
SKUS = ["sku-1", "SKU-1", "sku-1 ", "sku-\u00e9", "sku-'7", "sku,2", "sku/3?a=b", "7e2", "700"]


class Shop:
    """One or more instances of the dashboard on one database, and their right answers."""

    def __init__(self, sut, *, round_trip=0.0, latency=0.01, instances=("dashboard",)):
        self.users, self.orders = {}, {}  # by user id: the user as sent; (order id, lines) in the order sent
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
        """Add users and orders, each (user id, lines of (SKU, quantity)). Return the ids of the orders."""
        if users:
            self.add_users(users, at)
        return self.place(orders, at)

    def add_users(self, users, at="dashboard"):
        """Add users."""
        answer = self.post(at, "/users", {"users": users})
        assert answer.status == HTTPStatus.CREATED, f"POST /users {spoken(answer)}; it should be 201"
        self.know(users)

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
        """Expect these orders on dashboards from now on, under these ids. Return the ids."""
        assert sorted(set(ids)) == ids, f"orders placed together got the ids {ids}, which do not rise"
        assert max(ids, default=0) < MOST_ID, f"an order got the id {max(ids)}; ids are below 10^15"
        for order_id, (user, lines) in zip(ids, orders, strict=True):
            self.orders[user].append((order_id, lines))
        return ids

    def fill(self, users, orders=3, lines=2, addresses=2, *, skus=8, first=1, at="dashboard"):
        """Add users, each with that many orders, lines, and addresses; price all their SKUs. Return the users' ids."""
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
        """Add users with one line each, of a SKU of their own. Return the users' ids."""
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
        """Start a request for a dashboard; return a function that waits for its answer."""
        asked = self.network.start(self.network.send("dashboard", ("GET", path_of(ids), {}), WITHIN))
        return lambda: asked.result(WITHIN + 1)

    def expect(self, answer, ids, context):
        """Expect the exact dashboard of these users; `context` follows "a dashboard"."""
        context = f"a dashboard {context}"
        self.expect_ok(answer, context)
        page = answer.json()
        shown = [user.get("id") for user in page.get("users", [])]
        assert shown == ids, f"{context} of the users shown {kit.difference(shown, ids)}"
        for user in page["users"]:
            expect_same(user, self.right(user["id"]), f"{context} user {user['id']}")

    def expect_ok(self, answer, context):
        """Expect 200. A late answer may be the fault of a busy machine; an early 503 is not."""
        late = answer.status is None or (answer.status == HTTPStatus.SERVICE_UNAVAILABLE and answer.seconds >= GIVES_UP)
        self._sut.in_time(not late, f"{context} {spoken(answer)}; it should be 200")
        assert answer.status == HTTPStatus.OK, f"{context} {spoken(answer)}; it should be 200"

    def right(self, user):
        """Return a user as the dashboard should show it; amounts are fractions."""
        orders = []
        for order_id, lines in self.orders[user]:
            shown = [self._line(sku, quantity) for sku, quantity in lines]
            orders.append({"id": order_id, "lines": shown, **_summed(shown)})
        known = self.users[user]
        return {"id": user, "name": known["name"], "addresses": known["addresses"], "orders": orders, **_summed(orders)}

    def shown(self, ids):
        """Return how many users, addresses, orders, and lines a dashboard shows."""
        others = sum(1 + len(self.users[user]["addresses"]) + len(self.orders[user]) for user in ids)
        return others + self.count_lines(ids)

    def count_lines(self, ids):
        return sum(len(lines) for user in ids for _, lines in self.orders[user])

    def skus(self, ids):
        return {sku for user in ids for _, lines in self.orders[user] for sku, _ in lines}

    def answered(self, status):
        """Return how many dashboards the network has seen with this status; 0: the client did not wait."""
        asked = (hop for hop in self.network.hops if hop.path.startswith("/dashboard"))
        return sum(hop.status == status for hop in asked)

    def price_calls(self):
        return [hop for hop in self.network.hops if hop.callee == "prices"]

    def wait_for_calls(self, many):
        """Wait until `many` calls to the price service are open, at most for a second."""
        until = time.monotonic() + 1
        while sum(hop.status is None for hop in self.price_calls()) < many and time.monotonic() < until:
            time.sleep(0.01)

    def most_asked(self, before):
        """Return the SKU with the most price calls after the first `before` calls, and how many."""
        times = Counter(sku for hop in self.price_calls()[before:] for sku in skus_of(hop))
        return times.most_common(1)[0] if times else ("no SKU", 0)

    def _line(self, sku, quantity):
        price = self.service.prices.get(sku)
        total = None if price is None else Fraction(price) * quantity
        return {"sku": sku, "quantity": quantity, "price": price and Fraction(price), "total": total}


def orders_of():
    """Draw a user's orders: lists of lines, each a SKU and a quantity."""
    quantities = st.one_of(st.integers(1, 20), st.integers(10**8, 10**9))
    lines = st.lists(st.tuples(st.sampled_from(SKUS), quantities), max_size=5)
    return st.lists(lines, max_size=3)


def prices_of():
    """Draw prices of at most three places, small and large ones; some SKUs have none."""
    digits = st.integers(0, 9)
    prices = digits.flatmap(lambda many: st.integers(10**many // 10, 10**many - 1)).map(as_price)
    return st.dictionaries(st.sampled_from(SKUS), prices, min_size=len(SKUS) - 2)


def as_body(orders):
    """Return the body of the POST that places these orders."""
    placed = [{"user": user, "lines": [{"sku": sku, "quantity": n} for sku, n in lines]} for user, lines in orders]
    return {"orders": placed}


def as_price(thousandths):
    """Write a price without trailing zeros: 7, 7.5, 0.125."""
    text = f"{thousandths // 1000}.{thousandths % 1000:03}"
    return text.rstrip("0").rstrip(".")


def shop_of(sut):
    """Return the shop that all examples of a check share; each example adds its own users."""
    if _shared.get("trial") is not sut.check:
        _shared.update(trial=sut.check, shop=Shop(sut, latency=0.0))
    return _shared["shop"]


_shared = {}


def path_of(ids):
    return "/dashboard?" + "&".join(f"user={user}" for user in ids)


def spoken(answer):
    """Describe an answer: "answers 503 {...}"."""
    if answer.status is None:
        return f"has no answer after {answer.seconds:.1f} s"
    body = " ".join(answer.body.decode(errors="replace").split())
    return f"answers {answer.status} {body if len(body) <= MOST_SPOKEN else f'{body[:MOST_SPOKEN]}...'}"


def expect_same(shown, right, context):
    """Expect two pages to be equal; amounts by their exact value."""
    if isinstance(right, Fraction):
        assert isinstance(shown, str), f"{context} is {shown!r}; it should be a decimal string, {as_decimal(right)}"
        assert kit.money.exact(shown) == right, f"{context} is {shown}; it should be exactly {as_decimal(right)}"
    elif isinstance(right, dict):
        assert isinstance(shown, dict), f"{context} is {shown!r}"
        keys = dict.fromkeys(right, "there")
        assert shown.keys() == right.keys(), f"{context}: {kit.difference(dict.fromkeys(shown, 'there'), keys)}"
        for name, value in right.items():
            expect_same(shown[name], value, f"{context}, {name}")
    elif isinstance(right, list):
        assert isinstance(shown, list), f"{context} is {shown!r}"
        assert len(shown) == len(right), f"{context}: {len(shown)} are shown; it should be {len(right)}"
        for number, (one, other) in enumerate(zip(shown, right, strict=True), 1):
            expect_same(one, other, f"{context} {number}")
    else:
        assert (shown, type(shown)) == (right, type(right)), f"{context} is {shown!r}; it should be {right!r}"


def as_decimal(amount):
    """Write an amount of at most three places."""
    thousandths = int(amount * 1000)
    return f"{thousandths // 1000}.{thousandths % 1000:03}"


def _summed(parts):
    totals = [part["total"] for part in parts]
    if None in totals:
        return {"total": None, "incomplete": True}
    return {"total": sum(totals, Fraction(0)), "incomplete": False}
