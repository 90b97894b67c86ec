"""What checkout and export owe the shop. The contract these checks hold them to is in BRIEFING.md."""

import contextlib
from itertools import count, takewhile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .oracle import (
    ANSWERS,
    DAY,
    FAILURES,
    NEVER_REFUSED,
    ODD,
    PLENTY,
    PRICE,
    PRICES,
    SERVER,
    Provider,
    Shop,
    again,
    an,
    as_words,
    counts,
    expect_a_paid_order,
    expect_answer,
    expect_export,
    expect_nothing_held,
    expect_stock,
    for_each_step,
    held_in,
    opened,
    paid_orders,
)


@pytest.mark.stage("symptom")
def test_a_night_of_failed_checkouts_ends_with_a_paid_one(sut):
    """A good order is paid, however the night went."""
    shop = Shop(sut)
    night = FAILURES * 4
    for done, right in enumerate(night):
        answer = shop.deliver(right)
        told = f"with no export running, after {counts(night[:done]) or 'nothing'}: the next one"
        expect_answer(answer, right, told, seen=f"\n{held_in(shop.database)}")
    expect_a_paid_order(shop, f"with no export running, after {counts(night)}:")


@pytest.mark.stage("cause")
@given(night=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=12))
@example(night=["sold out"])
@example(night=["repriced"])
@example(night=["declined"] * 12)
@example(night=["unavailable"] * 12)
@example(night=["invalid"] * 12)
@example(night=["unknown"] * 12)
@settings(max_examples=6)
def test_nothing_is_held_when_a_checkout_is_over(sut, night):
    """Nothing is held when a checkout is over."""
    shop = Shop(sut)
    for done, right in enumerate(night, 1):
        shop.deliver(right, shop.order(right, delivery=1 + done % 3))
        expect_nothing_held(shop.database, f"after {counts(night[:done])}")
    shop.deliver("paid", shop.order(sku=shop.drop))
    shop.deliver("sold out")
    expect_nothing_held(shop.database, f"after {counts(night)}, the last {shop.drop} and an order of another")


@pytest.mark.stage("cause")
@given(night=st.lists(st.sampled_from(["unavailable", "declined", "paid"]), min_size=1, max_size=12))
@example(night=["unavailable"] * 12)
@example(night=["declined"] * 12)
@settings(max_examples=6)
def test_an_order_is_charged_whatever_payments_did_before(sut, night):
    """An order is charged, whatever payments did before."""
    shop = Shop(sut)
    for done, right in enumerate([*night, "paid"]):
        asked = len(shop.payments.received)
        answer = shop.deliver(right)
        told = f"after {counts(night[:done]) or 'nothing'} the next order"
        reached = right == "unavailable" or len(shop.payments.received) > asked
        assert reached, f"{told} {as_words(answer)}, and nobody had asked payments to charge it"
        expect_answer(answer, right, told)


@pytest.mark.stage("cause")
def test_nothing_is_held_when_a_checkout_has_failed_on_the_database(sut):
    """Nothing is held after a checkout whose database fails."""
    for right in ANSWERS:
        shop = expect_nothing_held_whatever_fails(Shop(sut), lambda shop, right=right: shop.deliver(right), an(right))
        expect_a_paid_order(shop, f"after failures at each step of {right} orders,")


@pytest.mark.stage("cause")
def test_nothing_is_held_after_any_other_call(sut):
    """Nothing is held after any other call, whatever fails."""
    for what, act in {
        "the stock of an unknown sku": lambda shop: shop.checkout.stock("nothing"),
        "the stock": lambda shop: shop.checkout.stock(shop.mug),
        "a receipt": lambda shop: shop.checkout.receipt("order-1"),
        "the receipt of an unknown order": lambda shop: shop.checkout.receipt("order-0"),
        "a restock": lambda shop: shop.checkout.restock(shop.cap, 1, 7),
        "an export": lambda shop: shop.open_export().run(DAY),
    }.items():
        shop = Shop(sut)
        shop.deliver("paid")
        expect_nothing_held_whatever_fails(shop, act, what, act(shop))


def expect_nothing_held_whatever_fails(shop, act, what, *right):
    """Do it with a failure at the first step, at the second, and so on; nothing may be held. Returns the last shop.

    What does not raise answers what is `right`, if that is given.
    """
    for step in count(1):
        shop.sut.begin_example()
        with contextlib.suppress(kit.SutError), shop.sut.failing_at_step(step) as failure:
            expect_right(act(shop), right, f"{what} with a failure {failure}")
        if failure.request in NEVER_REFUSED:
            shop = Shop(shop.sut)
            shop.deliver("paid")
            continue
        expect_nothing_held(shop.database, f"{what} with a failure {failure}:")
        if failure.request is None:
            return shop
    return None


