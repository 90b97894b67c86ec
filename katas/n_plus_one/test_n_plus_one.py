"""What the dashboard owes its readers. The contract these checks hold it to is in BRIEFING.md."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .between import (
    LINES,
    between_steps,
    expect_orders_all_or_none,
    expect_users_all_or_none,
    person,
)
from .oracle import (
    FAILED,
    SERVED,
    WITHIN,
    Shop,
    expect_prompt,
    orders_of,
    prices_of,
    shop_of,
    spoken,
)
from .price_service import CAP

MOST_SHOWN = 20  # characters of a query in a message


@pytest.mark.stage("symptom")
def test_dashboards_asked_for_together_are_all_answered(sut):
    """Twenty dashboards asked for at nine are all answered."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=12)
    growth = growth_of(sut, shop, {2: ids[:2], 12: ids}, "user")
    shop.database.round_trip, shop.service.latency = 0.002, 0.01
    holding = shop.service.holding = kit.Holding(shop.database)
    answers = shop.ask_together([ids] * 20, within=3)
    good = [answer for answer in answers if answer.status == 200]
    others = [spoken(answer) for answer in answers if answer.status != 200]
    sut.counted("dashboards of 20 that came within 3 s", len(good))
    sut.in_time(
        not others,
        f"of 20 dashboards asked for at nine o'clock {len(good)} came within 3 s; all should. One of the others "
        f"{''.join(others[:1])}. {f'{holding}. ' if str(holding) else ''}Asked for alone, {growth}",
        within=3,
    )
    for answer in answers:
        shop.expect(answer, ids, "asked for at nine o'clock")


@pytest.mark.stage("cause")
def test_the_statements_of_a_dashboard_do_not_grow_with_its_users(sut):
    """Statements do not grow with the users shown."""
    shop = Shop(sut, latency=0.0)
    expect_no_growth(
        sut, shop, {users: shop.fill(users=users, addresses=5, first=users * 100) for users in (2, 20, 100)}, "user"
    )


@pytest.mark.stage("cause")
def test_the_statements_of_a_dashboard_do_not_grow_with_its_orders(sut):
    """Statements do not grow with the orders shown."""
    shop = Shop(sut, latency=0.0)
    expect_no_growth(sut, shop, {many: shop.fill(users=1, orders=many, first=many) for many in (2, 40, 250)}, "order")


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


@pytest.mark.stage("cause")
def test_a_dashboard_fetches_the_rows_that_it_shows(sut):
    """A dashboard fetches the rows it shows, and no others."""
    shop = Shop(sut, latency=0.0)
    for of, every, orders, lines in ((110, 11, 10, 2), (360, 4, 1, 1)):
        ids = shop.fill(users=of, orders=orders, lines=lines, addresses=orders, first=of * 10)[::every]
        told = f"of {len(ids)} users among {len(shop.users)}"
        with shop.database.recorded() as statements:
            shop.expect(shop.ask(ids), ids, told)
        rows, shown = sum(statement.rows for statement in statements), shop.shown(ids)
        sut.counted(f"rows of a dashboard of {len(ids)} users", rows)
        assert rows <= 2 * shown, (
            f"a dashboard {told} shows {shown} users, addresses, orders and lines, and fetches {rows} rows; "
            f"it should be {2 * shown} at most. Most come from\n{kit.costliest(statements, lambda each: each.rows)}"
        )


