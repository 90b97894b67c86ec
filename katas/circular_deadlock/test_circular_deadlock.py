"""What checkout, stock and pricing owe their customers. The contract these checks hold them to is in BRIEFING.md."""

import statistics
import time
from itertools import cycle, pairwise, permutations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .oracle import OK, REFUSED, TOO_LATE, differs
from .shop import HASTE, SERVICES, SLACK, SOON, TOLERANCE, TRIES, Shop

SILENT = "a customer does not say how long"


@pytest.mark.stage("symptom")
def test_as_many_orders_at_once_as_workers_are_all_answered(sut):
    """As many orders at once as workers: all are answered."""
    shop = Shop(sut, workers=4)
    for many in (3, 4):
        shop.place_all(shop.orders(many), f"{many} orders at once for 4 workers")


@pytest.mark.stage("symptom")
def test_customers_who_hang_up_stop_nobody_else(sut):
    """Customers who hang up stop nobody else."""
    shop = Shop(sut, workers=3, service_time=0.04)
    moments = [0.02, 0.07, 0.11, 0.16, 0.03]
    hurried = shop.orders(len(moments))
    for order, moment in zip(hurried, moments, strict=True):
        shop.place(order, within=moment)
    told = f"{len(moments)} customers hung up, one after another, and then"
    shop.place_all(hurried[:1], f"{told} one of them comes again")
    shop.place_all(shop.orders(2), f"{told} 2 others come at once")


@pytest.mark.stage("cause")
def test_orders_at_once_are_confirmed_at_their_customers_prices(sut):
    """Orders at once are confirmed at their customers' prices."""
    for workers, times in ((1, 1), (1, 4), (4, 1), (4, 4)):
        shop = Shop(sut, workers)
        orders = shop.orders(workers * times)
        told = f"{kit.plural(len(orders), 'order')} at once for {kit.plural(workers, 'worker')}"
        outcomes = shop.placed(orders, told)
        shop.expect_confirmed(orders, outcomes, told)
        shop.expect_one_outcome(orders, outcomes, told)
    for orders in (shop.orders(2) for _ in range(3)):
        told = "2 orders at once, on the trace of others before"
        outcomes = shop.placed(orders, told, trace="5a1e" * 8)
        shop.expect_confirmed(orders, outcomes, told)


@pytest.mark.stage("cause")
@given(data=st.data(), workers=st.sampled_from([1, 2]))
@settings(max_examples=4, phases=[Phase.generate])
def test_orders_have_one_outcome_in_whatever_order_things_happen(sut, data, workers):
    """Whatever happens in whatever order, orders have one outcome."""
    shop = Shop(sut, workers, on_hand=12)
    orders = shop.orders(3)
    acts = data.draw(st.permutations(["place", "place", "hang up", "again", "look"] + ["place"] * workers))
    pauses = data.draw(st.lists(st.sampled_from([0, 0, 0.01, 0.03]), min_size=len(acts), max_size=len(acts)))
    told = f"for {kit.plural(workers, 'worker')} at once: {', '.join(acts)}; then"
    shop.happen(orders, acts, pauses, told)
    answers = shop.place_all(orders, f"{told} the orders come again")
    outcomes = shop.outcomes(orders, answers, told)
    shop.expect_one_outcome(orders, outcomes, told)


@pytest.mark.stage("cause")
def test_what_services_know_of_each_other_they_tell_each_other(sut):
    """What services know of each other, they tell each other."""
    shop, other = Shop(sut, workers=4), Shop(sut, workers=4, name="other shop")
    orders = shop.orders(3, customer=shop.customer_of("gold"))
    others = [other.order(id=order["id"], customer=other.customer_of("standard"), coupon=None) for order in orders]
    shop.network.delay("stock", 0.2)
    told = "two shops are served from one process, and have orders with the same ids; in the"
    answers = shop.begin_to_place(orders, f"{told} other")
    other.expect_confirmed(others, other.placed(others, f"{told} one"), f"{told} one")
    shop.network.delay("stock", 0)
    outcomes = shop.outcomes(orders, answers(), f"{told} other")
    shop.expect_confirmed(orders, outcomes, f"{told} other")