def expect_right(answer, right, told):
    assert answer in right or not right, f"{told} answered {answer!r}; it should be {right[0]!r}, or raise"


@pytest.mark.stage("regression")
@given(night=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=8))
@example(night=ANSWERS)
@settings(max_examples=6)
def test_orders_get_their_answers_and_take_their_units(sut, night):
    """Orders get their answers, and take their units."""
    shop = Shop(sut)
    for done, right in enumerate(night, 1):
        expect_answer(shop.deliver(right), right, f"after {counts(night[: done - 1]) or 'nothing'} the next order")
        taken = sum(answer in {"paid", "unavailable"} for answer in night[:done])
        told = f"after {counts(night[:done])}"
        expect_stock(shop, shop.mug, PLENTY - taken, told)
        expect_stock(shop, shop.cap, PLENTY, told)
        expect_stock(shop, shop.drop, 1, told)
        charged, due = shop.provider.charged, [PRICE] * night[:done].count("paid")
        assert charged == due, f"{told} of what customers were charged, in cents, {kit.difference(charged, due)}"


@pytest.mark.stage("regression")
def test_the_first_answer_that_applies_is_given(sut):
    """The first answer that applies is given."""
    shop = Shop(sut)
    for right, order in (
        ("invalid", {"quantity": -1, "sku": "nothing"}),
        ("invalid", {"quantity": 21, "price": 1}),
        ("unknown", {"sku": shop.mug.title(), "price": 1}),
        ("repriced", {"sku": shop.drop, "quantity": 20, "price": PRICE + 1}),
        ("sold out", {"sku": shop.drop, "quantity": 20}),
        ("paid", {"sku": shop.drop}),
        ("sold out", {"sku": shop.drop}),
        ("paid", {"quantity": 20}),
    ):
        expect_answer(shop.deliver(right, shop.order(**order)), right, f"an order of {order}")
    shop.checkout.restock(shop.drop, 3, PRICE * 2)
    expect_stock(shop, shop.drop, 3, "after another 3 came in,")
    expect_stock(shop, f"{shop.mug}s", 0, "of an unknown sku")
    order = {"sku": shop.drop, "price": PRICE * 2}
    expect_answer(shop.deliver("paid", shop.order(**order)), "paid", f"after another 3 came in, an order of {order}")
    lot = {"sku": f"{shop.mug}-b", "price": 101}
    expect_answer(shop.deliver("unknown", shop.order(**lot)), "unknown", "an order of a lot that never came in")
    shop.checkout.restock(lot["sku"], 13, lot["price"])
    for right, quantity in (("declined", 13), ("paid", 12), ("sold out", 2), ("paid", 1)):
        order = lot | {"quantity": quantity}
        expect_answer(shop.deliver(right, shop.order(**order)), right, f"of a lot of 13, an order of {order}")


@pytest.mark.stage("regression")
@given(night=st.lists(st.sampled_from(["paid", *FAILURES]), min_size=1, max_size=6), restart=st.booleans())
@example(night=ANSWERS, restart=True)
@settings(max_examples=6)
def test_an_order_that_comes_again_gets_its_answer_again(sut, night, restart):
    """An order that comes again gets its answer again."""
    shop = Shop(sut)
    orders = [shop.order(right) for right in night]
    for right, order in zip(night, orders, strict=True):
        shop.deliver(right, order)
    shop.deliver("paid", shop.order(day="2027-03-13"))
    charged = list(shop.provider.charged)
    if restart:
        sut.kill()
        shop.reopen()
    shop.checkout.restock(shop.drop, 20, PRICE - 100)
    left = shop.checkout.stock(shop.mug)
    for right, order in zip(night, orders, strict=True):
        expect_answer(shop.deliver(right, again(order)), right, f"{an(right)} that comes again")
    expect_stock(shop, shop.mug, left, f"after {counts(night)} came again")
    assert shop.provider.charged == charged, f"after {counts(night)} came again, customers were charged again"


@pytest.mark.stage("regression")
@given(faults=st.lists(st.sampled_from([kit.Fault.REQUEST_LOST, kit.Fault.REPLY_LOST]), min_size=1, max_size=6))
@example(faults=[kit.Fault.REPLY_LOST] * 12)
@settings(max_examples=6)
def test_an_open_order_is_settled_when_it_comes_again(sut, faults):
    """An order that payments did not answer is settled later."""
    shop = Shop(sut)
    for right, sku, price, kept in (("paid", shop.mug, PRICE, 1), ("declined", shop.cap, Provider.DECLINED, 0)):
        order = shop.order(sku=sku, price=price)
        tries = [again(order, delivery) for delivery in range(1, len(faults) + 1)]
        answers = [shop.deliver("unavailable", each, fault) for each, fault in zip(tries, faults, strict=True)]
        shop.checkout.restock(sku, 1, price + 100)
        answers.append(shop.deliver(right, again(order, len(faults) + 1)))
        told = f"with {counts(faults)}, and then a new price, the answers were {counts(answers)};"
        assert answers == ["unavailable"] * len(faults) + [right], f"{told} it should be {right} in the end"
        expect_stock(shop, sku, PLENTY + 1 - kept, told)
    assert shop.provider.charged == [PRICE], f"customers were charged {shop.provider.charged}; it should be {[PRICE]}"


