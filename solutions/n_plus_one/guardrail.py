"""The dashboard keeps its contract, whatever it shows, how many ask for it, and whatever fails."""

import json
import time
from collections import Counter
from itertools import count

import pytest

from drill_katas import kit

WITHIN = 5.0  # seconds for an answer
HEALTHY = 1.2  # seconds for an answer of /health during a price call; the contract says 0.5
SERVED = kit.ErrorReport("dashboard_seconds_count", {}, {"event": "dashboard served", "level": "info"})
FAILURE = {"event": "dashboard failed", "level": "error", "reason": "prices"}
FAILED = kit.ErrorReport("dashboard_failures_total", {"reason": "prices"}, FAILURE)


class Shop:
    """Two instances of the dashboard on one database, their price service, and the right dashboards."""

    def __init__(self, sut):
        self.sut, self.prices, self.users, self.orders = sut, {}, {}, {}
        self.health = None  # a list: each price call first asks for /health
        self.database = kit.database()
        self.network = kit.network("prices", "dashboard", "second")
        self.network.play("prices", self.answer)
        for name in ("dashboard", "second"):
            sut.serve("make_app", self.network.node(name), engine=self.database)

    async def answer(self, hop):
        """The price service's answer to a call."""
        if self.health is not None:
            self.health.append((await self.network.send("dashboard", ("GET", "/health", {}), HEALTHY)).status == 200)
        known = {sku: self.prices[sku] for sku in skus_of(hop) if sku in self.prices}
        return 200, {"prices": known} if hop.path == "/prices" else {"price": next(iter(known.values()), None)}

    def send(self, path, value, at="dashboard"):
        return self.network.ask(at, "POST", path, json=value, within=WITHIN)

    def add(self, users, orders=(), at="dashboard"):
        if users:
            assert self.send("/users", {"users": users}, at).status == 201
        ids = self.send("/orders", {"orders": orders}, at).json()["ids"] if orders else []
        self.know(users, ids, orders)

    def know(self, users, ids=(), orders=()):
        """Expect these users and orders on dashboards from now on."""
        assert list(ids) == sorted(set(ids))
        self.users |= {user["id"]: user for user in users}
        self.orders |= zip(ids, orders, strict=True)

    def fill(self, many, lines=1):
        """Add users, each with an order of that many SKUs of its own; return their ids."""
        skus = {user: [f"sku-{user}-{line}" for line in range(lines)] for user in range(1, many + 1)}
        self.prices |= {sku: f"{user}.25" for user, own in skus.items() for sku in own}
        self.add([person(user) for user in skus], [order(user, *((sku, 2) for sku in skus[user])) for user in skus])
        return list(skus)

    def ask(self, ids, at="dashboard"):
        return self.ask_together([ids], at)[0]

    def ask_together(self, pages, at="dashboard"):
        paths = ["/dashboard?" + "&".join(f"user={user}" for user in ids) for ids in pages]
        return self.network.ask_together(at, [("GET", path, {}) for path in paths], within=WITHIN)

    def is_healthy(self):
        return self.network.ask("dashboard", "GET", "/health", within=WITHIN / 2).status == 200

    def calls(self):
        return [hop for hop in self.network.hops if hop.callee == "prices"]

    def most_asked(self, before):
        """The most price calls for one SKU after the first `before` calls."""
        return max(Counter(sku for hop in self.calls()[before:] for sku in skus_of(hop)).values(), default=0)

    def show(self, ids, at="dashboard"):
        """Expect the right dashboard, few rows, and one price call for each SKU; return the number of statements."""
        before = len(self.calls())
        with self.database.recorded() as statements:
            self.expect(self.ask(ids, at), ids)
        assert self.most_asked(before) <= 1
        users = [self.right(user) for user in ids]
        orders = [order for user in users for order in user["orders"]]
        shown = sum(1 + len(user["addresses"]) for user in users) + sum(1 + len(order["lines"]) for order in orders)
        assert sum(statement.rows for statement in statements) <= 2 * shown
        return len(statements)

    def expect(self, answer, ids):
        self.sut.in_time(answer.status is not None, "a dashboard has no answer", within=WITHIN)
        assert answer.status == 200
        assert json.loads(answer.body, object_hook=exact) == {"users": [self.right(user) for user in ids]}

    def right(self, user):
        placed = [(id_, order) for id_, order in sorted(self.orders.items()) if order["user"] == user]
        orders = [{"id": id_, **summed("lines", [*map(self.priced, order["lines"])])} for id_, order in placed]
        return self.users[user] | summed("orders", orders)

    def priced(self, line):
        price = exact({"price": self.prices.get(line["sku"])})["price"]
        return line | {"price": price, "total": price and price * line["quantity"]}


