"""Checks of the wallet ledger. The contract is in BRIEFING.md."""

from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .declines import expect_no_second_report, expect_one_report, expect_report, expect_unobserved_report
from .deliveries import (
    SPLIT,
    Night,
    deliveries,
    deliveries_with_failures,
    expect_settled,
    expect_whole_order,
    expect_whole_split,
)
from .expectations import expect_fair_shares, expect_places, expect_purchases
from .history import expect_no_growth, rounds_of_postings
from .oracle import (
    MOVES,
    NAMES,
    Bank,
    PaymentGateway,
    after,
    as_text,
    event,
    events,
    expect_money,
    expect_raised,
    expect_sums,
    expect_the_bank,
    fees,
    lists_of,
    open_ledger,
    order,
)


@pytest.mark.stage("symptom")
@given(day=lists_of(events(["USD"], MOVES, up_to=100), most=6, by=lambda item: item["amount"]))
def test_accounts_and_book_agree_with_the_bank(sut, day):
    """Accounts and book agree with the bank."""
    expect_sums(sut, day, after(day))


@pytest.mark.stage("symptom")
def test_replay_after_restart_changes_nothing(sut):
    """A replay after a restart changes nothing."""
    database = kit.database()
    day = [event("payment", "8.00"), event("payment", "4.00"), event("refund", "2.00")]
    with open_ledger(sut, database) as ledger:
        for posting in day:
            ledger.apply(posting)
    sut.kill()
    with open_ledger(sut, database) as ledger:
        expect_the_bank(ledger, Bank(*day), "after 3 postings and a restart")
        for posting in day:
            ledger.apply(kit.events.again(posting))
        expect_the_bank(ledger, Bank(*day), "after 3 postings, a restart and a replay")


@pytest.mark.stage("cause")
@given(stream=lists_of(events()))
@example(stream=[event("payment", f"{number}.00", account=name) for number, name in enumerate(NAMES, 1)])
def test_book_equals_sum_of_postings(sut, stream):
    """The book is always the exact sum of its postings."""
    bank = Bank()
    with open_ledger(sut) as ledger:
        for number, posting in enumerate(stream, 1):
            ledger.apply(posting)
            bank.post(posting)
            currency = posting["currency"]
            expect_money(ledger.book(currency), bank.book(currency), currency, f"{after(stream[:number])} the book")
        expect_the_bank(ledger, bank, after(stream))


@pytest.mark.stage("cause")
@given(stream=lists_of(events(types=MOVES, at_least=10**14, up_to=10**15)))
@example(stream=[event("payment", "8007199254740993.01"), event("payment", "0.01")])
def test_large_amounts_stay_exact(sut, stream):
    """Amounts of 10^14 and more stay exact."""
    expect_sums(sut, stream, after(stream))


@pytest.mark.stage("cause")
@given(charged=lists_of(events(types=["fee"]) | fees()))
@example(charged=[event("fee", "107.00", rate="0.025"), event("fee", "1.00", rate="0.025")])
@example(charged=[event("fee", f"{odd}.00", rate="0.025") for odd in range(3, 200, 20)])
@example(charged=[event("fee", f"{odd}.000", "BHD", rate="0.0005") for odd in range(1, 20, 2)])
@example(charged=[event("fee", "20", "JPY", rate="0.025"), event("fee", "60", "JPY", rate="0.025")])
@example(charged=[event("fee", "8007199254740993.01", rate="0.000123")])
@example(charged=[event("fee", "5.00", rate="1"), event("fee", "5.00", rate="0")])
@example(charged=[event("fee", "5.00", rate="0.029001"), event("fee", "65000.00", rate="0.288737")])
def test_fees_round_ties_to_even(sut, charged):
    """Fees are rounded to the nearest unit, ties to even."""
    expect_sums(sut, charged, f"after {kit.plural(len(charged), 'fee')}")


@pytest.mark.stage("cause")
@given(whole=events(types=["split"]), parts=st.integers(1, 7))
@example(whole=event("split", "10.00", account="alice"), parts=3)
@example(whole=event("split", "0.02", account="alice"), parts=3)
@example(whole=event("split", "8007199254740993.01", account="alice"), parts=7)
def test_split_shares_add_up(sut, whole, parts):
    """The shares of a split add up and are fair."""
    to = [f"merchant-{number}" for number in range(parts)]
    with open_ledger(sut) as ledger:
        expect_fair_shares(ledger, whole, to)


