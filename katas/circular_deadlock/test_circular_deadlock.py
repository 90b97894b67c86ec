"""Checks of checkout, stock, and pricing. The contract is in BRIEFING.md."""

from itertools import cycle

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .customers import SOON, TRIES
from .failures import (
    expect_answers_on_time,
    expect_capacity_kept,
    expect_health_answered,
    expect_honest_deadlines,
    expect_impatient_customer_answered,
    expect_late_orders_as_answered,
    expect_list_prices_when_cut_off,
    expect_no_refusal_when_full,
    expect_no_sold_out_after_failure,
    expect_outcome_after_lost_answer,
    expect_own_prices_after_hang_ups,
    expect_own_prices_in_two_shops,
    expect_quick_refusals,
    expect_recovery_from_errors,
    expect_room_after,
    expect_same_outcome_for_copies,
    expect_same_outcomes_after_restart,
    expect_single_calls_after_errors,
    expect_single_calls_when_cut_off,
)
from .oracle import OK
from .reports import (
    expect_calls_on_traces,
    expect_failed_orders_rejected,
    expect_refusals_uncounted,
    expect_rejections_of_repeated_orders,
    expect_rejections_on_one_trace,
    rejections,
)
from .shop import Shop

ONE_TRACE = "5a1e" * 8


@pytest.mark.stage("symptom")
def test_orders_for_every_worker_are_answered(sut):
    """As many orders at once as workers are all answered."""
    shop = Shop(sut, workers=4)
    for many in (3, 4):
        shop.place_all(shop.orders(many), f"{many} orders at once for 4 workers")


@pytest.mark.stage("symptom")
def test_hang_ups_do_not_block_others(sut):
    """Customers who hang up do not block others."""
    shop = Shop(sut, workers=3, service_time=0.04)
    moments = [0.02, 0.07, 0.11, 0.16, 0.03]
    hurried = shop.orders(len(moments))
    for order, moment in zip(hurried, moments, strict=True):
        shop.place(order, within=moment)
    context = f"{len(moments)} customers hung up, one after another, and then"
    shop.place_all(hurried[:1], f"{context} one of them comes again")
    shop.place_all(shop.orders(2), f"{context} 2 others come at once")


@pytest.mark.stage("cause")
def test_simultaneous_orders_get_their_own_prices(sut):
    """Simultaneous orders get their own prices."""
    for workers, times in ((1, 1), (1, 4), (4, 1), (4, 4)):
        shop = Shop(sut, workers)
        orders = shop.orders(workers * times)
        context = f"{kit.plural(len(orders), 'order')} at once for {kit.plural(workers, 'worker')}"
        outcomes = shop.placed(orders, context)
        shop.expect_confirmed(orders, outcomes, context)
        shop.expect_one_outcome(orders, outcomes, context)


@pytest.mark.stage("cause")
@given(data=st.data(), workers=st.sampled_from([1, 2]))
@settings(max_examples=4, phases=[Phase.generate])
def test_every_order_has_one_outcome(sut, data, workers):
    """Every order has one outcome, whatever customers do."""
    shop = Shop(sut, workers, on_hand=12)
    orders = shop.orders(3)
    acts = data.draw(st.permutations(["place", "place", "hang up", "again", "look"] + ["place"] * workers))
    pauses = data.draw(st.lists(st.sampled_from([0, 0, 0.01, 0.03]), min_size=len(acts), max_size=len(acts)))
    context = f"for {kit.plural(workers, 'worker')} at once: {', '.join(acts)}; then"
    shop.happen(orders, acts, pauses, context)
    answers = shop.place_all(orders, f"{context} the orders come again")
    shop.expect_one_outcome(orders, shop.outcomes(orders, answers, context), context)


@pytest.mark.stage("cause")
def test_services_share_nothing_but_calls(sut):
    """Services share nothing but their calls."""
    expect_own_prices_in_two_shops(Shop(sut, workers=4), Shop(sut, workers=4, name="other shop"))


