"""Longer expectations: growth, health, price calls, and reports."""

from http import HTTPStatus

from drill_katas import kit

from .oracle import spoken
from .price_service import CAP, skus_of

MOST_TRIES = 2  # of a price call, if the first one fails
PROMPT = 0.5  # seconds for an answer of /health
SERVED = kit.ErrorReport("dashboard_seconds_count", labels={}, line={"event": "dashboard served", "level": "info"})
FAILED = kit.ErrorReport(
    "dashboard_failures_total",
    labels={"reason": "prices"},
    line={"event": "dashboard failed", "level": "error", "reason": "prices"},
)


def expect_no_growth(sut, shop, pages, what):
    growth = growth_of(sut, shop, pages, what)
    fewest = len(growth.recorded[min(pages)])
    for size, ids in pages.items():
        more = len(growth.recorded[size]) - fewest
        assert more <= shop.shown(ids) // 500, (
            f"the number of statements of a dashboard should not grow with its {what}s: {growth}"
        )


def growth_of(sut, shop, pages, what):
    recorded = {}
    for size, ids in pages.items():
        with shop.database.recorded() as statements:
            shop.expect(shop.ask(ids), ids, f"of {kit.plural(size, what)}")
        recorded[size] = statements
    sut.counted(f"statements of a dashboard of {kit.plural(max(pages), what)}", len(recorded[max(pages)]))
    return kit.Growth(recorded, what)


def expect_asked_once(shop, before):
    sku, times = shop.most_asked(before)
    assert times <= 1, (
        f"for one dashboard, the price service got {times} calls for {sku}, none of which failed; it should get one"
    )


def expect_prompt(sut, lag, context):
    assert not lag.failed, f"while {context}, /health fails {kit.plural(lag.failed, 'time')}; it should answer 200"
    sut.in_time(
        lag.max <= PROMPT,
        f"while {context}, /health is answered after up to {lag.max:.1f} s (p95 {lag.p95:.1f} s); it should be within "
        f"{PROMPT:g} s",
        late=lag.max - PROMPT,
    )


def expect_everybody_unavailable(sut, shop, ids, wide):
    """Request many dashboards at once, while the price service fails and while it is silent; expect 503 for each."""
    pages = [wide, *([user] for user in shop.fill_apart(24, first=1_000))]
    others = f"requested with {len(pages) - 1} others while the price service"
    shop.network.script("prices", [503] * 1_000)
    shop.network.delay("prices", 0.03)
    before = len(shop.price_calls())
    for answer in shop.ask_together(pages, within=5):
        expect_unavailable(sut, answer, f"{others} answers 503")
    expect_tried_twice(shop, before, f"{others} answers 503")
    expect_limit_kept(shop, f"for dashboards {others} answers 503, it")
    shop.network.script("prices", [])
    shop.network.delay("prices", 0)
    shop.network.partition("prices")
    sut.on_time()
    before = len(shop.price_calls())
    with kit.lag(shop.network, "dashboard") as lag:
        answers = shop.ask_together(pages, within=5)
    for answer in answers:
        expect_unavailable(sut, answer, f"{others} is silent")
    expect_prompt(sut, lag, "the price service is silent")
    expect_tried_twice(shop, before, f"{others} is silent")
    waiting = [shop.begin_to_ask(page) for page in pages[1:8]]
    shop.wait_for_calls(CAP)
    shop.network.heal("prices")
    shop.expect(shop.ask(ids), ids, f"requested when the price service is back, while {len(waiting)} others wait,")
    for answered in waiting:
        answered()
    shop.expect(shop.ask(ids), ids, "requested when the price service is back")


def expect_successes_kept(shop, before):
    """Expect no call for a SKU after a successful call for it."""
    known = set()
    for call in sorted(shop.price_calls()[before:], key=lambda call: call.began):
        again = sorted(known & skus_of(call))
        assert not again, (
            f"for one dashboard, the price service answered a call for {again[0]} and got another call for it; only "
            f"the SKUs of a failed call may be asked for again"
        )
        if call.status == HTTPStatus.OK:
            known |= skus_of(call)