@pytest.mark.stage("cause")
def test_a_dashboard_asks_for_a_price_once(sut):
    """A dashboard asks for each price once at most."""
    for users, lines, known in ((15, 2, 10), (10, 5, 120)):
        shop = Shop(sut, latency=0.0)
        ids = shop.fill(users=users, lines=lines, skus=known)
        skus = len(shop.skus(ids))
        for sku in sorted(shop.skus(ids))[:3]:
            del shop.service.prices[sku]
        shop.expect(shop.ask(ids), ids, f"of {users} users and {skus} SKUs, three of them without a price,")
        calls = len(shop.price_calls())
        sut.counted(f"price calls of a dashboard of {users} users", calls)
        assert calls <= skus, (
            f"a dashboard of {kit.plural(skus, 'SKU')} in {shop.count_lines(ids)} lines made "
            f"{kit.plural(calls, 'call')} to the price service; it should be one for each SKU at most"
        )
        expect_asked_once(shop, 0)
    apart = shop.fill_apart(101, first=2_000)
    for many in (50, 51, 101 - 1):
        before = len(shop.price_calls())
        shop.expect(shop.ask(apart[:many]), apart[:many], f"of {many} users with a SKU of their own each")
        expect_asked_once(shop, before)
    ids = shop.fill(users=3, orders=0, first=1_000)
    before = len(shop.price_calls())
    shop.network.partition("prices")
    shop.expect(shop.ask(ids), ids, "of users who have ordered nothing, while the price service is gone,")
    calls = len(shop.price_calls()) - before
    assert not calls, f"a dashboard without a line made {kit.plural(calls, 'call')} to the price service"


def expect_asked_once(shop, before):
    sku, times = shop.most_asked(before)
    assert times <= 1, f"for one dashboard the price service was asked for {sku} {times} times, none of which failed"


@pytest.mark.stage("cause")
def test_health_is_answered_while_prices_take_their_time(sut):
    """/health is answered while prices are slow."""
    shop = Shop(sut)
    ids = shop.fill(users=2, orders=1)
    shop.service.waits_for_health(shop.network)
    with kit.lag(shop.network, "dashboard"):
        shop.expect(shop.ask(ids), ids, "asked for while /health is asked")
    kept = shop.service.kept_waiting
    sut.in_time(
        kept is None,
        f"a price was asked for, and /health was not answered until it was there, {kept or 0:.1f} s later; "
        f"it should be, whatever else is under way",
        late=kept or 0,
    )