@pytest.mark.stage("regression")
def test_every_customer_pays_the_price_of_tier_and_coupon(sut):
    """Every customer pays the price of tier and coupon."""
    shop = Shop(sut, workers=2)
    coupons = cycle([None, *shop.coupons, "EXPIRED"])
    for customer, coupon in zip([*list(shop.customers)[:3] * 2, "stranger"], coupons, strict=False):
        orders = [shop.order(customer=customer, coupon=coupon)]
        told = f"a customer of the tier {shop.customers.get(customer)} with the coupon {coupon}"
        shop.expect_confirmed(orders, shop.placed(orders, told), told)
    shop.network.delay("pricing", 0.3)
    orders, told = shop.orders(1), "pricing takes 0.3 s longer than usual, and the customer has time"
    shop.expect_confirmed(orders, shop.placed(orders, told), told)


@pytest.mark.stage("regression")
def test_what_is_sold_out_is_sold_to_nobody(sut):
    """What is sold out is sold to nobody, and never twice."""
    shop = Shop(sut, workers=4, on_hand=5)
    sku = next(iter(shop.prices))
    for many, quantity, right in (
        (1, 2, [200]),
        (1, 4, [409]),
        (3, 2, [200, 409, 409]),
        (1, 1, [200]),
        (2, 1, [409, 409]),
    ):
        orders = shop.orders(many, sku=sku, quantity=quantity)
        at_once = f"{kit.plural(many, 'order')} at once, each of {quantity}"
        told = f"of 5 on hand 2 are ordered, then 4, 3 times 2, 1, and twice 1; {at_once}"
        outcomes = shop.placed(orders, told)
        statuses = sorted(status for status, _ in outcomes.values())
        assert statuses == right, f"{told}: they are answered {statuses}; it should be {right}"
        shop.expect_one_outcome(orders, outcomes, told)
    for order in orders:
        shop.expect_rejected(order, outcomes[order["id"]], "sold out", told)


@pytest.mark.stage("regression")
def test_an_order_that_comes_again_is_the_same_order(sut):
    """An order that comes again is the same order."""
    shop = Shop(sut, workers=4)
    unknown = shop.look("checkout", "/orders/order-0").status
    assert unknown == 404, f"an order that nobody has placed is shown as {unknown}; it should be 404"
    for copies in (1, 3):
        order = shop.order(quantity=3)
        answers = shop.place_all([order] * copies, f"one order, sent {kit.plural(copies, 'time')} at once")
        told = f"an order sent {kit.plural(copies, 'time')} at once, and once more,"
        outcomes = [shop.outcome(order, answer, told) for answer in answers + shop.place_all([order], told)]
        shown = shop.look("checkout", f"/orders/{order['id']}")
        outcomes.append((shown.status, shown.json()))
        for first, other in pairwise(outcomes):
            assert first == other, f"{told} has two outcomes: in the later one {differs(other, first)}"
        shop.expect_one_outcome([order], {order["id"]: outcomes[0]}, told)
    orders = shop.orders(2)
    before = shop.placed(orders[:1], "an order")
    shop.network.script("pricing", [503] * 10)
    before |= shop.placed(orders[1:], "pricing answers 503, and an order")
    shop.network.script("pricing", [])
    sut.kill()
    shop.serve()
    told = "all three services were restarted when 2 orders had been confirmed"
    shop.expect_one_outcome(orders, before, told)
    after = shop.placed(orders, f"{told}, and these come again")
    told_again = f"{told}; the same orders, sent again, get another outcome"
    for id_, outcome in before.items():
        assert after[id_] == outcome, f"{told_again}: of {id_} {differs(after[id_], outcome)}"
    shop.expect_one_outcome(orders, after, told)


