"""Checks of the dashboard. The contract is in BRIEFING.md."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .expectations import (
    FAILED,
    SERVED,
    expect_asked_once,
    expect_everybody_unavailable,
    expect_failures_reported,
    expect_fifty_answered,
    expect_no_growth,
    expect_no_prices_needed,
    expect_observed_time,
    expect_on_their_traces,
    expect_on_trace,
    expect_prompt,
    expect_successes_kept,
    expect_tried_twice,
    expect_unavailable,
    growth_of,
)
from .failures import (
    PRICES,
    expect_complete_or_error,
    expect_orders_all_or_none,
    expect_users_all_or_none,
    person,
)
from .oracle import WITHIN, Shop, orders_of, prices_of, shop_of, spoken


@pytest.mark.stage("symptom")
def test_twenty_dashboards_at_nine_are_answered(sut):
    """Twenty dashboards at nine are all answered."""
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
        f"of 20 dashboards requested at nine o'clock, {len(good)} were answered within 3 s; all should be. One of the "
        f"others {''.join(others[:1])}. {f'{holding}. ' if str(holding) else ''}For one dashboard alone, {growth}",
        within=3,
    )
    for answer in answers:
        shop.expect(answer, ids, "requested at nine o'clock")


@pytest.mark.stage("cause")
def test_statements_do_not_grow_with_users(sut):
    """Statements do not grow with the users shown."""
    shop = Shop(sut, latency=0.0)
    pages = {users: shop.fill(users=users, addresses=5, first=users * 100) for users in (2, 20, 100)}
    expect_no_growth(sut, shop, pages, "user")


@pytest.mark.stage("cause")
def test_statements_do_not_grow_with_orders(sut):
    """Statements do not grow with the orders shown."""
    shop = Shop(sut, latency=0.0)
    expect_no_growth(sut, shop, {many: shop.fill(users=1, orders=many, first=many) for many in (2, 40, 250)}, "order")


@pytest.mark.stage("cause")
def test_dashboard_fetches_only_shown_rows(sut):
    """A dashboard fetches only the rows that it shows."""
    shop = Shop(sut, latency=0.0)
    for of, every, orders, lines in ((110, 11, 10, 2), (360, 4, 1, 1)):
        ids = shop.fill(users=of, orders=orders, lines=lines, addresses=orders, first=of * 10)[::every]
        context = f"of {len(ids)} users among {len(shop.users)}"
        with shop.database.recorded() as statements:
            shop.expect(shop.ask(ids), ids, context)
        rows, shown = sum(statement.rows for statement in statements), shop.shown(ids)
        sut.counted(f"rows of a dashboard of {len(ids)} users", rows)
        assert rows <= 2 * shown, (
            f"a dashboard {context} shows {shown} users, addresses, orders and lines, and fetches {rows} rows; "
            f"it should be {2 * shown} at most. Most come from\n{kit.costliest(statements, lambda each: each.rows)}"
        )


@pytest.mark.stage("cause")
def test_dashboard_asks_each_price_once(sut):
    """A dashboard asks for each price once."""
    for users, lines, known in ((15, 2, 10), (10, 5, 120)):
        shop = Shop(sut, latency=0.0)
        ids = shop.fill(users=users, lines=lines, skus=known)
        skus = len(shop.skus(ids))
        for sku in sorted(shop.skus(ids))[:3]:
            del shop.service.prices[sku]
        shop.expect(shop.ask(ids), ids, f"of {users} users and {skus} SKUs, three of them unknown,")
        calls = len(shop.price_calls())
        sut.counted(f"price calls of a dashboard of {users} users", calls)
        assert calls <= skus, (
            f"a dashboard of {kit.plural(skus, 'SKU')} in {shop.count_lines(ids)} lines made "
            f"{kit.plural(calls, 'call')} to the price service; it should make one for each SKU at most"
        )
        expect_asked_once(shop, 0)
    apart = shop.fill_apart(101, first=2_000)
    for many in (50, 51, 101 - 1):
        before = len(shop.price_calls())
        shop.expect(shop.ask(apart[:many]), apart[:many], f"of {many} users with one SKU each")
        expect_asked_once(shop, before)


@pytest.mark.stage("cause")
def test_health_answers_while_prices_are_slow(sut):
    """/health is answered while prices are slow."""
    shop = Shop(sut)
    ids = shop.fill(users=2, orders=1)
    shop.service.waits_for_health(shop.network)
    with kit.lag(shop.network, "dashboard"):
        shop.expect(shop.ask(ids), ids, "requested while /health is requested")
    kept = shop.service.kept_waiting
    sut.in_time(
        kept is None,
        f"/health was not answered until a price had arrived, {kept or 0:.1f} s later; it should be answered meanwhile",
        late=kept or 0,
    )
    shop.service.latency = 1.1
    shop.expect(shop.ask(ids), ids, "requested while a price takes 1.1 s")


@pytest.mark.stage("cause")
def test_health_answers_while_database_is_slow(sut):
    """/health is answered while the database is slow."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=3)
    shop.database.round_trip = 0.25
    with kit.lag(shop.network, "dashboard") as lag:
        shop.ask_together([ids] * 8, within=3)
    expect_prompt(sut, lag, "the database is slow and dashboards are requested")
    with kit.lag(shop.network, "dashboard") as lag:
        shop.add([], [(ids[0], [("sku-late", 1)])])
        shop.fill(users=1, orders=0, first=1_000)
    expect_prompt(sut, lag, "the database is slow and an order and a user are added")