@pytest.mark.stage("cause")
@given(moves=lists_of(events(types=MOVES), most=4), data=st.data())
def test_event_counts_once_however_often_delivered(sut, moves, data):
    """An event counts once, however often it is delivered."""
    day = [*moves, event("fee", "100.00", rate="0.025", id="evt-fee")]
    topic = data.draw(kit.events.deliveries(day))
    expect_sums(sut, topic, f"{after(day)} in {kit.plural(len(topic), 'delivery', 'deliveries')}")


@pytest.mark.stage("regression")
@given(amount=kit.money.amounts("USD"), type_=st.sampled_from(MOVES), ids=st.sampled_from(kit.events.ALIKE))
def test_two_equal_events_are_two_events(sut, amount, type_, ids):
    """Events that differ only in their id all count."""
    day = [event(type_, amount, id=number) for number in ids]
    expect_sums(sut, day, f"after two equal {type_}s, {as_text(ids)},")


@pytest.mark.stage("regression")
@given(ids=st.sampled_from(kit.events.ALIKE))
def test_two_equal_orders_are_two_orders(sut, ids):
    """Orders that differ only in their id are all paid."""
    gateway = PaymentGateway()
    with open_ledger(sut, gateway=kit.upstream(gateway, client="Gateway")) as ledger:
        orders = [order("10.00", id=number) for number in ids]
        answers = [ledger.checkout(each) for each in orders]
        seen = f"two equal orders, {as_text(ids)}, were {' and '.join(map(str, answers))}"
        charges = kit.plural(len(gateway.charged), "time")
        assert len(gateway.charged) == 2, f"{seen}, and customers were charged {charges}"
        expect_the_bank(ledger, Bank(*(each | {"type": "payment"} for each in orders)), f"{seen}, and")


@pytest.mark.stage("regression")
@given(day=lists_of(events(types=MOVES), most=5), chance=st.randoms(use_true_random=False))
def test_delivery_order_changes_nothing(sut, day, chance):
    """The order of delivery changes no balance."""
    with open_ledger(sut) as ledger:
        for posting in chance.sample(day, len(day)):
            ledger.apply(kit.events.again(posting, delivery=chance.choice([1, 2, 100])))
        expect_the_bank(ledger, Bank(*day), f"{after(day)} in another order")
        for posting in day:
            ledger.apply(posting)
        expect_the_bank(ledger, Bank(*day), f"{after(day)} in another order, and the first deliveries last,")


@pytest.mark.stage("regression")
def test_answers_have_the_currency_places(sut):
    """Answers have the places of their currency."""
    with open_ledger(sut) as ledger:
        expect_places(ledger)


@pytest.mark.stage("regression")
def test_a_checkout_credits_what_was_charged(sut):
    """A checkout credits the amount that was charged."""
    gateway = PaymentGateway("6.66")
    with open_ledger(sut, gateway=kit.upstream(gateway, client="Gateway")) as ledger:
        expect_purchases(ledger, gateway)


@pytest.mark.stage("stress")
@given(faults=st.lists(st.sampled_from([kit.Fault.REQUEST_LOST, kit.Fault.REPLY_LOST]), min_size=1, max_size=8))
@example(faults=[kit.Fault.REPLY_LOST] * 60)
@settings(max_examples=20)
def test_pending_order_is_settled_later(sut, faults):
    """A pending order is settled when it comes again."""
    gateway = PaymentGateway()
    upstream = kit.upstream(gateway, client="Gateway")
    upstream.script(faults)
    with open_ledger(sut, gateway=upstream) as ledger:
        expect_settled(ledger, gateway, faults)
        upstream.script([kit.Fault.REQUEST_LOST])
        answer = ledger.checkout(kit.events.again(order("10.00"), len(faults) + 3))
        assert answer == "paid", f"a paid order comes again while the gateway is silent, and is {answer}"


@pytest.mark.stage("stress")
def test_killed_worker_leaves_event_whole(sut):
    """A killed worker leaves no half-posted event."""
    for each in deliveries(sut, "apply", SPLIT, sut.killed_before_step, "a split of 10.00 in two, killed"):
        expect_whole_split(*each)


