"""Longer expectations: connections, restocks, and reports while statements fail."""

import contextlib
from itertools import count, takewhile

from drill_katas import kit

from .oracle import expect_answer, expect_no_connection_out, expect_stock, opened
from .shop import PLENTY, PRICE, Shop, again, an

MOST_CONNECTIONS = 10  # that the checkouts of a night may open


def expect_none_out_whatever_fails(shop, act, what, *right):
    """Act with a failure at step 1, then at step 2, and so on; no connection may be checked out. Return the last shop.

    A call that does not raise must answer `right`, if it is given.
    """
    for step in count(1):
        shop.sut.begin_example()
        with contextlib.suppress(kit.SutError), shop.sut.failing_at_step(step) as failure:
            answer = act(shop)
            assert answer in right or not right, (
                f"{what} with a failure {failure} answered {answer!r}; it should be {right[0]!r}, or raise"
            )
        expect_no_connection_out(shop.database, f"{what} with a failure {failure}:")
        if failure.request is None:
            return shop
    return None


def for_every_step(sut, act):
    """Call `act` with step 1, 2, and so on, until its failure no longer meets a step."""
    for step in count(1):
        sut.begin_example()
        if act(step).request is None:
            break


def expect_many_failures(shop, right, orders):
    """Deliver `orders` orders that fail; expect their answers, and a good order to be paid after them."""
    for done in range(orders):
        seen = f"after {kit.plural(done, f'{right} order')}, {opened(shop)}, the next one"
        expect_answer(shop.deliver(right), right, seen)
    seen = f"after {kit.plural(orders, f'{right} order')}, {opened(shop)}, a good order"
    expect_answer(shop.deliver("paid"), "paid", seen)


def expect_few_connections(shop, right):
    """Deliver 12 such orders; expect that they opened few connections."""
    done = list(takewhile(lambda answer: shop.deliver(answer) == answer, [right] * 12))
    opened = len({statement.connection for statement in shop.database.statements})
    seen = f"{kit.plural(len(done), f'{right} order')} opened {opened} connections"
    assert opened <= MOST_CONNECTIONS, f"{seen}; it should be {MOST_CONNECTIONS} at the most"


def expect_restock_whole(sut, step):
    """Restock with a failure at this step; expect all of its effect if it returned, and none if it raised."""
    shop, returned = Shop(sut), False
    with contextlib.suppress(kit.SutError), sut.failing_at_step(step) as failure:
        shop.checkout.restock(shop.mug, 1, PRICE + 1)
        returned = True
    if failure.request is not None:
        context = f"a restock with another price, failing {failure}, {'returned' if returned else 'raised'}:"
        expect_stock(shop, shop.mug, PLENTY + returned, context)
        order = shop.order(price=PRICE + returned)
        expect_answer(shop.deliver("paid", order), "paid", f"{context} an order at {order['price']} cents")
    return failure


def report_of(reason, **more):
    line = {"event": "checkout failed", "level": "error", "reason": reason, **more}
    return kit.ErrorReport("checkout_failure_total", labels={"reason": reason}, line=line)


def expect_report(shop, right, order, times, when=""):
    """Deliver an order; expect its answer to be reported `times` times."""
    with shop.sut.observe() as seen:
        shop.deliver(right, order)
    context = f"{when}{an(right)}, delivery {order['delivery']}:"
    report_of(right, order=order["id"]).expect(seen, context, times=times)


def expect_unobserved_report(shop):
    """Decline another order outside of an observation; expect two reports in the whole check."""
    context = "two declined orders, the second of them not observed:"
    expect_answer(shop.deliver("declined"), "declined", context)
    report_of("declined").expect_ever(shop.sut, context, times=2)


def expect_no_second_report(sut, right, step):
    """Kill the worker at this step of an order, and deliver it twice again; expect one report at most."""
    shop = Shop(sut)
    order = shop.order(right, id=f"order-{right}-{step}")
    with contextlib.suppress(kit.Killed), sut.killed_before_step(step) as kill:
        shop.deliver(right, order)
    if kill.request is not None:
        shop.reopen()
    for delivery in (2, 3):
        shop.deliver(right, again(order, delivery))
    report_of(right, order=order["id"]).expect_at_most(sut, f"{an(right)}, killed {kill} and delivered again:")
    return kill


def expect_report_despite_failure(sut, right, step):
    """Deliver an order twice, the first time with a failure at this step; expect one report. Return the failure."""
    shop = Shop(sut)
    order = shop.order(right)
    with sut.observe() as seen:
        with sut.failing_at_step(step) as failure:
            shop.deliver(right, order)
        shop.deliver(right, again(order))
    if failure.request is not None:
        counted = seen.increase("checkout_failure_total", reason=right)
        logged = len(seen.logs(event="checkout failed", reason=right))
        assert max(counted, logged) <= 1, (
            f"{an(right)}, failing {failure} and delivered again, was counted {counted:g} times and logged "
            f"{kit.plural(logged, 'time')}; it should be once"
        )
    return failure


def expect_one_report(sut, right):
    """Expect that an order is reported once, wherever a statement fails and wherever the worker is killed."""
    for expect in (expect_report_despite_failure, expect_no_second_report):
        for_every_step(sut, lambda step, expect=expect: expect(sut, right, step))


def expect_receipts(shop):
    """Expect receipts of paid orders only, in the format of the contract."""
    for right, more, text in (
        ("paid", {"quantity": 2}, f"2 x {shop.mug}, 24.00 paid"),
        ("paid", {"sku": shop.drop, "day": "2026-03-14"}, f"1 x {shop.drop}, 12.00 paid"),
        ("declined", {}, None),
        ("unavailable", {}, None),
    ):
        order = shop.order(right, **more)
        shop.deliver(right, order)
        receipt, due = shop.checkout.receipt(order["id"]), text and f"{order['day']} {order['id']}: {text}"
        assert receipt == due, f"the receipt of {an(right)} is {receipt!r}; it should be {due!r}"
    assert shop.checkout.receipt("order-0") is None, "an unknown order has a receipt; it should have none"
