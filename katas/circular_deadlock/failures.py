"""Scenarios of failing, slow, and restarted services."""

import time
from itertools import pairwise, permutations

from drill_katas import kit

from .customers import HASTE, SERVICES, SLACK, SOON, TOLERANCE
from .oracle import ACCEPTED, NOT_FOUND, OK, REFUSED, TOO_LATE, differs


def expect_same_outcome_for_copies(shop, copies):
    """Send one order several times at once and once more; expect the same outcome each time."""
    order = shop.order(quantity=3)
    answers = shop.place_all([order] * copies, f"one order, sent {kit.plural(copies, 'time')} at once")
    context = f"an order sent {kit.plural(copies, 'time')} at once, and once more,"
    outcomes = [shop.outcome(order, answer, context) for answer in answers + shop.place_all([order], context)]
    shown = shop.look("checkout", f"/orders/{order['id']}")
    outcomes.append((shown.status, shown.json()))
    for first, other in pairwise(outcomes):
        assert first == other, f"{context} has two outcomes: in the later one {differs(other, first)}"
    shop.expect_one_outcome([order], {order["id"]: outcomes[0]}, context)


def expect_same_outcomes_after_restart(shop):
    """Confirm two orders, one of them degraded, and restart all services; expect the same outcomes."""
    orders = shop.orders(2)
    before = shop.placed(orders[:1], "an order")
    shop.network.script("pricing", [503] * 10)
    before |= shop.placed(orders[1:], "pricing answers 503, and an order")
    shop.network.script("pricing", [])
    shop.sut.kill()
    shop.serve()
    context = "all three services were restarted after 2 orders had been confirmed"
    shop.expect_one_outcome(orders, before, context)
    after = shop.placed(orders, f"{context}, and these come again")
    for id_, outcome in before.items():
        assert after[id_] == outcome, (
            f"{context}; the same orders, sent again, get another outcome: of {id_} {differs(after[id_], outcome)}"
        )
    shop.expect_one_outcome(orders, after, context)


def expect_capacity_kept(shop, context):
    """Expect no more calls between two services, and no more connections, than there are workers."""
    for caller, callee in permutations(SERVICES, 2):
        peak = shop.most_open(caller, callee)
        assert peak <= shop.workers, (
            f"{context}: {caller} had {peak} calls open to {callee} at once; it may have {shop.workers}"
        )
    used = shop.database.peak_connections
    assert used <= shop.workers, f"{context}: stock used {used} connections to its database; it may have {shop.workers}"


def expect_quick_refusals(shop, slow, many):
    """Place many orders while stock is slow; expect those that cannot be in hand to be refused within 1 s."""
    orders = shop.orders(many)
    shop.network.delay("stock", slow)
    context = f"stock takes {slow} s longer than usual, and {many} orders come at once for {shop.workers} workers"
    began = time.monotonic()
    answers = shop.place_all(orders, context)
    refused = sorted(answer.seconds for answer in answers if answer.status in REFUSED)
    arrived = max(hop.began for hop in shop.network.hops if hop.path == "/orders") - began
    most = 8 * shop.workers + shop.workers * int(1 + arrived / slow)
    kept = len(orders) - sum(seconds < 1 + SLACK for seconds in refused)
    seen = f"{context}: {kept} are not refused within 1 s; at most {most} can be in hand by then"
    assert len(refused) >= len(orders) - most, f"{context}: only {len(refused)} are refused; {most} can be in hand"
    shop.sut.in_time(kept <= most, seen, late=refused[len(orders) - most - 1] - 1 - SLACK)
    shop.network.delay("stock", 0)
    outcomes = shop.outcomes(orders, answers, context)
    shop.expect_one_outcome(orders, outcomes, context)
    assert OK in [status for status, _ in outcomes.values()], f"{context}: not one of them is confirmed"