@pytest.mark.stage("stress")
def test_failed_statement_leaves_event_whole(sut):
    """A failed statement leaves no half-posted event."""
    for each in deliveries_with_failures(sut, "apply", SPLIT, "a split of 10.00 in two,"):
        expect_whole_split(*each)


@pytest.mark.stage("stress")
def test_impossible_calls_raise(sut):
    """A call that cannot do its work raises."""
    database = kit.database()
    with open_ledger(sut, database) as ledger:
        ledger.apply(event("payment", "7.00"))
        ledger.balance("wallet", "USD")
        ledger.apply(event("payment", "1.00"))
        expect_raised(ledger, "an event has the type chargeback", "apply", event("chargeback", "5.00"))
        with sut.failing_from_step(1):
            for method, *arguments in (("balance", "wallet", "USD"), ("book", "USD")):
                expect_raised(ledger, "the database is away", method, *arguments, right="8.00")
            expect_raised(ledger, "the database is away", "checkout", order("5.00"))
        expect_money(
            ledger.balance("wallet", "USD"), 800, "USD", "after calls that could not do their work the account"
        )


@pytest.mark.stage("stress")
def test_killed_worker_leaves_order_whole(sut):
    """A killed worker leaves no half-settled order."""
    for each in deliveries(sut, "checkout", order("10.00"), sut.killed_before_step, "an order of 10.00, killed"):
        expect_whole_order(*each)


@pytest.mark.stage("stress")
def test_failed_statement_leaves_order_whole(sut):
    """A failed statement leaves no half-settled order."""
    for each in deliveries_with_failures(sut, "checkout", order("10.00"), "an order of 10.00,"):
        expect_whole_order(*each)


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_kills_neither_create_nor_lose_money(sut):
    """A night of kills neither creates nor loses money."""
    kit.explore(Night, sut)


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_old_event_still_counts_once(sut):
    """An event counts once, even 1,200 events later."""
    database, first, busy = kit.database(), event("payment", "7.00"), 1_200
    with open_ledger(sut, database) as ledger:
        ledger.apply(first)
        for _ in range(busy):
            ledger.apply(event("payment", "1.00", account="shop"))
        ledger.apply(kit.events.again(first))
        expect_money(ledger.balance("wallet", "USD"), 700, "USD", f"{busy} postings later it comes again: its account")
        expect_money(ledger.balance("shop", "USD"), busy * 100, "USD", f"after {busy} postings of 1.00 their account")
    sut.kill()
    with open_ledger(sut, database) as ledger:
        ledger.apply(kit.events.again(first, delivery=100))
        expect_money(ledger.balance("wallet", "USD"), 700, "USD", f"{busy} postings and a restart later: its account")


@pytest.mark.stage("sla")
def test_work_does_not_grow_with_history(sut):
    """The work of a posting does not grow with history."""
    expect_no_growth(sut, rounds_of_postings(sut, 100))


@pytest.mark.stage("trace")
def test_decline_is_reported_once(sut):
    """A decline is counted and logged once, on its trace."""
    database, upstream = kit.database(), kit.upstream(PaymentGateway("6.66"), client="Gateway")
    with open_ledger(sut, database, upstream) as ledger:
        upstream.script([kit.Fault.REPLY_LOST])
        tried_again = expect_report(sut, ledger, ["pending", "declined"], delivery=1, reported=False) == "declined"
        expect_report(sut, ledger, ["declined"], delivery=2, reported=tried_again)
        upstream.script([kit.Fault.REQUEST_LOST])
        expect_report(sut, ledger, ["declined"], delivery=3, reported=True)
        upstream.script([])
        expect_unobserved_report(sut, ledger)
    sut.kill()
    with open_ledger(sut, database, upstream) as ledger:
        expect_report(sut, ledger, ["declined"], delivery=4, reported=True)


@pytest.mark.stage("trace")
def test_decline_is_reported_once_despite_failures(sut):
    """A decline is reported once, whatever fails."""
    for delivery in (1, 2):
        for step in count(1):
            sut.begin_example()
            if expect_one_report(sut, step, delivery).request is None:
                break
    for step in count(1):
        sut.begin_example()
        if expect_no_second_report(sut, step) is None:
            break