@pytest.mark.stage("regression")
def test_prices_follow_tier_and_coupon(sut):
    """Every customer pays the price of tier and coupon."""
    shop = Shop(sut, workers=2)
    coupons = cycle([None, *shop.coupons, "EXPIRED"])
    for customer, coupon in zip([*list(shop.customers)[:3] * 2, "stranger"], coupons, strict=False):
        orders = [shop.order(customer=customer, coupon=coupon)]
        context = f"a customer of the tier {shop.customers.get(customer)} with the coupon {coupon}"
        shop.expect_confirmed(orders, shop.placed(orders, context), context)
    shop.network.delay("pricing", 0.3)
    orders, context = shop.orders(1), "pricing takes 0.3 s longer than usual, and the customer has time"
    shop.expect_confirmed(orders, shop.placed(orders, context), context)


@pytest.mark.stage("regression")
def test_stock_is_never_oversold(sut):
    """Sold-out goods are sold to nobody."""
    shop = Shop(sut, workers=4, on_hand=5)
    sku = next(iter(shop.prices))
    steps = [(1, 2, [200]), (1, 4, [409]), (3, 2, [200, 409, 409]), (1, 1, [200]), (2, 1, [409, 409])]
    for many, quantity, right in steps:
        context = "of 5 on hand 2 are ordered, then 4, 3 times 2, 1, and twice 1"
        shop.expect_statuses(shop.orders(many, sku=sku, quantity=quantity), right, context)


@pytest.mark.stage("regression")
def test_repeated_order_is_the_same_order(sut):
    """A repeated order gets the same outcome."""
    shop = Shop(sut, workers=4)
    unknown = shop.look("checkout", "/orders/order-0").status
    assert unknown == 404, f"an unknown order is shown as {unknown}; it should be 404"
    for copies in (1, 3):
        expect_same_outcome_for_copies(shop, copies)
    expect_same_outcomes_after_restart(shop)


@pytest.mark.stage("regression")
def test_order_can_be_repeated_after_hang_up(sut):
    """An order can be repeated after its customer hung up."""
    shop = Shop(sut, workers=4, service_time=0.03)
    for moment in (0.02, 0.06, 0.1):
        order, context = shop.order(), f"a customer hung up after {moment} s, and the order comes again"
        shop.place(order, within=moment)
        outcomes = shop.placed([order], context)
        shop.expect_confirmed([order], outcomes, context)
        shop.expect_one_outcome([order], outcomes, context)


@pytest.mark.stage("stress")
def test_overload_loses_no_order(sut):
    """Thirty times as many orders as workers: none lost."""
    shop = Shop(sut, workers=4)
    shop.expect_no_order_lost(shop.orders(30 * 4))


@pytest.mark.stage("stress")
def test_calls_stay_within_service_capacity(sut):
    """No service gets more calls than its capacity."""
    for context, how in (
        ("24 orders at once for 3 workers", {}),
        ("24 orders one soon after another, on one trace, for 3 workers", {"every": 0.004, "trace": ONE_TRACE}),
    ):
        shop = Shop(sut, workers=3)
        shop.placed(shop.orders(24), context, **how)
        looks = [("GET", f"/orders/order-{number}", {}) for number in range(24)]
        shop.network.ask_together("checkout", looks, within=4)
        expect_capacity_kept(shop, context)


@pytest.mark.stage("stress")
def test_excess_orders_are_refused_quickly(sut):
    """Orders beyond the capacity are refused within 1 s."""
    expect_quick_refusals(Shop(sut, workers=2), slow=0.15, many=60)


@pytest.mark.stage("stress")
def test_possibly_reserved_order_is_not_refused(sut):
    """An order that may be reserved is not refused."""
    shop = Shop(sut, workers=2)
    expect_outcome_after_lost_answer(shop)
    for step in (1, 2, 3):
        expect_no_sold_out_after_failure(shop, step)
    expect_no_refusal_when_full(shop)


@pytest.mark.stage("stress")
def test_failed_orders_make_room_for_others(sut):
    """Failed orders make room for others."""
    shop = Shop(sut, workers=1)
    for trouble in ("loses its answers", "is cut off", "takes 0.3 s longer, and customers hang up"):
        expect_room_after(shop, trouble, patience_ms=250)


@pytest.mark.stage("stress")
def test_list_price_while_pricing_is_down(sut):
    """While pricing is down, orders get the list price."""
    shop = Shop(sut, workers=2)
    expect_list_prices_when_cut_off(shop)
    shop.network.partition("stock")
    health = shop.look("checkout", "/health").status
    assert health == OK, f"pricing and stock are cut off: checkout answers {health} for /health; it should be {OK}"