@pytest.mark.stage("regression")
@given(day=st.lists(orders_of(), min_size=1, max_size=4), prices=prices_of())
@example(day=[[[("sku-1", 999_999_999_999_999)] * 2]], prices={"sku-1": "999999.999"})
@settings(max_examples=20)
def test_dashboard_shows_orders_and_exact_totals(sut, day, prices):
    """A dashboard shows the orders, with exact totals."""
    shop = shop_of(sut)
    shop.service.prices = prices
    first = len(shop.users) + 1
    users = [person(user) | {"name": f"O'Hara {user}"} for user in range(first, first + len(day))]
    orders = [(user["id"], lines) for user, placed in zip(users, day, strict=True) for lines in placed]
    shop.add(users, orders)
    ids = [user["id"] for user in users][::-1]
    shop.expect(shop.ask(ids), ids, f"requested after {kit.plural(len(orders), 'order')}")


@pytest.mark.stage("regression")
def test_requested_users_are_shown_or_refused(sut):
    """Users are shown in the requested order, or refused."""
    shop = Shop(sut, latency=0.0, instances=("dashboard", "second"))
    shop.fill(users=5)
    for ids in ([3, 1, 5], [2, 4, 2]):
        shop.expect(shop.ask(ids), ids, f"requested for the users {ids}")
    for query, right in (("user=3&user=77", 404), ("user=seven", 400), ("", 400), ("user=1&" * 101, 400)):
        answer = shop.network.ask("dashboard", "GET", f"/dashboard?{query}", within=WITHIN)
        assert answer.status == right, f"GET /dashboard?{query[:20]} {spoken(answer)}; it should be {right}"
    shop.add([person(77)], [], at="second")
    shop.expect(shop.ask([77]), [77], "of user 77, who was unknown and then added,")


@pytest.mark.stage("regression")
def test_changes_show_in_next_dashboard(sut):
    """New orders and prices show in the next dashboard."""
    shop = Shop(sut, latency=0.0, instances=("dashboard", "second"))
    ids = shop.fill(users=3, skus=4)
    for at in ("dashboard", "second"):
        for turn in range(2):
            shop.expect(shop.ask(ids, at), ids, f"of instance {at}, before a change,")
            shop.add([], [(ids[turn], [("sku-new", 2), ("sku-new", 1)])], at="second" if turn else "dashboard")
            shop.expect(shop.ask(ids, at), ids, f"of instance {at}, after an order was placed,")
            shop.service.prices |= {sku: f"{turn}.{number:03}" for number, sku in enumerate(sorted(shop.skus(ids)))}
            shop.expect(shop.ask(ids, at), ids, f"of instance {at}, after prices changed,")
    shop.add([], [(ids[0], [("sku-new", 5), ("sku-new", 3)])])
    sut.kill()
    shop.serve()
    shop.expect(shop.ask(ids), ids, "requested after an order and a restart of every instance,")