@pytest.mark.stage("cause")
def test_health_is_answered_while_the_database_takes_its_time(sut):
    """/health is answered while the database is slow."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=3)
    shop.database.round_trip = 0.25
    with kit.lag(shop.network, "dashboard") as lag:
        shop.ask_together([ids] * 8, within=3)
    expect_prompt(sut, lag, "dashboards are made on a slow database")
    with kit.lag(shop.network, "dashboard") as lag:
        shop.add([], [(ids[0], [("sku-late", 1)])])
        shop.fill(users=1, orders=0, first=1_000)
    expect_prompt(sut, lag, "an order is placed and a user added on a slow database")


@pytest.mark.stage("regression")
@given(day=st.lists(orders_of(), min_size=1, max_size=4), prices=prices_of())
@example(day=[[[("sku-1", 999_999_999_999_999)] * 2]], prices={"sku-1": "999999.999"})
@example(day=[[[("sku-1", number) for number in range(1, 601)]] * 4], prices={"sku-1": "0.001"})
@settings(max_examples=20)
def test_a_dashboard_is_exactly_what_was_ordered_at_its_prices(sut, day, prices):
    """A dashboard is exactly what was ordered, priced."""
    shop = shop_of(sut)
    shop.service.prices = prices
    users = [
        {"id": user, "name": f"O'Hara {user}", "addresses": [f"{user} Mill Lane"] * (user % 3)}
        for user in range(len(shop.users) + 1, len(shop.users) + len(day) + 1)
    ]
    orders = [(user["id"], lines) for user, placed in zip(users, day, strict=True) for lines in placed]
    shop.add(users, orders)
    ids = [user["id"] for user in users][::-1]
    shop.expect(shop.ask(ids), ids, f"asked for after {kit.plural(len(orders), 'order')}")


@pytest.mark.stage("regression")
def test_users_are_shown_as_asked_and_strangers_refused(sut):
    """Users are shown as asked for, and strangers refused."""
    shop = Shop(sut, latency=0.0)
    shop.fill(users=5)
    for ids in ([3, 1, 5], [2, 4, 2]):
        shop.expect(shop.ask(ids), ids, f"asked for {ids}")
    for query, right in (("user=3&user=77", 404), ("user=seven", 400), ("", 400), ("user=1&" * 101, 400)):
        told = query if len(query) <= MOST_SHOWN else f"{query[:MOST_SHOWN]}... ({query.count('user')} users)"
        answer = shop.network.ask("dashboard", "GET", f"/dashboard?{query}", within=WITHIN)
        assert answer.status == right, f"GET /dashboard?{told} {spoken(answer)}; it should be {right}"


@pytest.mark.stage("regression")
def test_what_is_new_shows_at_the_next_request(sut):
    """What is new shows at the next request."""
    shop = Shop(sut, latency=0.0, instances=("dashboard", "second"))
    ids = shop.fill(users=3, skus=4)
    for at in ("dashboard", "second"):
        for turn in range(2):
            shop.expect(shop.ask(ids, at), ids, f"of instance {at}, before anything changed,")
            shop.add([], [(ids[turn], [("sku-new", 2), ("sku-new", 1)])], at="second" if turn else "dashboard")
            shop.expect(shop.ask(ids, at), ids, f"of instance {at}, after an order was placed,")
            shop.service.prices |= {sku: f"{turn}.{number:03}" for number, sku in enumerate(sorted(shop.skus(ids)))}
            shop.expect(shop.ask(ids, at), ids, f"of instance {at}, after prices changed,")
    shop.add([], [(ids[0], [("sku-new", 5), ("sku-new", 3)])])
    sut.kill()
    shop.serve()
    shop.expect(shop.ask(ids), ids, "asked for after an order was placed and every instance was restarted at once,")
    stranger = shop.ask([77])
    assert stranger.status == 404, f"a dashboard of nobody {spoken(stranger)}; it should be 404"
    shop.fill(users=1, first=77, at="second")
    shop.expect(shop.ask([77]), [77], "of a user whom nobody knew, and the other instance has added since,")


@pytest.mark.stage("regression")
def test_a_price_that_has_changed_shows_while_others_wait(sut):
    """A changed price shows, whoever else is waiting."""
    shop = Shop(sut, latency=0.0)
    slow, ids = shop.fill_apart(1), shop.fill(users=1, skus=4, first=100)
    shop.service.slow = shop.skus(slow)
    waiting = shop.begin_to_ask(slow)
    shop.wait_for_calls(1)
    for number in (1, 2):
        shop.service.prices |= dict.fromkeys(shop.skus(ids), f"{number}.5")
        when = "before" if number == 1 else "after"
        shop.expect(shop.ask(ids), ids, f"asked for {when} its prices changed, while another waits for other prices,")
    shop.expect(waiting(), slow, "that waited for its price")


@pytest.mark.stage("stress")
def test_without_prices_a_dashboard_says_so(sut):
    """Without prices a dashboard says so, and recovers."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=3)
    shop.expect(shop.ask(ids), ids, "asked for while all is well")
    shop.network.script("prices", [503])
    answer = shop.ask(ids)
    if answer.status != 503:
        shop.expect(answer, ids, "asked for when one call for prices failed")
    for status in (503, 500, 429):
        shop.network.script("prices", [status] * 200)
        before = len(shop.price_calls())
        expect_unavailable(sut, shop.ask(ids), f"while the price service answers {status}")
        expect_tried_twice(shop, before, f"asked for while the price service answers {status}")
    shop.network.script("prices", [])
    shop.expect(shop.ask(ids), ids, "asked for when the price service has failed and is back")
    wide = shop.fill(users=20, orders=5, lines=4, skus=300, first=100)
    shop.network.script("prices", [None] + [503] * 1_000)
    expect_unavailable(
        sut, shop.ask(wide), f"of {len(shop.skus(wide))} SKUs, when the first call for prices is the last good one,"
    )
    shop.network.script("prices", [])
    shop.expect(shop.ask(ids), ids, "asked for when most calls for prices have failed and they are back")
    expect_all_told(sut, shop, ids, wide)