@pytest.mark.stage("stress")
def test_own_prices_return_with_pricing(sut):
    """Own prices return within 1 s after pricing is back."""
    shop = Shop(sut, workers=4)
    degraded = shop.cut_pricing_off(orders=3)
    shop.network.heal("pricing")
    shop.wait_for_pricing(deadline_ms=1000)
    context = "pricing was cut off and is back for 1 s"
    for orders in ([order | {"id": f"{order['id']}-b"} for order in degraded], shop.orders(3)):
        shop.expect_confirmed(orders, shop.placed(orders, context), context)


@pytest.mark.stage("stress")
def test_pricing_is_called_until_three_failures(sut):
    """Pricing is called until three failures in a row."""
    shop = Shop(sut, workers=2, service_time=0.02)
    for failures in (1, 1, 2, 2):
        shop.refused_by_pricing(failures)
        shop.expect_own_price(f"pricing answers 503 to {kit.plural(failures, 'order')}, then all is well again")
    shop.refused_by_pricing(TRIES)
    shop.wait_for_pricing()
    shop.refused_by_pricing(1)
    shop.expect_own_price("pricing answers 503 to 3 orders, is well again, and answers 503 to 1 order more")
    expect_own_prices_after_hang_ups(Shop(sut, workers=4))


@pytest.mark.stage("stress")
def test_failed_pricing_gets_single_calls(sut):
    """After three failures, pricing gets single calls."""
    expect_single_calls_when_cut_off(Shop(sut, workers=4))
    expect_single_calls_after_errors(Shop(sut, workers=4), 503, "answers 503")
    expect_single_calls_after_errors(Shop(sut, workers=4), kit.Fault.REQUEST_LOST, "loses its connections")


@pytest.mark.stage("stress")
def test_failures_do_not_make_more_calls(sut):
    """Orders make no more calls when a service fails."""
    shop = Shop(sut, workers=4)
    shop.expect_no_more_calls()


@pytest.mark.stage("stress")
def test_deadlines_travel_and_are_kept(sut):
    """Deadlines travel with the calls and are kept."""
    expect_answers_on_time(Shop(sut, workers=2, service_time=0.03), patience=800, slow=0.25)
    shop, context = Shop(sut, workers=2), "a customer sends no deadline"
    shop.expect_deadlines_kept(shop.place_all(shop.orders(1), context), SOON, context)
    expect_honest_deadlines(shop)
    expect_impatient_customer_answered(Shop(sut, workers=1))


@pytest.mark.stage("stress")
def test_health_is_answered_whatever_hangs(sut):
    """/health is answered, whatever hangs."""
    expect_health_answered(Shop(sut, workers=2))


@pytest.mark.stage("stress")
def test_late_orders_match_their_answers(sut):
    """A late order is reserved or not, as answered."""
    expect_late_orders_as_answered(Shop(sut, workers=2, round_trip=0.02), (120, 180, 300))


@pytest.mark.stage("sla")
def test_goodput_matches_the_workers(sut):
    """The shop confirms what its workers can carry."""
    shop = Shop(sut, workers=5, service_time=0.04)
    shop.expect_goodput()


@pytest.mark.stage("trace")
def test_every_call_is_on_its_trace(sut):
    """Every call for an order is on its trace."""
    expect_calls_on_traces(Shop(sut, workers=4))


@pytest.mark.stage("trace")
def test_rejected_order_is_reported_once(sut):
    """A rejected order is counted and logged once."""
    shop = Shop(sut, workers=4, on_hand=0)
    expect_rejections_of_repeated_orders(shop)
    expect_rejections_on_one_trace(shop)
    orders, context = shop.orders(2), "2 more orders of sold-out goods:"
    shop.outcomes(orders, shop.place_all(orders, context), context)
    rejections("sold out").expect_ever(sut, context, times=8)
    expect_refusals_uncounted(Shop(sut, workers=2))


@pytest.mark.stage("trace")
def test_accepted_order_that_fails_is_rejected(sut):
    """An accepted order that then fails is rejected once."""
    shop = Shop(sut, workers=4)
    expect_failed_orders_rejected(shop)
    expect_recovery_from_errors(shop)