@pytest.mark.stage("regression")
def test_receipts_have_the_format_of_the_contract(sut):
    """Receipts have the format of the contract."""
    shop = Shop(sut)
    for right, more, text in (
        ("paid", {"quantity": 2}, f"2 x {shop.mug}, 24.00 paid"),
        ("paid", {"sku": shop.drop, "day": "2026-03-14"}, f"1 x {shop.drop}, 12.00 paid"),
        ("declined", {}, None),
        ("unavailable", {}, None),
        ("sold out", {}, None),
    ):
        order = shop.order(right, **more)
        shop.deliver(right, order)
        receipt, due = shop.checkout.receipt(order["id"]), text and f"{order['day']} {order['id']}: {text}"
        assert receipt == due, f"the receipt of {an(right)} is {receipt!r}; it should be {due!r}"
    assert shop.checkout.receipt("order-0") is None, "an unknown order has a receipt; it should have none"


@pytest.mark.stage("regression")
@pytest.mark.timeout(40)
@given(orders=paid_orders(), failed=st.sampled_from(FAILURES))
@example(orders=[(f"order-{number}", "tray", 1 + number % 3) for number in range(12)], failed="sold out")
@example(orders=[(id_, "tray", 1) for id_ in ("b", "A", "a", "B", *ODD)], failed="declined")
@settings(max_examples=6)
def test_the_export_is_the_same_to_the_byte(sut, orders, failed):
    """The export is the same to the byte."""
    shop = Shop(sut)
    for sku, price in PRICES.items():
        shop.checkout.restock(sku, PLENTY, price)
    for id_, sku, quantity in orders:
        shop.deliver("paid", shop.order(id=id_, sku=sku, quantity=quantity, price=PRICES[sku]))
    charged = kit.plural(len(shop.provider.charged), "customer")
    assert len(shop.provider.charged) == len(orders), (
        f"of {kit.plural(len(orders), 'paid order')} {charged} were charged"
    )
    shop.deliver(failed, shop.order(failed, id="failed"))
    shop.deliver("paid", shop.order(id="tomorrow's", day="2026-03-14"))
    export = shop.open_export()
    expect_export(export, DAY, orders)
    expect_export(export, "2026-03-12", [])


@pytest.mark.stage("regression")
def test_the_export_has_what_was_paid_late(sut):
    """The export has what was paid after the one before."""
    shop = Shop(sut)
    shop.checkout.restock("tray", PLENTY, PRICE)
    tray = {"sku": "tray", "price": PRICE}
    late, early, last = (shop.order(id=id_, **tray) for id_ in ("late", "early", "last"))
    shop.deliver("unavailable", late)
    shop.deliver("paid", early)
    export = shop.open_export()
    expect_export(export, DAY, [("early", "tray", 1)])
    expect_export(export, "2026-03-14", [])
    shop.deliver("paid", again(late))
    expect_export(export, DAY, [("early", "tray", 1), ("late", "tray", 1)], "one of its orders was paid late")
    expect_export(export, "2026-03-14", [])
    shop.deliver("paid", last)
    orders = [("early", "tray", 1), ("last", "tray", 1), ("late", "tray", 1)]
    expect_export(export, DAY, orders, "another order of it came late")


@pytest.mark.stage("regression")
def test_the_export_holds_nothing_when_it_is_over(sut):
    """The export holds nothing when it is over."""
    shop = Shop(sut)
    export = shop.open_export()
    for night in range(1, SERVER + 6):
        export.run(DAY)
        shop.checkout.receipt("order-1")
        expect_nothing_held(shop.database, f"after {kit.plural(night, 'export')}")
    expect_a_paid_order(shop, f"after {night} exports and receipts, {opened(shop)};")


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_more_checkouts_may_fail_than_the_server_has_connections(sut):
    """More checkouts may fail than the server has connections."""
    for right in FAILURES:
        sut.begin_example()
        shop = Shop(sut)
        for done in range(250 if right == "unavailable" else SERVER + 5):
            answer = shop.deliver(right)
            expect_answer(answer, right, f"after {kit.plural(done, f'{right} order')}, {opened(shop)}, the next one")
        told = f"after {kit.plural(done + 1, f'{right} order')}, {opened(shop)}, a good order"
        expect_answer(shop.deliver("paid"), "paid", told)


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_an_order_is_whole_wherever_its_worker_is_killed(sut):
    """An order is whole, wherever its worker is killed."""
    for right in ("paid", "declined"):
        for_each_step(sut, right, sut.killed_before_step, "killed")