def expect_all_told(sut, shop, ids, wide):
    """Many who ask together are all told that there are no prices, and the price service is spared meanwhile."""
    pages = [wide, *([user] for user in shop.fill_apart(24, first=1_000))]
    others = f"asked for with {len(pages) - 1} others while the price service"
    shop.network.script("prices", [503] * 1_000)
    shop.network.delay("prices", 0.03)
    before = len(shop.price_calls())
    for answer in shop.ask_together(pages, within=5):
        expect_unavailable(sut, answer, f"{others} answers 503")
    expect_spared(shop, before, f"{others} answers 503")
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
    shop.expect(shop.ask(ids), ids, f"asked for when the price service is back, while {len(waiting)} others wait,")
    for answered in waiting:
        answered()
    shop.expect(shop.ask(ids), ids, "asked for when the price service is back")


def expect_tried_twice(shop, before, told):
    sku, times = shop.most_asked(before)
    assert times <= 2, f"for dashboards {told}, it gets {times} calls for {sku}; it should get 2 at most"


def expect_spared(shop, before, told):
    expect_tried_twice(shop, before, told)
    peak = shop.network.peak["prices"]
    assert peak <= CAP, f"for dashboards {told}, it had {peak} calls open at a time; it takes {CAP}"


def expect_unavailable(sut, answer, told):
    in_time = answer.status is not None
    sut.in_time(in_time, f"{told} the dashboard {spoken(answer)}; it should be 503, within 5 s", within=5)
    assert answer.status == 503, f"{told} the dashboard {spoken(answer)}; it should be 503, within 5 s"


@pytest.mark.stage("stress")
def test_fifty_at_once_are_right_and_the_price_service_is_spared(sut):
    """Fifty at once are right; the price service is spared."""
    shop = Shop(sut)
    wide = shop.fill(users=20, orders=1, lines=8, skus=300, first=100)  # little work: a busy machine has to do it, too
    ids = shop.fill(users=2, orders=1, skus=6)
    with shop.database.recorded() as alone:
        first = shop.ask(ids)
    with shop.database.recorded() as together:
        *answers, widest = shop.ask_together([ids] * 49 + [wide])
    peak = shop.network.peak["prices"]
    assert peak <= CAP, (
        f"with fifty dashboards asked for at once the price service had {peak} calls open at a time, and refused "
        f"{shop.service.refused}; it takes {CAP}"
    )
    shop.expect(first, ids, "asked for alone")
    shop.expect(widest, wide, "asked for with 49 others")
    for number, answer in enumerate(answers, 1):
        shop.expect(answer, ids, f"asked for with 49 others, number {number}:")
    most = 50 * len(alone) + shop.shown(wide) // 500
    assert len(together) <= most, (
        f"one dashboard of 2 users takes {len(alone)} statements, and fifty at once, of which one is of 20 users, "
        f"take {len(together)}; it should be {most} at most, since statements do not grow with users"
    )


@pytest.mark.stage("stress")
def test_an_order_shows_whole_or_not_at_all(sut):
    """An order shows whole or not at all."""
    shop = Shop(sut, latency=0.0, instances=("dashboard", "second"))
    ids = shop.fill_apart(200)

    def orders(step):
        return shop.place([(ids[-step], LINES), (ids[-step], LINES[:1])])

    with between_steps(sut, shop) as between:
        for told, users, placed, answer in between.orders_during_dashboards(ids):
            shop.expect(answer, users, f"before whose {told}", maybe=placed)
            shop.expect(shop.ask(users), users, f"asked for after another before whose {told}")
        for told, users, placed, answer in between.newcomers_during_dashboards(ids):
            if answer.status != 404:
                shop.expect(answer, users, f"before whose {told}", maybe=placed)
            shop.expect(shop.ask(users), users, f"asked for after another before whose {told}")
        for told, users, placed, answer in between.dashboards_during_writes(orders, lambda step: [ids[-step]]):
            shop.expect(answer, users, f"asked for before {told} of a POST /orders", maybe=placed)