def expect_room_after(shop, trouble, patience_ms):
    """Let stock fail for more orders than may be in hand; expect room for new orders soon after it is well again."""
    many = 8 * shop.workers + 1
    if trouble == "takes 0.3 s longer, and customers hang up":
        shop.network.delay("stock", 0.3)
        hurried = shop.orders(many)
        shop.place(*hurried, within=0.1)
        shop.network.delay("stock", 0)
        context = f"{many} customers hung up for {kit.plural(shop.workers, 'worker')}"
        shop.expect_soon_confirmed(4 * shop.workers, context)
        return
    if trouble == "is cut off":
        shop.network.partition("stock")
    else:
        shop.network.script("stock", [kit.Fault.REPLY_LOST] * many)
    context = f"stock {trouble}, {many} orders come at once for {kit.plural(shop.workers, 'worker')}"
    orders = shop.orders(many)
    answers = shop.place_all(orders, context, deadline_ms=patience_ms)
    shop.network.heal("stock")
    shop.network.script("stock", [])
    shop.collect_accepted(orders, answers, context)
    shop.expect_soon_confirmed(4 * shop.workers, f"{context}, and it is well again for 1 s")
    context = f"{context}, and come again when it is well"
    shop.expect_one_outcome(orders, shop.outcomes(orders, answers, context), context)


def expect_single_calls_when_cut_off(shop):
    """Cut pricing off and let orders keep coming; expect at most one call at a time to pricing."""
    shop.cut_pricing_off(orders=4)
    before = len(shop.network.hops)
    shop.keep_coming(orders=8, every=0.05, deadline_ms=600, context="pricing is cut off")
    most = kit.waits.max_overlap([hop for hop in shop.network.hops[before:] if hop.callee == "pricing"])
    context = "pricing is cut off: it had failed 4 times in a row"
    assert most <= 1, f"{context}, and then had {most} calls open at once; it may have 1"


def expect_single_calls_after_errors(shop, fault, trouble):
    """Let pricing fail for many orders at once; expect at most one call at a time after three of them."""
    shop.network.script("pricing", [fault] * 100)
    shop.network.delay("pricing", 0.1)
    orders, context = shop.orders(16), f"pricing {trouble} and 16 orders come at once"
    shop.expect_degraded(orders, shop.placed(orders, context), context)
    calls = sorted((hop for hop in shop.network.hops if hop.callee == "pricing"), key=lambda hop: hop.ended)
    most = kit.waits.max_overlap([hop for hop in calls[3:] if hop.began > calls[2].ended + 0.05])
    assert most <= 1, f"{context}: it failed 3 times in a row, and then had {most} calls open at once; it may have 1"


def expect_recovery_from_errors(shop):
    """Expect orders to be confirmed within 1 s after stock has stopped answering 503."""
    context = "stock answered 503 and is back"
    until = time.monotonic() + 1 + SLACK
    while time.monotonic() < until:
        if OK in [status for status, _ in shop.placed(shop.orders(1), context).values()]:
            break
        time.sleep(0.05)
    orders, context = shop.orders(2), "stock answered 503 and is back for 1 s"
    shop.expect_confirmed(orders, shop.placed(orders, context), context)


def expect_list_prices_when_cut_off(shop):
    """Cut pricing off; expect known and new customers to get the list price within their deadlines."""
    known = shop.orders(2)
    shop.expect_confirmed(known, shop.placed(known, "2 orders at once"), "2 orders at once")
    shop.network.partition("pricing")
    first, context = shop.orders(1), "pricing is cut off, and a customer waits for 1200 ms"
    answers = shop.begin_to_place(first, context, deadline_ms=1200)
    for order in shop.cut_pricing_off(orders=4):
        outcomes = shop.placed([order], "pricing is cut off")
        shop.expect_degraded([order], outcomes, "pricing is cut off, and the order comes again")
    shop.expect_degraded(first, shop.outcomes(first, answers(), context), context)
    orders = shop.orders(4) + [order | {"id": f"{order['id']}-b"} for order in known]
    shop.expect_degraded(orders, shop.placed(orders, "pricing is cut off", deadline_ms=2000), "pricing is cut off")


