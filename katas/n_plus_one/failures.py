"""What others do between two steps of a request, and requests of which a step fails."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from http import HTTPStatus

from drill_katas import kit

from .oracle import as_body, spoken

SOON = 0.2  # seconds within which a program that goes on after its answer takes its next step
ON_ITS_WAY = 0.1  # seconds that an answer may take to who asked, once it is given
MOST_SHOWN = 60  # characters of a statement in a message
PATIENCE = 0.3  # seconds that a step waits for what others do: the program may have locked what they need
MOST_STEPS = 60  # of a request; a program that takes more is looked at no further
LINES = [("sku-2", 2), ("sku-1", 1), ("sku-2", 3)]
PRICES = {"sku-1": "0.125", "sku-2": "1200.5"}


@contextmanager
def between_steps(sut, shop):
    """Yield a `Between`; all that others have asked for in the block is answered after it."""
    shop.service.prices |= PRICES
    with ThreadPoolExecutor() as pool:
        yield Between(sut, shop, pool)


class Between:
    """Requests to the first instance, and what others ask the second one for before one of their steps.

    Each step has users of its own. Everything yields what happened, the users of a dashboard, the ids of the orders
    that it may show or not, and its answer.
    """

    def __init__(self, sut, shop, pool):
        self._sut, self._shop, self._pool = sut, shop, pool

    def orders_during_dashboards(self, ids):
        """Have an order placed before the first step of a dashboard, before the second of another, and so on."""
        for number in range(1, MOST_STEPS):
            others = Others(self._pool, self._shop.place, [(ids[number], LINES)], "second")
            yield from self._dashboard(number, [ids[number]], others, "an order was placed")
            if not others.came.is_set():
                return

    def newcomers_during_dashboards(self, ids):
        """Have a user added who orders something before each step of a dashboard, which shows this user, too."""
        for number in range(1, MOST_STEPS):
            newcomer = max(ids) + number
            others = Others(self._pool, self._shop.add, [person(newcomer)], [(newcomer, LINES)], "second")
            yield from self._dashboard(number, [ids[number], newcomer], others, "one of its users came and ordered")
            if not others.came.is_set():
                return

    def _dashboard(self, number, users, others, told):
        with self._sut.meanwhile_at_step(number, others.act) as met:
            answer = self._shop.ask(users)
        for _, placed in others.answers():
            yield f"step {named(met)} {told}", users, placed, answer

    def dashboards_during_writes(self, write, users_of):
        """Have others ask for a dashboard before each step of a write, and again if that has been answered by then.

        `write` gets the step's number, and returns the ids of the orders it has placed. There are none with a dashboard
        that was asked for after the answer.
        """
        for number in range(1, MOST_STEPS):
            users = users_of(number)
            others = Others(self._pool, self._shop.ask, users, "second")
            with self._sut.meanwhile_at_step(number, others.act) as met:
                others.written = self._pool.submit(write, number)
                placed = others.written.result()
                others.came.wait(SOON)
            if not others.came.is_set():
                return
            for late, answer in others.answers():
                told = f"step {named(met)}, with 201 answered already," if late else f"step {named(met)}"
                yield told, users, None if late else placed, answer


class Others:
    """What others ask for while a step waits: once, and again if what is `written` has been answered by then."""

    def __init__(self, pool, ask, *args):
        self._pool, self._ask, self._args = pool, ask, args
        self._asked = []
        self.came = threading.Event()
        self.written = None

    def act(self):
        self.came.set()
        self._begin(late=False)
        if self.written and wait([self.written], ON_ITS_WAY).done:
            self._begin(late=True)

    def answers(self):
        """Wait for the answers; with each comes whether it was asked for late."""
        return [(late, future.result()) for late, future in self._asked]

    def _begin(self, *, late):
        future = self._pool.submit(self._ask, *self._args)
        self._asked.append((late, future))
        wait([future], PATIENCE)


def expect_users_all_or_none(sut, shop, people_of):
    """Whichever step of a POST /users fails, all of its users are there afterwards, or none; all, if it answers 201."""
    for number in range(1, MOST_STEPS):
        people = people_of(number)
        answer, failure = posted_while_a_step_fails(sut, shop, number, "/users", {"users": people})
        pages = {each["id"]: looked(sut, shop, [each["id"]], answer) for each in people}
        there = [user for user, page in pages.items() if page.status != HTTPStatus.NOT_FOUND]
        told = expect_all_or_none("/users", answer, failure, len(there), len(people))
        shop.know(people)
        for user in there:
            shop.expect(pages[user], [user], f"asked for after {told}:")
        if failure.request is None:
            break


def expect_orders_all_or_none(sut, shop, orders_of):
    """Whichever step of a POST /orders fails, all of its orders show afterwards, or none; all, if it answers 201."""
    for number in range(1, MOST_STEPS):
        orders = orders_of(number)
        answer, failure = posted_while_a_step_fails(sut, shop, number, "/orders", as_body(orders))
        users = list(dict(orders))
        page = looked(sut, shop, users, answer)
        shop.expect_ok(page, f"a dashboard asked for after a POST /orders of which step {named(failure)} failed")
        shown = sorted(order["id"] for user in page.json()["users"] for order in user["orders"])
        told = expect_all_or_none("/orders", answer, failure, len(shown), len(orders))
        if shown:
            shop.know_orders(shown, orders)
        shop.expect(page, users, f"asked for after {told}:")
        if failure.request is None:
            break


def posted_while_a_step_fails(sut, shop, number, path, value):
    """Post a value while a step of that fails, be it a step after the answer; returns the answer and the failure."""
    with sut.failing_at_step(number) as failure:
        answer = shop.post("dashboard", path, value)
        until = time.monotonic() + SOON
        while answer.status == HTTPStatus.CREATED and failure.request is None and time.monotonic() < until:
            time.sleep(0.01)
    return answer, failure


def looked(sut, shop, users, written):
    """Return a dashboard asked for after a write; after one that failed it may take a restart to let go of locks."""
    if written.status == HTTPStatus.CREATED:
        return shop.ask(users, "second")
    answer = shop.ask(users, "second", within=1)
    if answer.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
        return answer
    sut.kill()
    shop.serve()
    return shop.ask(users, "second")


def expect_all_or_none(path, answer, failure, there, of):
    """Return what happened; it follows "after"."""
    right = {of} if answer.status == HTTPStatus.CREATED else {0, of}
    told = f"a POST {path} of which step {named(failure)} failed {spoken(answer)}"
    assert there in right, (
        f"{told}, and of its {kit.plural(of, path[1:-1])} {there} can be seen afterwards; "
        f"it should be {' or '.join(map(str, sorted(right)))}"
    )
    return told


def named(trouble):
    """Name a step: "2 (INSERT INTO lines ...)"."""
    request = " ".join((trouble.request or "none").split())
    return f"{trouble.step} ({request if len(request) <= MOST_SHOWN else f'{request[:MOST_SHOWN]}...'})"


def person(user):
    return {"id": user, "name": f"Customer {user}", "addresses": [f"{user} Mill Lane", f"{user} Quay"]}