@pytest.mark.stage("regression")
def test_an_order_can_come_again_after_its_customer_has_hung_up(sut):
    """An order can come again after its customer has hung up."""
    shop = Shop(sut, workers=4, service_time=0.03)
    for moment in (0.02, 0.06, 0.1):
        order, told = shop.order(), f"a customer hung up after {moment} s, and the order comes again"
        shop.place(order, within=moment)
        outcomes = shop.placed([order], told)
        shop.expect_confirmed([order], outcomes, told)
        shop.expect_one_outcome([order], outcomes, told)


@pytest.mark.stage("stress")
def test_thirty_times_as_many_orders_as_workers(sut):
    """Of 30 times as many orders as workers, none is lost."""
    shop, workers, began = Shop(sut, workers=4), 4, time.monotonic()
    known = shop.known()
    orders = shop.orders(30 * workers)
    told = f"{len(orders)} orders at once for {workers} workers"
    outcomes = shop.placed(orders, told)
    shop.expect_one_outcome(orders, outcomes, told)
    confirmed = [order for order in orders if outcomes[order["id"]][0] == 200]
    least = 4 * workers
    assert len(confirmed) >= least, f"{told}: {len(confirmed)} are confirmed; at least {least} should be"
    shop.expect_confirmed(confirmed, outcomes, told)
    again = [order for order in orders if outcomes[order["id"]][0] in REFUSED]
    told = f"{told}, and later the {len(again)} that were refused come again, {4 * workers} at a time"
    for first in range(0, len(again), 4 * workers):
        few = again[first : first + 4 * workers]
        shop.expect_confirmed(few, shop.placed(few, told), told)
    time.sleep(max(0.0, began + 1.2 - time.monotonic()))
    shop.expect_shown(known, f"1 order was confirmed and 1 was not; after {len(orders)} others")


@pytest.mark.stage("stress")
def test_no_service_is_called_more_than_it_is_sized_for(sut):
    """No service gets more calls at a time than it can take."""
    for told, how in (
        ("24 orders at once for 3 workers", {}),
        ("24 orders one soon after another, on one trace, for 3 workers", {"every": 0.004, "trace": "5a1e" * 8}),
    ):
        shop = Shop(sut, workers=3)
        shop.placed(shop.orders(24), told, **how)
        shop.network.ask_together(
            "checkout", [("GET", f"/orders/order-{number}", {}) for number in range(24)], within=4
        )
        for caller, callee in permutations(SERVICES, 2):
            peak = shop.most_open(caller, callee)
            assert peak <= 3, f"{told}: {caller} had {peak} calls open to {callee} at once; it may have 3"
        used = shop.database.peak_connections
        assert used <= 3, f"{told}: stock used {used} connections to its database; it may have 3"


@pytest.mark.stage("stress")
def test_what_cannot_be_done_soon_is_refused_at_once(sut):
    """What cannot be done soon is refused at once."""
    shop, slow = Shop(sut, workers=2), 0.15
    orders = shop.orders(60)
    shop.network.delay("stock", slow)
    told = f"stock takes {slow} s longer than usual, and 60 orders come at once for 2 workers"
    began = time.monotonic()
    answers = shop.place_all(orders, told)
    refused = [answer.seconds for answer in answers if answer.status in REFUSED and answer.seconds < 1 + SLACK]
    arrived = max(hop.began for hop in shop.network.hops if hop.path == "/orders") - began
    most = 8 * shop.workers + shop.workers * int(1 + arrived / slow)
    kept = len(orders) - len(refused)
    sut.in_time(kept <= most, f"{told}: {kept} are not refused within 1 s; at most {most} can be in hand by then")
    shop.network.delay("stock", 0)
    outcomes = shop.outcomes(orders, answers, told)
    shop.expect_one_outcome(orders, outcomes, told)
    shop.network.delay("stock", 0.05)
    confirmed = [order for order in orders if outcomes[order["id"]][0] == OK]
    assert confirmed, f"{told}: not one of them is confirmed"
    expect_few_in_hand_of_who_hung_up(shop, confirmed[0], outcomes[confirmed[0]["id"]], slow=0.05)
    expect_one_too_many_refused(Shop(sut, workers=1), slow=0.35)


