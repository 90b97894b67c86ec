"""Checks of checkout and export. The contract is in BRIEFING.md."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .expectations import (
    expect_few_connections,
    expect_many_failures,
    expect_none_out_whatever_fails,
    expect_one_report,
    expect_receipts,
    expect_report,
    expect_restock_whole,
    expect_unobserved_report,
    for_every_step,
)
from .finance import IDS, PRICES, expect_busy_day_exported, expect_export, paid_orders
from .oracle import (
    checked_out_of,
    expect_answer,
    expect_no_connection_out,
    expect_paid_order,
    expect_stock,
    for_each_step,
    opened,
)
from .shop import ANSWERS, DAY, FAILURES, PLENTY, PRICE, SERVER, Provider, Shop, again, an, as_words, counts


@pytest.mark.stage("symptom")
def test_good_order_is_paid_after_failures(sut):
    """A good order is paid after a night of failed orders."""
    shop = Shop(sut)
    night = FAILURES * 4
    for done, right in enumerate(night):
        context = f"with no export running, after {counts(night[:done]) or 'nothing'}: the next one"
        expect_answer(shop.deliver(right), right, context, seen=f"\n{checked_out_of(shop.database)}")
    expect_paid_order(shop, f"with no export running, after {counts(night)}:")


@pytest.mark.stage("cause")
@given(night=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=12))
@example(night=["sold out"])
@example(night=["repriced"])
@example(night=ANSWERS * 2)
@settings(max_examples=6)
def test_checkout_leaves_no_connection_checked_out(sut, night):
    """A checkout leaves no connection checked out."""
    shop = Shop(sut)
    for done, right in enumerate(night, 1):
        shop.deliver(right, shop.order(right, delivery=1 + done % 3))
        expect_no_connection_out(shop.database, f"after {counts(night[:done])}")


@pytest.mark.stage("cause")
@given(night=st.lists(st.sampled_from(["unavailable", "declined", "paid"]), min_size=1, max_size=12))
@example(night=["unavailable"] * 12)
@settings(max_examples=6)
def test_payments_are_asked_after_lost_answers(sut, night):
    """Lost answers do not stop calls to payments."""
    shop = Shop(sut)
    for done, right in enumerate([*night, "paid"]):
        asked = len(shop.payments.received)
        answer = shop.deliver(right)
        context = f"after {counts(night[:done]) or 'nothing'} the next order"
        reached = right == "unavailable" or len(shop.payments.received) > asked
        assert reached, f"{context} {as_words(answer)}, and payments got no request to charge it"
        expect_answer(answer, right, context)


@pytest.mark.stage("cause")
def test_failed_statement_leaves_no_connection_out(sut):
    """A failed statement leaves no connection checked out."""
    for right in ANSWERS:
        shop = expect_none_out_whatever_fails(Shop(sut), lambda shop, right=right: shop.deliver(right), an(right))
        expect_paid_order(shop, f"after failures at each step of {right} orders,")


@pytest.mark.stage("cause")
def test_other_calls_leave_no_connection_out(sut):
    """Other calls leave no connection checked out."""
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
        expect_none_out_whatever_fails(shop, act, what, act(shop))


@pytest.mark.stage("regression")
@given(night=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=8))
@example(night=ANSWERS)
@settings(max_examples=6)
def test_orders_get_answers_and_take_units(sut, night):
    """Orders get their answers and take their units."""
    shop = Shop(sut)
    for done, right in enumerate(night, 1):
        expect_answer(shop.deliver(right), right, f"after {counts(night[: done - 1]) or 'nothing'} the next order")
        taken = sum(answer in {"paid", "unavailable"} for answer in night[:done])
        context = f"after {counts(night[:done])}"
        expect_stock(shop, shop.mug, PLENTY - taken, context)
        expect_stock(shop, shop.cap, PLENTY, context)
        expect_stock(shop, shop.drop, 1, context)
        charged, due = shop.provider.charged, [PRICE] * night[:done].count("paid")
        assert charged == due, f"{context}, of the charges in cents, {kit.difference(charged, due)}"


@pytest.mark.stage("regression")
def test_first_applicable_answer_is_given(sut):
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
    expect_stock(shop, shop.drop, 3, "after a restock of 3,")
    expect_stock(shop, f"{shop.mug}s", 0, "of an unknown sku")
    order = {"sku": shop.drop, "price": PRICE * 2}
    expect_answer(shop.deliver("paid", shop.order(**order)), "paid", f"after a restock of 3, an order of {order}")


@pytest.mark.stage("regression")
@given(night=st.lists(st.sampled_from(["paid", *FAILURES]), min_size=1, max_size=6), restart=st.booleans())
@example(night=ANSWERS, restart=True)
@settings(max_examples=6)
def test_settled_order_gets_its_answer_again(sut, night, restart):
    """A settled order gets the same answer again."""
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
    shop.checkout.restock(shop.order("unknown")["sku"], 20, PRICE)
    left = shop.checkout.stock(shop.mug)
    for right, order in zip(night, orders, strict=True):
        expect_answer(shop.deliver(right, again(order)), right, f"{an(right)} that comes again")
    expect_stock(shop, shop.mug, left, f"after {counts(night)} came again")
    assert shop.provider.charged == charged, f"after {counts(night)} came again, customers were charged again"


@pytest.mark.stage("regression")
@given(faults=st.lists(st.sampled_from([kit.Fault.REQUEST_LOST, kit.Fault.REPLY_LOST]), min_size=1, max_size=6))
@example(faults=[kit.Fault.REPLY_LOST] * 12)
@settings(max_examples=6)
def test_open_order_is_settled_later(sut, faults):
    """An unavailable order is settled when it comes again."""
    shop = Shop(sut)
    for right, sku, price, kept in (("paid", shop.mug, PRICE, 1), ("declined", shop.cap, Provider.DECLINED, 0)):
        order = shop.order(sku=sku, price=price)
        tries = [again(order, delivery) for delivery in range(1, len(faults) + 1)]
        answers = [shop.deliver("unavailable", each, fault) for each, fault in zip(tries, faults, strict=True)]
        shop.checkout.restock(sku, 1, price + 100)
        answers.append(shop.deliver(right, again(order, len(faults) + 1)))
        context = f"with {counts(faults)}, and then a new price, the answers were {counts(answers)};"
        assert answers == ["unavailable"] * len(faults) + [right], f"{context} it should be {right} in the end"
        expect_stock(shop, sku, PLENTY + 1 - kept, context)
    assert shop.provider.charged == [PRICE], f"customers were charged {shop.provider.charged}; it should be [{PRICE}]"


@pytest.mark.stage("regression")
def test_receipts_have_the_contract_format(sut):
    """Receipts have the format of the contract."""
    shop = Shop(sut)
    expect_receipts(shop)


@pytest.mark.stage("regression")
@pytest.mark.timeout(40)
@given(orders=paid_orders(), failed=st.sampled_from(FAILURES))
@example(orders=[(f"order-{number}", "tray", 1 + number % 3) for number in range(12)], failed="sold out")
@example(orders=[(id_, "tray", 1) for id_ in IDS], failed="declined")
@settings(max_examples=6)
def test_export_is_exact_to_the_byte(sut, orders, failed):
    """The export is exact to the byte."""
    shop = Shop(sut)
    for sku, price in PRICES.items():
        shop.checkout.restock(sku, PLENTY, price)
    for id_, sku, quantity in orders:
        shop.deliver("paid", shop.order(id=id_, sku=sku, quantity=quantity, price=PRICES[sku]))
    shop.deliver(failed, shop.order(failed, id="failed"))
    shop.deliver("paid", shop.order(id="tomorrow's", day="2026-03-14"))
    export = shop.open_export()
    expect_export(export, DAY, orders)
    expect_export(export, "2026-03-12", [])


@pytest.mark.stage("regression")
def test_export_has_all_orders_of_a_busy_day(sut):
    """The export of a busy day has all orders, also late ones."""
    expect_busy_day_exported(Shop(sut))


@pytest.mark.stage("regression")
def test_exports_leave_connections_for_checkout(sut):
    """Exports leave enough connections for checkout."""
    shop = Shop(sut)
    export = shop.open_export()
    for night in range(1, SERVER + 6):
        export.run(DAY)
        shop.checkout.receipt("order-1")
        expect_no_connection_out(shop.database, f"after {kit.plural(night, 'export')}")
    expect_paid_order(shop, f"after {night} exports and receipts, {opened(shop)};")


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_failures_may_outnumber_connections(sut):
    """Failed checkouts may outnumber the connections."""
    for right in FAILURES:
        sut.begin_example()
        expect_many_failures(Shop(sut), right, 250 if right == "unavailable" else SERVER + 5)


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_killed_worker_leaves_order_whole(sut):
    """A killed worker leaves no half-settled order."""
    for right in ("paid", "declined"):
        for_each_step(sut, right, sut.killed_before_step, "killed")


@pytest.mark.stage("stress")
def test_failed_statement_leaves_order_whole(sut):
    """A failed statement leaves no half-settled order."""
    for right in ("paid", "declined", "sold out", "repriced", "unknown"):
        for_each_step(sut, right, sut.failing_at_step, "failing")


@pytest.mark.stage("stress")
def test_failed_restock_changes_nothing(sut):
    """A restock that fails changes nothing."""
    for_every_step(sut, lambda step: expect_restock_whole(sut, step))


@pytest.mark.stage("stress")
def test_checkout_recovers_after_database_errors(sut):
    """Checkout takes orders again after database errors."""
    shop, failed = Shop(sut), 12
    for _ in range(failed):
        with contextlib.suppress(kit.SutError), sut.failing_at_step(1):
            shop.checkout.checkout(shop.order())
    expect_paid_order(shop, f"after {failed} orders whose first statement failed,")


@pytest.mark.stage("sla")
def test_a_night_opens_few_connections(sut):
    """A night of checkouts opens at most 10 connections."""
    for right in ANSWERS:
        sut.begin_example()
        expect_few_connections(Shop(sut), right)


@pytest.mark.stage("trace")
def test_failure_is_reported_once(sut):
    """A failed checkout is counted and logged once."""
    shop, night = Shop(sut), []
    for right in ANSWERS:
        sut.begin_example()
        order = shop.order(right)
        night.append((right, order))
        for delivery in (1, 2, 3):
            due = int(right == "unavailable" or (right != "paid" and delivery == 1))
            expect_report(shop, right, again(order, delivery), due)
    expect_unobserved_report(shop)
    sut.kill()
    shop.reopen()
    for right, order in night:
        expect_report(shop, right, again(order, 4), int(right == "unavailable"), "after a restart ")


@pytest.mark.stage("trace")
@pytest.mark.timeout(40)
def test_failure_is_reported_once_despite_errors(sut):
    """A failed checkout is reported once, whatever fails."""
    for right in ("declined", "sold out", "unknown"):
        expect_one_report(sut, right)