def expect_outcome_after_lost_answer(shop):
    """Lose stock's answer about a reserved order; expect no refusal, and one confirmation."""
    orders, context = shop.orders(1), "stock has reserved an order, and its answer is lost"
    shop.network.script("stock", [kit.Fault.REPLY_LOST])
    (answer,) = shop.place(*orders, deadline_ms=600, context=context)
    assert answer.status not in REFUSED, f"{context}: {orders[0]['id']} is answered {answer.status}"
    shop.network.script("stock", [])
    shown = shop.look("checkout", f"/orders/{orders[0]['id']}").status
    assert shown in {OK, ACCEPTED, NOT_FOUND}, f"{context}: it is shown as {shown}; it may be reserved"
    outcomes = shop.outcomes(orders, [answer], context)
    shop.expect_confirmed(orders, outcomes, context)
    shop.expect_one_outcome(orders, outcomes, context)


def expect_no_refusal_when_full(shop):
    """Fill the shop; expect no refusal of an order that is confirmed, or that may be reserved."""
    known, unsure = shop.orders(2)
    shop.placed([known], "an order")
    shop.network.script("stock", [kit.Fault.REPLY_LOST])
    shop.place(unsure, deadline_ms=300)
    shop.network.script("stock", [])
    shop.network.delay("stock", 0.5)
    many = 9 * shop.workers
    context = f"{many} orders are in hand for {kit.plural(shop.workers, 'worker')}, and"
    answers = shop.begin_to_place(shop.orders(many), context, deadline_ms=2000)
    time.sleep(0.1)  # until they have arrived
    for order, what in ((known, "a confirmed order"), (unsure, "an order that may be reserved")):
        (answer,) = shop.place(order, deadline_ms=300)
        assert answer.status not in REFUSED, f"{context} {what} comes again and is answered {answer.status}"
    shop.network.delay("stock", 0)
    answers()


def expect_impatient_customer_answered(shop):
    """Let patient customers wait for stock; expect a less patient one to be answered in time."""
    shop.network.delay("stock", 1.0)
    context = f"{4 * shop.workers} customers wait for {kit.plural(shop.workers, 'worker')}, and stock takes 1 s longer;"
    answers = shop.begin_to_place(shop.orders(4 * shop.workers), context, deadline_ms=2500)
    time.sleep(0.05)  # until they have arrived
    (answer,) = shop.place_all(shop.orders(1), f"{context} one more has 400 ms", deadline_ms=400)
    late = answer.seconds - 0.4 - HASTE
    shop.sut.in_time(late <= 0, f"{context} one more with 400 ms is answered after {answer.seconds:.2f} s", late=late)
    shop.network.delay("stock", 0)
    answers()


def expect_honest_deadlines(shop):
    """Cut pricing off; expect each call to it to be given up when its deadline says, and not before."""
    shop.network.partition("pricing")
    context = "pricing is cut off, and a customer waits for 2000 ms"
    shop.place_all(shop.orders(1), context, deadline_ms=2000)
    for hop in (hop for hop in shop.calls() if hop.callee == "pricing" and hop.ended and hop.status is None):
        waited, left = hop.ended - hop.began, int(hop.headers["X-Deadline-Ms"]) / 1000
        assert waited >= left - TOLERANCE, (
            f"{context}: {hop.caller} calls pricing with {left * 1000:.0f} ms, and gives it up after {waited:.2f} s"
        )
    shop.network.heal("pricing")


def expect_own_prices_after_hang_ups(shop):
    """Let as many customers as workers hang up while pricing works; expect the next ones to get their own price."""
    shop.network.delay("pricing", 0.4)
    shop.place(*shop.orders(shop.workers), within=0.2)
    shop.network.delay("pricing", 0)
    shop.expect_own_price(f"{shop.workers} customers hung up while pricing worked for them, and two more come")