def expect_one_too_many_refused(shop, slow):
    """Of one order more than may be in hand, one is refused before any is done."""
    many = 8 * shop.workers + 1
    shop.network.delay("stock", slow)
    orders = shop.orders(many)
    told = f"stock takes {slow} s longer than usual, and {many} orders come at once for 1 worker"
    answers = shop.begin_to_place(orders, told)
    time.sleep(slow)
    shop.network.delay("stock", 0)
    refused = [answer for answer in answers() if answer.status in REFUSED and answer.seconds < 1 + SLACK]
    shop.sut.in_time(bool(refused), f"{told}: none is refused within 1 s; at most {many - 1} may be in hand")


def expect_few_in_hand_of_who_hung_up(shop, known, before, slow):
    """Of orders whose customers hang up no more are carried out than may be in hand; a known one is told meanwhile."""
    (doubtful,) = shop.orders(1)
    shop.network.script("stock", [kit.Fault.REPLY_LOST])
    shop.place(doubtful)
    began = time.monotonic()
    gone = [shop.orders(15) for _ in range(4)]
    for orders in gone:
        shop.place(*orders, within=0.03)
    arrived = time.monotonic() - began
    *_, doubt, again = shop.place(*shop.orders(30), doubtful, known, told="30 orders come at once")
    told = f"30 orders come at once for {shop.workers} workers, and with them one that may be reserved"
    assert doubt.status not in REFUSED, f"{told}: it is answered {doubt.status}; 504 says that nobody can ask now"
    shop.expect_confirmed([doubtful], shop.outcomes([doubtful], [doubt], told), told)
    told = f"30 orders come at once for {shop.workers} workers, and with them one that was confirmed before"
    assert again.status not in REFUSED, f"{told}: it is answered {again.status}; it should be confirmed again"
    after = shop.outcome(known, again, "it comes again")
    assert after == before, f"{told}: {differs(after, before)}"
    time.sleep(max(0.0, began + 0.7 - time.monotonic()))
    most = 8 * shop.workers + shop.workers * int(1 + arrived / slow)
    done = len(shop.reserved_for() & {order["id"] for orders in gone for order in orders})
    told = f"stock takes {slow} s longer than usual, and 60 orders come soon after each other, whose customers hang up"
    assert done <= most, f"{told}: {done} are carried out all the same; at most {most} can be in hand"


@pytest.mark.stage("stress")
def test_what_may_be_reserved_is_not_refused(sut):
    """An order that may be reserved is never told that it is not."""
    shop, lost = Shop(sut, workers=2), kit.Fault.REPLY_LOST
    for faults, told in (
        ([lost], "stock has reserved an order, and its answer is lost"),
        ([lost, 503, 503], "stock has reserved an order, its answer is lost, and then it answers 503"),
    ):
        orders = shop.orders(1)
        shop.network.script("stock", faults)
        for _ in faults:
            (answer,) = shop.place(*orders, deadline_ms=600, told=told)
            assert answer.status not in REFUSED, f"{told}: {orders[0]['id']} is answered {answer.status}"
        shop.network.script("stock", [])
        outcomes = shop.outcomes(orders, [answer], told)
        shop.expect_confirmed(orders, outcomes, told)
        shop.expect_one_outcome(orders, outcomes, told)
    for step in (1, 2, 3):
        orders, told = shop.orders(1), f"step {step} of what stock asks its database for an order fails"
        with sut.failing_at_step(step):
            answers = shop.place(*orders, deadline_ms=600, told=told)
        outcomes = shop.outcomes(orders, answers, told)
        sold_out = {"id": orders[0]["id"], "status": "rejected", "reason": "sold out"}
        assert outcomes[orders[0]["id"]] != (409, sold_out), f"{told}: it is told that it is sold out"
        shop.expect_one_outcome(orders, outcomes, told)