def summed(name, parts):
    totals = [part["total"] for part in parts]
    return {name: parts, "total": None if None in totals else sum(totals), "incomplete": None in totals}


def exact(value):
    """Replace the amounts of a JSON object by exact fractions."""
    return value | {name: kit.money.exact(value[name]) for name in ("price", "total") if value.get(name) is not None}


def skus_of(hop):
    asked = json.loads(hop.body)
    return set(asked.get("skus", [asked.get("sku")]))


def person(user, addresses=("2 Quay", "1 Mill Lane", "2 Quay")):
    return {"id": user, "name": f"O'Hara {user}", "addresses": list(addresses)}


def order(user, *lines):
    return {"user": user, "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines]}


def test_statements_do_not_grow(sut):
    """A page of many users, or of many orders, takes no more statements and rows than a small one."""
    shop = Shop(sut)
    ids = shop.fill(20, lines=2)
    few = shop.show(ids[:2])
    shop.add([], [order(1, ("sku-1-1", 1))] * 20)
    shop.add([person(50, map(str, range(9)))], [order(50, *((f"sku-1-{number}", 1) for number in range(9)))])
    for page in (ids, [1], [50], [1, 50]):
        assert shop.show(page) <= few


def test_pages_are_exact(sut):
    """Users in the requested order, exact amounts, unknown prices, and what is no dashboard."""
    shop = Shop(sut)
    shop.fill(3, lines=2)
    shop.prices |= {"dear": "999999.999", "free": "0", "cheap": "7.5"}
    dear = order(4, ("dear", 999_999_999_999_999), ("dear", 1), ("free", 3))
    orders = [dear, order(4), order(6, ("cheap", 1), ("unknown", 2)), order(6, ("cheap", 1))]
    shop.add([person(4), person(5, []), person(6)], orders)
    for page in ([4], [3, 1, 5, 6, 2], [2, 1, 2]):
        shop.show(page)
    for query, status in (("user=3&user=77", 404), ("user=seven", 400), ("", 400), ("user=1&" * 101, 400)):
        assert shop.network.ask("dashboard", "GET", f"/dashboard?{query}", within=WITHIN).status == status


def test_changes_show_at_once(sut):
    """Each change shows in the next dashboard of each instance."""
    shop = Shop(sut)
    ids = shop.fill(2)
    for number, (at, other) in enumerate([("dashboard", "second"), ("second", "dashboard")]):
        shop.show(ids, at)
        shop.add([person(50 + number)], [order(1, ("sku-new", number + 1))], at=other)
        shop.show([50 + number, *ids], at)
        shop.prices |= dict.fromkeys([*shop.prices, "sku-new"], f"{number}.125")
        shop.show(ids, at)


def test_health_is_always_answered(sut):
    """/health is answered while a price call, or any statement of any request, is under way."""
    shop, new = Shop(sut), count(100)
    ids = shop.fill(2)
    shop.health = []
    shop.ask(ids)
    sut.in_time(all(shop.health), "/health has no answer during a price call", late=0.7)
    for act in (
        lambda: shop.ask(ids),
        lambda: shop.send("/users", {"users": [person(next(new))]}),
        lambda: shop.send("/orders", {"orders": [order(1, ("sku-1-1", 1))]}),
    ):
        for step in count(1):
            healthy = []
            with sut.meanwhile_at_step(step, lambda seen=healthy: seen.append(shop.is_healthy())) as met:
                act()
            if met.request is None:
                break
            assert healthy == [True], f"/health has no answer during {met.request}"  # the statement waits for it


def test_dashboards_are_reported(sut):
    """Each 200 and each 503 is counted once, and logged once on its trace."""
    shop = Shop(sut)
    ids = shop.fill(3)
    shop.network.delay("prices", 0.1)
    with sut.observe() as seen:
        answer = shop.ask(ids)
    shop.expect(answer, ids)
    SERVED.expect(seen, "after a dashboard,", trace_ids=[answer.trace_id])
    assert seen.increase("dashboard_seconds_sum") >= 0.1
    assert {hop.trace_id for hop in shop.calls()} == {answer.trace_id}
    for pages in ([ids], [ids] * 5, [[user] for user in ids]):
        shop.network.script("prices", [503] * 100)
        with sut.observe() as seen:
            answers = shop.ask_together(pages)
        assert {answer.status for answer in answers} == {503}
        FAILED.expect(seen, "after 503,", times=len(pages), trace_ids=[answer.trace_id for answer in answers])


def test_no_prices_no_dashboard(sut):
    """While the price service fails, only a dashboard that needs no prices is answered."""
    shop = Shop(sut)
    ids = shop.fill(2)
    shop.show(ids)
    shop.add([person(3)])
    before = len(shop.calls())
    shop.network.script("prices", [503] * 200)
    assert shop.ask(ids).status == 503
    assert shop.most_asked(before) <= 2
    shop.show([3])
    assert shop.ask([*ids, 77]).status == 404
    shop.network.script("prices", [])
    shop.show(ids)


def test_pages_of_many_prices(sut):
    """They get each price in one call, within the time of 16 calls; if some fail, only these are made again."""
    shop = Shop(sut)
    ids = shop.fill(50, lines=5)
    for many in (10, 11, 50):
        shop.show(ids[:many])
    shop.network.delay("prices", 0.05)
    seconds = shop.ask(ids[:8]).seconds
    sut.in_time(seconds <= 0.8, f"a dashboard takes {seconds:.1f} s", within=0.8, late=seconds - 0.8)
    shop.network.delay("prices", 0)
    shop.network.script("prices", [None] + [503] * 400)
    before, answered = len(shop.calls()), set()
    assert shop.ask(ids).status == 503
    for hop in sorted(shop.calls()[before:], key=lambda hop: hop.began):
        assert not answered & skus_of(hop)
        answered |= skus_of(hop) if hop.status == 200 else set()


def test_many_dashboards_at_once(sut):
    """All are answered, with the statements that each takes alone, and with 4 price calls at a time."""
    shop = Shop(sut)
    sut.on_time()
    pages = [[user] for user in shop.fill(12)] * 2
    alone = shop.show(pages[0])
    shop.network.delay("prices", 0.02)
    with shop.database.recorded() as statements:
        answers = shop.ask_together(pages)
    assert shop.network.peak["prices"] <= 4
    for page, answer in zip(pages, answers, strict=True):
        shop.expect(answer, page)
    assert len(statements) <= alone * len(pages)


def test_a_failed_statement_fails_the_dashboard(sut):
    shop = Shop(sut)
    ids = shop.fill(2)
    for step in count(1):
        with sut.failing_at_step(step) as met:
            answer = shop.ask(ids)
        if answer.status not in {500, 503}:
            shop.expect(answer, ids)
        if met.request is None:
            return


@pytest.mark.parametrize("many", [0, 1, 60])
def test_a_failed_post_stores_nothing(sut, many):
    """If a step fails, all users are stored, or none; with `many`, that many orders of each of them."""
    shop, step = Shop(sut), max(1, many)
    shop.prices["mug"] = "1.5"
    while True:
        users = [person(2 * step), person(2 * step + 1)]
        orders = [order(user["id"], ("mug", 1), ("mug", 2)) for user in users for _ in range(many)]
        if many:
            shop.add(users)
        with sut.failing_at_step(step) as met:
            post = ("/orders", {"orders": orders}) if many else ("/users", {"users": users})
            created = shop.send(*post).status == 201
            time.sleep(0.15 if created else 0)  # nothing may follow the answer that can fail
        pages = [shop.ask([user["id"]], "second") for user in users]
        there = [page.json()["users"][0] for page in pages if page.status == 200]
        placed = [each["id"] for user in there for each in user["orders"]]
        stored = len(placed if many else there)
        assert stored == len(orders or users) or (stored == 0 and not created)
        shop.know(users, placed, orders if stored else [])
        for user in there:
            shop.show([user["id"]])
        if met.request is None:
            return
        step += max(1, step // 8)


def test_a_silent_price_service(sut):
    """Each dashboard is 503 within 5 s, however many wait for the price service."""
    shop = Shop(sut)
    sut.on_time()
    pages = [[user] for user in shop.fill(20)]
    shop.network.partition("prices")
    assert [answer.status for answer in shop.ask_together(pages)] == [503] * len(pages)
    shop.network.heal("prices")
    shop.show(pages[0])
