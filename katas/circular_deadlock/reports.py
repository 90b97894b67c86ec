"""Rejected orders: the count and the log line that each of them must leave."""

from drill_katas import kit

from .oracle import REFUSED


def rejections(reason):
    line = {"event": "order failed", "level": "error", "reason": reason}
    return kit.ErrorReport("orders_failed_total", labels={"reason": reason}, line=line)


def expect_rejections(seen, context, reason, traces):
    """Expect one report for this reason on each of these traces, and no other failed orders."""
    rejections(reason).expect(seen, context, times=len(traces), trace_ids=traces)
    all_labels = [dict(labels) for name, labels in seen.after if name == "orders_failed_total"]
    counted = sum(seen.increase("orders_failed_total", **labels) for labels in all_labels)
    assert counted == len(traces), f"{context} in all {counted:g} are counted as failed; it should be {len(traces)}"


def expect_rejections_on_one_trace(shop):
    """Place two orders on one trace, then one order twice at once; expect one report for each different order."""
    shop.network.delay("stock", 0.1)
    for orders, context, trace in (
        (shop.orders(2), "2 orders of sold-out goods, on one trace:", "5a1e" * 8),
        (shop.orders(1) * 2, "an order of sold-out goods, sent twice at once:", "2222" * 8),
    ):
        with shop.sut.observe() as seen:
            shop.outcomes(orders, shop.place_all(orders, context, trace=trace), context)
        expect_rejections(seen, context, "sold out", [trace] * len({order["id"] for order in orders}))
    shop.network.delay("stock", 0)


def expect_refusals_uncounted(shop):
    """Place more orders at once than can be in hand; expect none of them to be counted as failed."""
    shop.network.delay("stock", 0.15)
    orders = shop.orders(30 * shop.workers)
    context = f"{len(orders)} orders at once for {shop.workers} workers"
    with shop.sut.observe() as seen:
        shop.outcomes(orders, shop.place_all(orders, context), context)
    expect_rejections(seen, f"{context}:", "sold out", [])


def expect_calls_on_traces(shop):
    """Place three orders; expect every call on one of their traces, and calls to stock and pricing on each of them."""
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


def expect_failed_orders_rejected(shop):
    """Let stock fail; expect accepted orders to be rejected as failed, once, and again when they come again."""
    orders, context = shop.orders(3), "stock answers 503, and 3 orders come at once"
    shop.network.script("stock", [503] * 100)
    with shop.sut.observe() as seen:
        answers = shop.place_all(orders, context)
        outcomes = shop.outcomes(orders, answers, context)
    shop.network.script("stock", [])
    rejected = [order for order in orders if outcomes[order["id"]][0] not in REFUSED]
    for order in rejected:
        shop.expect_rejected(order, outcomes[order["id"]], "failed", context)
    traces = [answer.trace_id for order, answer in zip(orders, answers, strict=True) if order in rejected]
    expect_rejections(seen, f"{context}; {len(rejected)} of them are rejected:", "failed", traces)
    context = "stock answered 503 and is back, and the orders come again"
    again = shop.placed(orders, context)
    for order in rejected:
        shop.expect_rejected(order, again[order["id"]], "failed", context)
    shop.expect_one_outcome(orders, again, context)


def expect_rejections_of_repeated_orders(shop):
    """Place three orders for sold-out goods twice; expect three reports."""
    orders = shop.orders(3)
    with shop.sut.observe() as seen:
        answers = shop.place_all(orders, "3 orders of sold-out goods")
        shop.outcomes(orders, answers, "3 orders of sold-out goods")
        shop.outcomes(orders, shop.place_all(orders, "the 3 again"), "the 3 again")
    traces = [answer.trace_id for answer in answers]
    expect_rejections(seen, "3 orders of sold-out goods, each sent twice:", "sold out", traces)