@pytest.mark.stage("stress")
def test_orders_that_fail_make_room_for_others(sut):
    """Orders that fail make room for others."""
    shop, patience = Shop(sut, workers=1), 250
    many = 8 * shop.workers + 1
    for trouble in ("loses its answers", "is cut off"):
        shop.network.script("stock", [kit.Fault.REPLY_LOST] * many if trouble == "loses its answers" else [])
        if trouble == "is cut off":
            shop.network.partition("stock")
        told = f"stock {trouble}, {many} orders come at once for {kit.plural(shop.workers, 'worker')}"
        orders = shop.orders(many)
        answers = shop.place_all(orders, told, deadline_ms=patience)
        shop.network.heal("stock")
        shop.network.script("stock", [])
        shop.collect_accepted(orders, answers, told)
        shop.expect_soon_confirmed(4 * shop.workers, f"{told}, and it is well again for 1 s")
        told = f"{told}, and come again when it is well"
        shop.expect_one_outcome(orders, shop.outcomes(orders, answers, told), told)


@pytest.mark.stage("stress")
def test_without_pricing_orders_are_confirmed_at_the_list_price(sut):
    """Without pricing, orders get the list price, in time."""
    shop = Shop(sut, workers=2)
    known = shop.orders(2)
    shop.expect_confirmed(known, shop.placed(known, "2 orders at once"), "2 orders at once")
    shop.network.partition("pricing")
    first, told = shop.orders(1), "pricing is cut off, and a customer waits for 1200 ms"
    answers = shop.begin_to_place(first, told, deadline_ms=1200)
    for order in shop.cut_pricing_off(orders=4):
        outcomes = shop.placed([order], "pricing cut off")
        shop.expect_degraded([order], outcomes, "pricing is cut off, and the order comes again")
    shop.expect_degraded(first, shop.outcomes(first, answers(), told), told)
    orders = shop.orders(4) + [order | {"id": f"{order['id']}-b"} for order in known]
    shop.expect_degraded(orders, shop.placed(orders, "pricing is cut off", deadline_ms=2000), "pricing is cut off")
    for hop in (hop for hop in shop.network.hops if hop.callee == "pricing" and not hop.status and hop.ended):
        early = int(hop.headers["X-Deadline-Ms"]) / 1000 - (hop.ended - hop.began)
        told = f"pricing is cut off: {hop.caller} calls {hop}, says {hop.headers['X-Deadline-Ms']} ms"
        sut.in_time(early <= TOLERANCE, f"{told}, and gives it up {early:.2f} s before that", late=early - TOLERANCE)
    shop.network.partition("stock")
    health = shop.look("checkout", "/health").status
    assert health == OK, f"pricing and stock are cut off: checkout answers {health} for /health; it should be {OK}"


@pytest.mark.stage("stress")
def test_prices_are_right_again_soon_after_pricing_is_back(sut):
    """Soon after pricing is back, prices are right again."""
    shop = Shop(sut, workers=4)
    degraded = shop.cut_pricing_off(orders=3)
    shop.network.heal("pricing")
    shop.wait_for_pricing(deadline_ms=1000)
    told = "pricing was cut off and is back for 1 s"
    for orders in ([order | {"id": f"{order['id']}-b"} for order in degraded], shop.orders(3)):
        shop.expect_confirmed(orders, shop.placed(orders, told), told)