@pytest.mark.stage("stress")
def test_dashboard_is_503_without_prices(sut):
    """Without prices a dashboard is 503, and it recovers."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=3)
    shop.expect(shop.ask(ids), ids, "requested while the price service is well")
    shop.network.script("prices", [503])
    answer = shop.ask(ids)
    if answer.status != 503:
        shop.expect(answer, ids, "requested when one price call fails")
    for status in (503, 500, 429):
        shop.network.script("prices", [status] * 200)
        before = len(shop.price_calls())
        expect_unavailable(sut, shop.ask(ids), f"while the price service answers {status}")
        expect_tried_twice(shop, before, f"requested while the price service answers {status}")
        expect_no_prices_needed(shop, ids, new=5_000 + status)
    shop.network.script("prices", [])
    shop.expect(shop.ask(ids), ids, "requested when the price service is back")
    wide = shop.fill(users=20, orders=5, lines=4, skus=300, first=100)
    shop.network.script("prices", [None] + [503] * 1_000)
    before = len(shop.price_calls())
    expect_unavailable(sut, shop.ask(wide), f"of {len(shop.skus(wide))} SKUs, when only the first price call succeeds,")
    expect_successes_kept(shop, before)
    shop.network.script("prices", [])
    shop.expect(shop.ask(ids), ids, "requested when most price calls have failed and the service is back")
    expect_everybody_unavailable(sut, shop, ids, wide)


@pytest.mark.stage("stress")
def test_dashboard_is_complete_or_an_error(sut):
    """When a statement fails, a dashboard is complete or an error."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=3)
    expect_complete_or_error(sut, shop, ids)


@pytest.mark.stage("stress")
def test_fifty_dashboards_respect_the_price_limit(sut):
    """Fifty dashboards respect the price service's limit."""
    shop = Shop(sut, latency=0.04)  # long enough for calls to overlap on a busy machine
    wide = shop.fill(users=20, orders=1, lines=8, skus=300, first=100)  # small, for busy machines
    ids = shop.fill(users=2, orders=1, skus=6)
    expect_fifty_answered(shop, ids, wide)


@pytest.mark.stage("stress")
def test_post_stores_everything_or_nothing(sut):
    """A POST stores everything or nothing."""
    shop = Shop(sut, latency=0.0, instances=("dashboard", "second"))
    shop.service.prices |= PRICES
    expect_users_all_or_none(sut, shop, lambda turn: [person(500 + 2 * turn), person(501 + 2 * turn)])
    for many, first in ((1, 1_000), (120, 2_000)):
        ids = shop.fill(users=120, orders=0, first=first)
        expect_orders_all_or_none(sut, shop, ids, many)


@pytest.mark.stage("sla")
def test_a_dashboard_keeps_its_sla(sut, benchmark):
    """A dashboard keeps its latency limit."""
    shop = Shop(sut)
    ids = shop.fill(users=8, orders=3, lines=3, skus=44)
    shop.service.latency, shop.database.round_trip = 0.05, 0.005
    skus = sorted(shop.skus(ids))

    def control():
        shop.network.ask("prices", "POST", "/prices", json={"skus": skus}, within=WITHIN)
        time.sleep(3 * shop.database.round_trip)

    kit.sla(
        sut,
        benchmark,
        lambda: shop.expect(shop.ask(ids), ids, "whose time is measured"),
        control,
        figure="dashboard_latency",
        rounds=9,
        seconds=3,
        what=f"a dashboard of 8 users and {len(skus)} SKUs",
    )


@pytest.mark.stage("trace")
def test_dashboard_is_reported_on_its_trace(sut):
    """A dashboard is counted and logged on its trace."""
    shop = Shop(sut, latency=0.0)
    ids = shop.fill(users=2)
    shop.service.latency, shop.database.round_trip = 0.3, 0.02
    with sut.observe() as seen:
        answer = shop.ask(ids)
    shop.service.latency = shop.database.round_trip = 0.0
    shop.expect(answer, ids, "under observation")
    expect_observed_time(seen, answer, at_least=0.31)  # a price takes 0.3 s, a statement 0.02 s
    SERVED.expect(seen, "after a dashboard was answered 200,", trace_ids=[answer.trace_id])
    FAILED.expect(seen, "after a dashboard was answered 200,", times=0)
    expect_on_trace(shop, answer)
    apart = shop.fill_apart(8, first=100)
    answers = shop.ask_together([[user] for user in apart])
    expect_on_their_traces(shop, [(answer, ids), *((each, [user]) for user, each in zip(apart, answers, strict=True))])
    others = shop.answered(503) + shop.answered(0)  # dashboards that may be observed, too
    SERVED.expect_ever(sut, "after dashboards were answered 200,", times=shop.answered(200), unseen=others)
    expect_failures_reported(sut, shop, ids)