def expect_health_answered(shop):
    """Let stock hang, then its database; expect checkout and stock to answer /health meanwhile."""
    context = f"{4 * shop.workers} customers wait"
    shop.network.partition("stock")
    answers = shop.begin_to_place(shop.orders(4 * shop.workers), context, deadline_ms=1500)
    _expect_healthy(shop, "checkout", f"{context} for stock, which is cut off")
    answers()
    shop.network.heal("stock")
    shop.database.round_trip = 0.5
    answers = shop.begin_to_place(shop.orders(4 * shop.workers), context, deadline_ms=2500)
    _expect_healthy(shop, "stock", f"{context} for stock, whose database is slow")
    answers()
    shop.database.round_trip = 0.001


def _expect_healthy(shop, node, context):
    for _ in range(5):
        time.sleep(0.1)
        answer = shop.network.ask(node, "GET", "/health", within=SOON)
        late = answer.seconds - 1 - HASTE
        shop.sut.in_time(late <= 0, f"{context}: {node} answers /health after {answer.seconds:.1f} s", late=late)
        assert answer.status == OK, f"{context}: {node} answers {answer.status} for /health; it should be {OK}"


def expect_no_sold_out_after_failure(shop, step):
    """Fail one step of stock's work on its database; expect any outcome except sold out."""
    orders, context = shop.orders(1), f"step {step} of stock's work on its database fails"
    with shop.sut.failing_at_step(step):
        answers = shop.place(*orders, deadline_ms=600, context=context)
    outcomes = shop.outcomes(orders, answers, context)
    reason = outcomes[orders[0]["id"]][1].get("reason")
    assert reason != "sold out", f"{context}: the order is rejected as sold out"
    shop.expect_one_outcome(orders, outcomes, context)


def expect_answers_on_time(shop, patience, slow):
    """Slow stock down; expect six answers within the patience of their customers, in ms, and no earlier 504."""
    orders = shop.orders(6)
    shop.network.delay("stock", slow)
    context = f"stock takes {slow} s longer than usual; 6 customers with {patience} ms of patience, for 2 workers"
    answers = shop.place_all(orders, context, deadline_ms=patience)
    slowest = max(answer.seconds for answer in answers)
    late = slowest - patience / 1000 - HASTE
    shop.sut.in_time(late <= 0, f"{context}: one is answered after {slowest:.2f} s", late=late)
    given_up = min((answer.seconds for answer in answers if answer.status in {*REFUSED, TOO_LATE}), default=patience)
    early = patience / 1000 - TOLERANCE - given_up
    shop.sut.in_time(early <= 0, f"{context}: one is given up after {given_up:.2f} s already", late=early)
    shop.expect_deadlines_kept(answers, patience / 1000, context)
    shop.network.delay("stock", 0)
    shop.expect_one_outcome(orders, shop.outcomes(orders, answers, context), context)


def expect_own_prices_in_two_shops(shop, other):
    """Run two shops with the same order ids in one process; expect each to charge its own prices."""
    orders = shop.orders(3, customer=shop.customer_of("gold"))
    others = [other.order(id=order["id"], customer=other.customer_of("standard"), coupon=None) for order in orders]
    shop.network.delay("stock", 0.2)
    context = "two shops run in one process, and have orders with the same ids; in the"
    answers = shop.begin_to_place(orders, f"{context} other")
    other.expect_confirmed(others, other.placed(others, f"{context} one"), f"{context} one")
    shop.network.delay("stock", 0)
    outcomes = shop.outcomes(orders, answers(), f"{context} other")
    shop.expect_confirmed(orders, outcomes, f"{context} other")


def expect_late_orders_as_answered(shop, patience):
    """Place an order with each patience, in ms, while stock's database is slow; expect what was answered."""
    context = f"stock's database is slow, and customers wait for {', '.join(map(str, patience))} ms"
    orders, answers = shop.orders(len(patience)), []
    for order, deadline_ms in zip(orders, patience, strict=True):
        answers += shop.place_all([order], context, deadline_ms=deadline_ms)
    time.sleep(0.2)
    shop.expect_one_outcome(orders, shop.outcomes(orders, answers, context), context)