def expect_no_prices_needed(shop, ids, new):
    """While the price service fails, expect the new user without orders to be shown, and an unknown user to be 404."""
    empty = shop.fill(users=1, orders=0, first=new)
    shop.expect(shop.ask(empty), empty, "of a user without orders, requested while the price service fails,")
    answer = shop.ask([*ids, 77_777])
    assert answer.status == HTTPStatus.NOT_FOUND, (
        f"while the price service fails, a dashboard with an unknown user {spoken(answer)}; it should be 404"
    )


def expect_tried_twice(shop, before, context):
    sku, times = shop.most_asked(before)
    assert times <= MOST_TRIES, (
        f"for dashboards {context}, it got {times} calls for {sku}; it should get {MOST_TRIES} at most"
    )


def expect_limit_kept(shop, context):
    peak = shop.network.peak["prices"]
    assert peak <= CAP, f"{context} had {peak} calls open at a time; its limit is {CAP}"


def expect_observed_time(seen, answer, at_least):
    took = seen.increase("dashboard_seconds_sum")
    assert at_least <= took <= answer.seconds + 0.5, (
        f"dashboard_seconds observed {took:.3f} s for a dashboard that was answered after {answer.seconds:.3f} s; it "
        f"cannot take less than {at_least} s"
    )


def expect_unavailable(sut, answer, context):
    in_time = answer.status is not None
    sut.in_time(in_time, f"{context} the dashboard {spoken(answer)}; it should be 503, within 5 s", within=5)
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE, (
        f"{context} the dashboard {spoken(answer)}; it should be 503, within 5 s"
    )


def expect_on_trace(shop, answer):
    """Expect every price call so far on the trace of this request."""
    calls = shop.price_calls()
    lost = [call for call in calls if call.trace_id != answer.trace_id]
    assert not lost, (
        f"of {kit.plural(len(calls), 'call')} to the price service {len(lost)} were not on the trace of the request "
        f"that made them"
    )


def expect_on_their_traces(shop, answered):
    """Expect every price call on the trace of an answer that shows one of its SKUs."""
    shown = {answer.trace_id: shop.skus(ids) for answer, ids in answered}
    strange = [call for call in shop.price_calls() if not skus_of(call) & shown.get(call.trace_id, set())]
    assert not strange, (
        f"of {kit.plural(len(shop.price_calls()), 'call')} to the price service {len(strange)} were on no trace of "
        f"a request that shows what they ask for"
    )


def expect_failures_reported(sut, shop, ids):
    """Let the price service fail; expect each 503 to be counted once and logged once, on its trace."""
    shop.network.script("prices", [503] * 1_000)
    shop.ask(ids)
    with sut.observe() as seen:
        answer = shop.ask(ids)
    expect_unavailable(sut, answer, "while the price service answers 503")
    FAILED.expect(seen, "after a dashboard was answered 503,", trace_ids=[answer.trace_id])
    shop.network.delay("prices", 0.05)
    with sut.observe() as seen:
        answers = shop.ask_together([ids] * 5)
    for answer in answers:
        expect_unavailable(sut, answer, "with 4 others, while the price service answers 503,")
    FAILED.expect(seen, "after five were answered 503 at once,", times=5, trace_ids=[each.trace_id for each in answers])
    for answer in shop.ask_together([[user] for user in shop.fill_apart(24, first=3_000)]):
        expect_unavailable(sut, answer, "with 23 others, while the price service answers 503,")
    FAILED.expect_ever(sut, "after dashboards were answered 503,", times=shop.answered(503), unseen=shop.answered(0))


def expect_fifty_answered(shop, ids, wide):
    """Request fifty dashboards at once; expect each to be answered, and none to take more statements than alone."""
    with shop.database.recorded() as alone:
        first = shop.ask(ids)
    with shop.database.recorded() as together:
        *answers, widest = shop.ask_together([ids] * 49 + [wide])
    expect_limit_kept(shop, "with fifty dashboards at once, the price service")
    shop.expect(first, ids, "requested alone")
    shop.expect(widest, wide, "requested with 49 others")
    for number, answer in enumerate(answers, 1):
        shop.expect(answer, ids, f"requested with 49 others, number {number}:")
    most = 50 * len(alone) + shop.shown(wide) // 500
    assert len(together) <= most, (
        f"one dashboard of 2 users takes {len(alone)} statements, and fifty at once, one of them with 20 users, "
        f"take {len(together)}; they should take {most} at most"
    )