@pytest.mark.stage("stress")
def test_an_order_is_whole_whatever_fails(sut):
    """An order is whole, whatever fails."""
    for right in ("paid", "declined", "sold out", "repriced", "unknown"):
        for_each_step(sut, right, sut.failing_at_step, "failing")


@pytest.mark.stage("stress")
def test_a_restock_that_fails_changes_nothing(sut):
    """A restock that fails changes nothing."""
    for step in count(1):
        sut.begin_example()
        shop, returned = Shop(sut), False
        with contextlib.suppress(kit.SutError), sut.failing_at_step(step) as failure:
            shop.checkout.restock(shop.mug, 1, PRICE + 1)
            returned = True
        if failure.request is None:
            break
        if failure.request in NEVER_REFUSED:
            continue
        told = f"a restock with another price, failing {failure}, {'returned' if returned else 'raised'}:"
        expect_stock(shop, shop.mug, PLENTY + returned, told)
        right = shop.order(price=PRICE + returned)
        expect_answer(shop.deliver("paid", right), "paid", f"{told} an order at {right['price']} cents")


@pytest.mark.stage("stress")
def test_a_bad_hour_of_the_database_leaves_nothing_behind(sut):
    """A bad hour of the database leaves nothing behind."""
    shop, failed = Shop(sut), 12
    for _ in range(failed):
        with contextlib.suppress(kit.SutError), sut.failing_at_step(1):
            shop.checkout.checkout(shop.order())
    told = f"after {failed} orders whose first statement failed"
    expect_a_paid_order(shop, f"{told},")
    opened = max(statement.connection for statement in shop.database.statements)
    assert opened <= 10, f"{told}, there have been {opened} connections; it should be 10 at the most"


@pytest.mark.stage("sla")
def test_a_night_opens_few_connections(sut):
    """A night of checkouts opens 10 connections at the most."""
    for right in ANSWERS:
        sut.begin_example()
        shop = Shop(sut)
        done = list(takewhile(lambda answer, shop=shop: shop.deliver(answer) == answer, [right] * 12))
        opened = len({statement.connection for statement in shop.database.statements})
        told = f"{kit.plural(len(done), f'{right} order')} opened {opened} connections"
        assert opened <= 10, f"{told}; it should be 10 at the most"


@pytest.mark.stage("trace")
def test_a_failed_checkout_is_counted_once_and_logged_once_under_its_trace(sut):
    """A failed checkout is counted and logged once, traced."""
    shop, night = Shop(sut), []
    for right in ANSWERS:
        sut.begin_example()
        order = shop.order(right)
        night.append((right, order))
        for delivery in (1, 2, 3):
            due = int(right == "unavailable" or (right != "paid" and delivery == 1))
            expect_report(shop, right, again(order, delivery), due)
    told = "declined orders, the last of which nobody observes:"
    expect_answer(shop.deliver("declined"), "declined", told)
    reported("declined").expect_ever(sut, told, times=2)
    sut.kill()
    shop.reopen()
    for right, order in night:
        expect_report(shop, right, again(order, 4), int(right == "unavailable"), "after a restart ")


def reported(reason, **more):
    line = {"event": "checkout failed", "level": "error", "reason": reason, **more}
    return kit.ErrorReport("checkout_failure_total", labels={"reason": reason}, line=line)


def expect_report(shop, right, order, due, when=""):
    with shop.sut.observe() as seen:
        shop.deliver(right, order)
    reported(right, order=order["id"]).expect(seen, f"{when}{an(right)}, delivery {order['delivery']}:", times=due)


@pytest.mark.stage("trace")
def test_a_failed_checkout_is_counted_no_more_than_once_whatever_fails(sut):
    """A failure is counted once at most, whatever fails."""
    for right in ("declined", "sold out", "unknown"):
        for step in count(1):
            sut.begin_example()
            shop = Shop(sut)
            order = shop.order(right)
            with sut.observe() as seen:
                with sut.failing_at_step(step) as failure:
                    shop.deliver(right, order)
                shop.deliver(right, again(order))
            if failure.request is None:
                break
            counted = seen.increase("checkout_failure_total", reason=right)
            logged = len(seen.logs(event="checkout failed", reason=right))
            assert max(counted, logged) <= 1 or failure.request in NEVER_REFUSED, (
                f"{an(right)}, failing {failure} and delivered again, was counted {counted:g} times and logged "
                f"{kit.plural(logged, 'time')}; it should be once"
            )