@pytest.mark.stage("stress")
def test_pricing_is_asked_until_it_fails_three_times_in_a_row(sut):
    """Pricing is asked until it fails three times in a row."""
    shop = Shop(sut, workers=2, service_time=0.02)
    for failures in (1, 1, 2, 2):
        shop.refused_by_pricing(failures)
        shop.expect_own_price(f"pricing answers 503 to {kit.plural(failures, 'order')}, then all is well again")
    shop.refused_by_pricing(TRIES)
    shop.wait_for_pricing()
    shop.refused_by_pricing(1)
    shop.expect_own_price("pricing answers 503 to 3 orders, is well again, and answers 503 to 1 order more")
    before = shop.calls_of_pricing()
    shop.place(*shop.orders(4), deadline_ms=1)
    if shop.calls_of_pricing() == before:
        shop.expect_own_price("4 customers have 1 ms of patience, pricing is not called, and 2 others have time")
    shop.wait_for_pricing()
    shop.network.delay("pricing", 0.15)
    for order in shop.orders(4):
        shop.place(order, within=0.1)
    shop.network.delay("pricing", 0)
    shop.expect_own_price("pricing takes 0.15 s longer than usual, 4 customers hang up meanwhile, and 2 others do not")
    other = Shop(sut, workers=2, name="other shop")
    other.refused_by_pricing(TRIES)
    shop.expect_own_price("two shops are served from one process, and pricing of the other answers 503")


@pytest.mark.stage("stress")
def test_pricing_is_tried_one_call_at_a_time_while_it_is_down(sut):
    """While pricing is down, it is tried one call at a time."""
    shop = Shop(sut, workers=4)
    shop.cut_pricing_off(orders=4)
    before = len(shop.network.hops)
    shop.keep_coming(orders=8, every=0.05, deadline_ms=600, told="pricing is cut off")
    trials = [hop for hop in shop.network.hops[before:] if hop.callee == "pricing"]
    most = kit.waits.max_overlap(trials)
    told = "pricing is cut off: it had failed 4 times in a row"
    assert most <= 1, f"{told}, and then had {most} calls open at once; it may have 1"
    shop = Shop(sut, workers=4)
    shop.network.script("pricing", [503] * 100)
    shop.network.delay("pricing", 0.1)
    orders, told = shop.orders(16), "pricing answers 503 and 16 orders come at once"
    shop.expect_degraded(orders, shop.placed(orders, told), told)
    calls = sorted((hop for hop in shop.network.hops if hop.callee == "pricing"), key=lambda hop: hop.ended)
    later = [hop for hop in calls[3:] if hop.began > calls[2].ended + 0.05]
    most = kit.waits.max_overlap(later)
    assert most <= 1, f"{told}: it failed 3 times in a row, and then had {most} calls open at once; it may have 1"


@pytest.mark.stage("stress")
def test_failures_do_not_make_more_calls(sut):
    """When a service fails, orders make no more calls."""
    shop = Shop(sut, workers=4)
    usual = shop.calls_of(3)
    for failing in ("stock", "pricing"):
        shop.network.script(failing, [503] * 100)
        calls = shop.calls_of(3)
        shop.network.script(failing, [])
        assert calls <= usual, f"3 orders make {usual} calls when all is well, and {calls} when {failing} answers 503"


@pytest.mark.stage("stress")
def test_deadlines_travel_and_are_kept(sut):
    """Deadlines travel with the calls, and are kept."""
    shop, patience, slow = Shop(sut, workers=2, service_time=0.03), 800, 0.25
    orders = shop.orders(6)
    shop.network.delay("stock", slow)
    told = f"stock takes {slow} s longer than usual; 6 customers at once, with {patience} ms of patience, for 2 workers"
    answers = shop.place_all(orders, told, deadline_ms=patience)
    slowest = max(answer.seconds for answer in answers)
    late = slowest - patience / 1000 - HASTE
    sut.in_time(late <= 0, f"{told}: one is answered after {slowest:.2f} s", late=late)
    given_up = min((answer.seconds for answer in answers if answer.status in {*REFUSED, TOO_LATE}), default=patience)
    early = patience / 1000 - TOLERANCE - given_up
    sut.in_time(early <= 0, f"{told}: one is given up after {given_up:.2f} s already", late=early)
    shop.expect_deadlines_kept(answers, patience / 1000, told)
    shop.network.delay("stock", 0)
    shop.expect_one_outcome(orders, shop.outcomes(orders, answers, told), told)
    shop = Shop(sut, workers=2)
    shop.expect_deadlines_kept(shop.place_all(shop.orders(1), SILENT), SOON, SILENT)