@pytest.mark.stage("stress")
def test_what_is_answered_201_is_there_and_whole(sut):
    """What is answered 201 is there, else all of it or none."""
    shop = Shop(sut, latency=0.0, instances=("dashboard", "second"))
    with between_steps(sut, shop) as between:
        for told, users, there, answer in between.dashboards_during_writes(
            lambda step: shop.add_users([person(2 * step), person(2 * step + 1)]), lambda step: [2 * step + 1]
        ):
            if there is None or answer.status != 404:
                shop.expect(answer, users, f"asked for before {told} of the POST /users that adds its user")
    expect_users_all_or_none(sut, shop, lambda step: [person(500 + 2 * step), person(501 + 2 * step)])
    ids = shop.fill(users=120, orders=0, first=1_000)
    expect_orders_all_or_none(
        sut, shop, lambda step: [(ids[step], LINES), (ids[-step], LINES[1:]), (ids[step], LINES[:1])]
    )


@pytest.mark.stage("sla")
def test_a_dashboard_keeps_its_sla(sut, benchmark):
    """A dashboard takes little longer than its one wait."""
    shop = Shop(sut)
    ids = shop.fill(users=8, orders=3, lines=3, skus=44)
    shop.service.latency, shop.database.round_trip = 0.05, 0.005
    skus = sorted(shop.skus(ids))

    def control():
        """One call to the price service, three statements."""
        shop.network.ask("prices", "POST", "/prices", json={"skus": skus}, within=WITHIN)
        time.sleep(3 * shop.database.round_trip)

    kit.sla(
        sut,
        benchmark,
        lambda: shop.expect(shop.ask(ids), ids, "that is timed"),
        control,
        figure="dashboard_latency",
        rounds=9,
        seconds=3,
        what=f"a dashboard of 8 users and {len(skus)} SKUs",
    )


@pytest.mark.stage("trace")
def test_a_dashboard_is_counted_logged_and_followed_under_its_trace(sut):
    """A dashboard is counted and logged, on its trace."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=2)
    shop.service.latency, shop.database.round_trip = 0.1, 0.02
    with sut.observe() as seen:
        answer = shop.ask(ids)
    shop.service.latency = shop.database.round_trip = 0.0
    shop.expect(answer, ids, "that is observed")
    took = seen.increase("dashboard_seconds_sum")
    assert 0.11 <= took <= answer.seconds + 0.5, (
        f"dashboard_seconds observed {took:.3f} s for a dashboard that was answered after {answer.seconds:.3f} s, "
        f"0.1 s of it for a price and 0.02 s for every statement"
    )
    SERVED.expect(seen, "after a dashboard was answered 200,", trace_ids=[answer.trace_id])
    FAILED.expect(seen, "after a dashboard was answered 200,", times=0)
    calls = shop.price_calls()
    strange = [call for call in calls if call.trace_id != answer.trace_id]
    assert not strange, (
        f"of {kit.plural(len(calls), 'call')} to the price service {len(strange)} were not on the trace of the "
        f"request that made them"
    )
    apart = shop.fill_apart(8, first=100)
    answers = shop.ask_together([[user] for user in apart])
    shop.expect_on_their_traces([(answer, ids), *((each, [user]) for user, each in zip(apart, answers, strict=True))])
    others = shop.answered(503) + shop.answered(0)  # whose time may be taken, too
    SERVED.expect_ever(sut, "after dashboards were answered 200,", times=shop.answered(200), unseen=others)
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
        expect_unavailable(sut, answer, "asked for with 4 others, while the price service answers 503,")
    FAILED.expect(seen, "after five were answered 503 at once,", times=5, trace_ids=[each.trace_id for each in answers])
    FAILED.expect_ever(sut, "after dashboards were answered 503,", times=shop.answered(503), unseen=shop.answered(0))
