"""Requests of which one step fails: afterwards everything is there, or nothing."""

import time
from http import HTTPStatus

from drill_katas import kit

from .oracle import as_body, spoken

SOON = 0.2  # seconds for the next step of a program that works on after its answer
MOST_SHOWN = 60  # characters of a statement in a message
LINES = [("sku-2", 2), ("sku-1", 1), ("sku-2", 3)]
PRICES = {"sku-1": "0.125", "sku-2": "1200.5"}


def steps():
    """Yield the numbers of the steps to fail: each of the first ones, and fewer and fewer of the later ones."""
    number = 1
    while True:
        yield number
        number += max(1, number // 8)


def expect_users_all_or_none(sut, shop, people_of):
    """Fail each step of a POST /users; expect all of its users or none, and all of them after 201."""
    for turn, number in enumerate(steps()):
        people = people_of(turn)
        answer, failure = posted_while_a_step_fails(sut, shop, number, "/users", {"users": people})
        pages = {each["id"]: dashboard_after(sut, shop, [each["id"]], answer) for each in people}
        there = [user for user, page in pages.items() if page.status != HTTPStatus.NOT_FOUND]
        context = expect_all_or_none("/users", answer, failure, len(there), len(people))
        shop.know(people)
        for user in there:
            shop.expect(pages[user], [user], f"requested after {context}:")
        if failure.request is None:
            break


def expect_orders_all_or_none(sut, shop, ids, many):
    """Fail each step of a POST /orders of two users, `many` orders of the second; expect all orders or none."""
    for turn, number in enumerate(steps()):
        one, other = ids[turn], ids[-1 - turn]
        orders = [(one, LINES), *[(other, LINES[1:])] * many, (one, LINES[:1])]
        answer, failure = posted_while_a_step_fails(sut, shop, number, "/orders", as_body(orders))
        users = list(dict(orders))
        page = dashboard_after(sut, shop, users, answer)
        shop.expect_ok(page, f"a dashboard requested after a POST /orders whose step {named(failure)} failed")
        shown = sorted(order["id"] for user in page.json()["users"] for order in user["orders"])
        context = expect_all_or_none("/orders", answer, failure, len(shown), len(orders))
        if shown:
            shop.know_orders(shown, orders)
        shop.expect(page, users, f"requested after {context}:")
        if failure.request is None:
            break


def expect_complete_or_error(sut, shop, ids):
    """Fail each step of a dashboard; expect it to be complete, or an error."""
    for step in steps():
        with sut.failing_at_step(step) as failure:
            answer = shop.ask(ids)
        if answer.status not in {500, 503}:
            shop.expect(answer, ids, f"requested while step {named(failure)} fails")
        if failure.request is None:
            break
    shop.expect(shop.ask(ids), ids, "requested when no statement fails")


def posted_while_a_step_fails(sut, shop, number, path, value):
    """Post a value while one step fails, during the request or soon after it. Return the answer and the failure."""
    with sut.failing_at_step(number) as failure:
        answer = shop.post("dashboard", path, value)
        until = time.monotonic() + SOON
        while answer.status == HTTPStatus.CREATED and failure.request is None and time.monotonic() < until:
            time.sleep(0.01)
    return answer, failure


def dashboard_after(sut, shop, users, written):
    """Return a dashboard requested after a write. A failed write may keep locks; then restart the instances."""
    if written.status == HTTPStatus.CREATED:
        return shop.ask(users, "second")
    answer = shop.ask(users, "second", within=1)
    if answer.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
        return answer
    sut.kill()
    shop.serve()
    return shop.ask(users, "second")


def expect_all_or_none(path, answer, failure, there, of):
    """Expect all or none; return what happened, for a message after the word "after"."""
    right = {of} if answer.status == HTTPStatus.CREATED else {0, of}
    context = f"a POST {path} whose step {named(failure)} failed {spoken(answer)}"
    assert there in right, (
        f"{context}, and of its {kit.plural(of, path[1:-1])} {there} can be seen afterwards; "
        f"it should be {' or '.join(map(str, sorted(right)))}"
    )
    return context


def named(trouble):
    """Describe a step: "2 (INSERT INTO lines ...)"."""
    request = " ".join((trouble.request or "none").split())
    return f"{trouble.step} ({request if len(request) <= MOST_SHOWN else f'{request[:MOST_SHOWN]}...'})"


def person(user):
    return {"id": user, "name": f"Customer {user}", "addresses": [f"{user} Quay", f"{user} Mill Lane", f"{user} Quay"]}