@pytest.mark.stage("stress")
def test_who_sends_the_same_order_waits_as_long_as_they_say(sut):
    """Whoever sends the same order waits as long as they say."""
    shop, slow = Shop(sut, workers=4), 0.35
    orders, told = shop.orders(2), f"stock takes {slow} s longer than usual, and each of 2 orders comes twice at once"
    shop.network.delay("stock", slow)
    sent = [(orders[0], None), (orders[0], 100), (orders[1], 150), (orders[1], None)]
    answers = shop.place_each(sent, told)
    shop.network.delay("stock", 0)
    outcomes = [shop.outcome(order, answer, told) for (order, _), answer in zip(sent, answers, strict=True)]
    for order, first, second in zip(orders, outcomes[::2], outcomes[1::2], strict=True):
        assert first == second, f"{told}: {order['id']} has two outcomes: in the later one {differs(second, first)}"
    shop.expect_one_outcome(orders, dict(zip([order["id"] for order in orders], outcomes[::2], strict=True)), told)


@pytest.mark.stage("stress")
def test_what_was_not_done_in_time_is_done_or_not_as_it_was_told(sut):
    """What comes too late is done or not, as it was told."""
    shop, orders = Shop(sut, workers=2, round_trip=0.02), []
    told, answers = "stock's database is slow, and customers wait for 120, 180 and 300 ms", []
    for patience in (120, 180, 300):
        orders += shop.orders(1)
        answers += shop.place_all(orders[-1:], told, deadline_ms=patience)
    time.sleep(0.2)
    shop.expect_one_outcome(orders, shop.outcomes(orders, answers, told), told)


@pytest.mark.stage("sla")
def test_the_shop_confirms_what_its_workers_can_carry(sut):
    """The shop confirms as much as its workers can carry."""
    shop = Shop(sut, workers=5, service_time=0.04)
    alone = statistics.median(shop.goodput(1, clients=1)[0] for _ in range(3))
    assert alone, "not one of three orders that come one after the other is confirmed"
    together, seen = shop.goodput(30, clients=15)
    share = alone / max(together, 0.001)
    limit = sut.measured("goodput_of_one_customer_to_fifteen", share)
    assert share <= limit, (
        f"{seen}, and {alone:.1f} a second when each comes after the one before: {1 / share:.1f} times as many; "
        f"with {shop.workers} workers it should be at least {1 / limit:.1f} times"
    )


@pytest.mark.stage("trace")
def test_every_call_for_an_order_is_on_its_trace(sut):
    """Every call made for an order is on its trace."""
    shop = Shop(sut, workers=4)
    orders = shop.orders(3)
    answers = shop.place_all(orders, "3 orders at once")
    shop.outcomes(orders, answers, "3 orders at once")
    traces = {answer.trace_id for answer in answers}
    calls = shop.calls()
    for hop in calls:
        assert hop.trace_id in traces, (
            f"{hop.caller} calls {hop} ({hop.method} {hop.path}) with the traceparent "
            f"{hop.headers.get('traceparent')!r}; the orders are on {', '.join(sorted(traces))}"
        )
    for callee in ("stock", "pricing"):
        seen = {hop.trace_id for hop in calls if hop.callee == callee}
        assert seen == traces, f"3 orders were placed, and calls to {callee} are on the traces of {len(seen)}"


