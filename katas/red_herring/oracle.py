"""The oracle: expected answers, stock, and connections."""

import contextlib
import re
from itertools import count

from drill_katas import kit

from .shop import Shop, again, an, as_words


def expect_answer(answer, right, context, seen=""):
    assert answer == right, f'{context} {as_words(answer)}; it should be "{right}"{seen}'


def expect_no_connection_out(database, context):
    """Expect that no connection is checked out, and no transaction is open."""
    found = checked_out_of(database)
    assert not found, f"{context} {found}"


def checked_out_of(database):
    """Describe the connections that are checked out, as the server sees them; "" if there are none."""
    out = database.checked_out()
    if not out:
        return ""
    first = out[0]
    since = f" since {in_short(first.call)}" if first.call else ""
    found = kit.plural(len(out), "connection is", "connections are")
    what = f"{found} checked out; connection {first.connection}{since}"
    return f"{what}, in an open transaction" if first.in_transaction else what


def in_short(call):
    """Return a call on one line, with the order's id in place of the order."""
    return re.sub(r'\(\{.*?"id": ("[^"]*").*?\}\)', r"(\1)", call.partition("\n")[0])


def opened(shop):
    """Describe how many connections are open."""
    return f"with {kit.plural(shop.database.open_connections, 'connection')} open"


def expect_paid_order(shop, context):
    """Expect that the next good order is paid."""
    expect_answer(shop.deliver("paid"), "paid", f"{context} the next good order")


def expect_stock(shop, sku, right, context):
    left = shop.checkout.stock(sku)
    assert left == right, f"{context} {left} units of {sku} are left; it should be {right}"


def for_each_step(sut, right, trouble, what):
    """Deliver orders twice, the first time with trouble at step 1, then at step 2, and so on."""
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
        context = f"{an(right)}, {what} {met} and delivered again:"
        restocked, dearer = 0, len(shop.payments.received) > asked
        if met.request is not None and answer is not None and not answer.startswith("raised"):
            restocked = expect_effect(shop, order, left, (right, answer), f"{an(right)}, {what} {met},")
            dearer, left = dearer or answer == "unavailable", left + restocked
        if dearer:
            context = f"{context[:-1]}, after a rise in price:"
            shop.checkout.restock(sku, 1, order["price"] + 1)
            left += 1
        expect_answer(shop.deliver(right, again(order)), right, f"{context} its answer")
        expect_stock(shop, sku, left - (right == "paid"), context)
        charges = len(shop.provider.charged) - charged
        assert charges == (right == "paid"), f"{context} the customer was charged {kit.plural(charges, 'time')}"
        if met.request is None:
            break
        if restocked:
            shop = Shop(sut)
        elif dearer:
            shop.checkout.restock(sku, 1, order["price"])


def expect_effect(shop, order, left, answers, context):
    """Expect the effect of an order's answer in the database: its receipt, its units, or its refusal.

    `answers` are the right answer and the given one. Return how many units were restocked to see it.
    """
    right, answer = answers
    context = f'{context} was answered "{answer}", and'
    if answer == "unavailable":
        expect_stock(shop, order["sku"], left - order["quantity"], context)
        return 0
    expect_answer(answer, right, context)
    if right == "paid":
        assert shop.checkout.receipt(order["id"]), f"{context} has no receipt"
        return 0
    expect_stock(shop, order["sku"], left, context)
    shop.checkout.restock(order["sku"], 20, order["price"])
    expect_answer(shop.deliver("paid", again(order)), right, f"{context} after a restock of 20 it")
    return 20