@pytest.mark.stage("trace")
def test_a_rejected_order_is_counted_once_and_logged_once_on_its_trace(sut):
    """A rejected order is counted and logged once, on its trace."""
    shop = Shop(sut, workers=4, on_hand=0)
    orders = shop.orders(3)
    with sut.observe() as seen:
        answers = shop.place_all(orders, "3 orders of what is sold out")
        shop.outcomes(orders, answers, "3 orders of what is sold out")
        shop.outcomes(orders, shop.place_all(orders, "the 3 again"), "the 3 again")
    traces = [answer.trace_id for answer in answers]
    expect_rejections(seen, "3 orders of what is sold out, each sent twice:", "sold out", traces)
    orders, told, trace = shop.orders(2), "2 orders of what is sold out, on one trace:", "5a1e" * 8
    with sut.observe() as seen:
        shop.outcomes(orders, shop.place_all(orders, told, trace=trace), told)
    expect_rejections(seen, told, "sold out", [trace] * 2)
    orders, told, trace = shop.orders(1) * 2, "an order of what is sold out, sent twice at once:", "2222" * 8
    shop.network.delay("stock", 0.1)
    with sut.observe() as seen:
        shop.outcomes(orders, shop.place_all(orders, told, trace=trace), told)
    shop.network.delay("stock", 0)
    expect_rejections(seen, told, "sold out", [trace])
    orders, told = shop.orders(2), "2 more orders of what is sold out:"
    shop.outcomes(orders, shop.place_all(orders, told), told)
    rejections("sold out").expect_ever(sut, told, times=8)


@pytest.mark.stage("trace")
def test_an_order_that_was_taken_and_then_fails_is_rejected_once_as_failed(sut):
    """What was taken and then fails is rejected once, as failed."""
    shop = Shop(sut, workers=4)
    orders, told = shop.orders(3), "stock answers 503, and 3 orders come at once"
    shop.network.script("stock", [503] * 100)
    with sut.observe() as seen:
        answers = shop.place_all(orders, told)
        outcomes = shop.outcomes(orders, answers, told)
    shop.network.script("stock", [])
    rejected = [order for order in orders if outcomes[order["id"]][0] not in REFUSED]
    for order in rejected:
        shop.expect_rejected(order, outcomes[order["id"]], "failed", told)
    traces = [answer.trace_id for order, answer in zip(orders, answers, strict=True) if order in rejected]
    expect_rejections(seen, f"{told}; of those {len(rejected)} are rejected:", "failed", traces)
    told = "stock answered 503 and is back, and the orders come again"
    again = shop.placed(orders, told)
    for order in rejected:
        shop.expect_rejected(order, again[order["id"]], "failed", told)
    shop.expect_one_outcome(orders, again, told)
    until = time.monotonic() + 1 + SLACK
    while time.monotonic() < until and OK not in [status for status, _ in shop.placed(shop.orders(1), told).values()]:
        time.sleep(0.05)
    orders, told = shop.orders(2), "stock answered 503 and is back for 1 s"
    shop.expect_confirmed(orders, shop.placed(orders, told), told)


def expect_rejections(seen, told, reason, traces):
    """One order was rejected for this reason on each of these traces, and each is counted once and logged once."""
    rejections(reason).expect(seen, told, times=len(traces), trace_ids=traces)
    expect_counted_as_failed(seen, told, len(traces))


def rejections(reason):
    line = {"event": "order failed", "level": "error", "reason": reason}
    return kit.ErrorReport("orders_failed_total", labels={"reason": reason}, line=line)


def expect_counted_as_failed(seen, told, right):
    """So many orders are counted as failed, whatever the reason: those that were refused are not among them."""
    all_labels = [dict(labels) for name, labels in seen.after if name == "orders_failed_total"]
    counted = sum(seen.increase("orders_failed_total", **labels) for labels in all_labels)
    assert counted == right, f"{told} in all {counted:g} are counted as failed; it should be {right}"
