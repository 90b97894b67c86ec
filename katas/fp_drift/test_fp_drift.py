"""What the wallet ledger owes its customers. The contract these checks hold it to is in BRIEFING.md."""

from itertools import chain, count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas import kit

from .deliveries import (
    MOST_DELIVERIES,
    SPLIT,
    Night,
    deliveries,
    expect_a_whole_order,
    expect_a_whole_split,
    expect_one_decline,
    expect_report,
    openings,
    whatever_fails,
)
from .oracle import (
    DECLINES,
    MOVES,
    NAMED_AFTER_ORDERS,
    NAMES,
    Bank,
    PaymentGateway,
    after,
    as_text,
    counts,
    event,
    events,
    expect_money,
    expect_the_bank,
    lists_of,
    open_ledger,
    order,
)


@pytest.mark.stage("symptom")
@given(day=lists_of(events(["USD"], MOVES, up_to=100), most=6, by=lambda item: item["amount"]))
def test_accounts_and_book_agree_with_the_bank(sut, day):
    """Accounts and book agree with the bank."""
    with open_ledger(sut) as ledger:
        for posting in day:
            ledger.apply(posting)
        expect_the_bank(ledger, Bank(*day), after(day))


@pytest.mark.stage("symptom")
def test_a_topic_replayed_after_a_restart_changes_nothing(sut):
    """A topic replayed after a restart changes nothing."""
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
def test_the_book_equals_the_sum_of_its_postings(sut, stream):
    """The book is the exact sum of its postings, always."""
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
def test_large_amounts_come_back_to_the_last_unit(sut, stream):
    """Amounts of 10^14 and more come back to the last unit."""
    with open_ledger(sut) as ledger:
        for posting in stream:
            ledger.apply(posting)
        expect_the_bank(ledger, Bank(*stream), after(stream))


@pytest.mark.stage("cause")
@given(fees=lists_of(events(types=["fee"])))
@example(fees=[event("fee", "107.00", rate="0.025"), event("fee", "1.00", rate="0.025")])
@example(fees=[event("fee", f"{odd}.00", rate="0.025") for odd in range(3, 200, 20)])
@example(fees=[event("fee", f"{odd}.000", "BHD", rate="0.0005") for odd in range(1, 20, 2)])
@example(fees=[event("fee", f"{odd}", "JPY", rate="0.025") for odd in range(20, 400, 40)])
@example(fees=[event("fee", "8007199254740993.01", rate="0.000012345678901")])
@example(fees=[event("fee", "1000000000000000.001", "BHD", rate="0.50000000001")])
@example(fees=[event("fee", "2165179070349513.777", "BHD", rate="0.935897607701713")])
@example(fees=[event("fee", "10000000000000.00", rate="32.612748349624466")])
@example(fees=[event("fee", "1.00", rate="0.575"), event("fee", "2.00", rate="0.0074999998")])
def test_fees_are_rounded_to_the_nearest_unit_and_ties_to_even(sut, fees):
    """Fees are rounded to the nearest unit, ties to even."""
    with open_ledger(sut) as ledger:
        for fee in fees:
            ledger.apply(fee)
        expect_the_bank(ledger, Bank(*fees), f"after {kit.plural(len(fees), 'fee')}")


@pytest.mark.stage("cause")
@given(whole=events(types=["split"]), parts=st.integers(1, 7))
@example(whole=event("split", "10.00", account="alice"), parts=3)
@example(whole=event("split", "0.02", account="alice"), parts=3)
@example(whole=event("split", "8007199254740993.01", account="alice"), parts=7)
def test_the_parts_of_a_split_add_up_to_the_whole(sut, whole, parts):
    """The parts of a split add up, and are fair."""
    currency, source = whole["currency"], whole["account"]
    to = [f"merchant-{number}" for number in range(parts)]
    with open_ledger(sut) as ledger:
        ledger.apply(whole | {"to": to})
        shares = [ledger.balance(account, currency) for account in to]
        told = f"{whole['amount']} {currency} split in {parts} gave {' + '.join(shares)}"
        assert sum(map(kit.money.exact, shares)) == kit.money.exact(whole["amount"]), f"{told}, which is not the whole"
        units = [kit.money.minor(share, currency) for share in shares]
        assert max(units) - min(units) <= 1, f"{told}, which is unfair"
        taken = -kit.money.minor(whole["amount"], currency)
        expect_money(ledger.balance(source, currency), taken, currency, "after a split the account it came from")
        expect_money(ledger.book(currency), 0, currency, "after a split the book")


@pytest.mark.stage("cause")
@given(moves=lists_of(events(types=MOVES), most=4), data=st.data())
def test_an_event_counts_once_however_often_it_is_delivered(sut, moves, data):
    """An event counts once, however often it is delivered."""
    day = [*moves, event("fee", "100.00", rate="0.025", id="evt-fee")]
    topic = data.draw(kit.events.deliveries(day))
    with open_ledger(sut) as ledger:
        for posting in topic:
            ledger.apply(posting)
        expect_the_bank(ledger, Bank(*day), f"{after(day)} in {kit.plural(len(topic), 'delivery', 'deliveries')}")


@pytest.mark.stage("regression")
@given(
    amount=kit.money.amounts("USD"),
    type_=st.sampled_from(MOVES),
    ids=st.sampled_from(kit.events.ALIKE),
)
def test_two_equal_events_are_two_events(sut, amount, type_, ids):
    """Events that differ only in their id all count."""
    day = [event(type_, amount, id=number) for number in ids]
    with open_ledger(sut) as ledger:
        for posting in day:
            ledger.apply(posting)
        expect_the_bank(ledger, Bank(*day), f"after two equal {type_}s, {as_text(ids)},")


@pytest.mark.stage("regression")
@given(ids=st.sampled_from(kit.events.ALIKE), accounts=st.just(("wallet", "wallet")))
@example(ids=("7-1", "1"), accounts=("shop", "shop-7"))
@example(ids=("71", "1"), accounts=("shop", "shop7"))
def test_two_equal_orders_are_two_orders(sut, ids, accounts):
    """Orders that differ only in their id are all paid."""
    gateway = PaymentGateway()
    with open_ledger(sut, gateway=kit.upstream(gateway, client="Gateway")) as ledger:
        orders = [order("10.00", id=number, account=account) for number, account in zip(ids, accounts, strict=True)]
        answers = [ledger.checkout(each) for each in orders]
        told = f"two equal orders, {as_text(ids)}, were {' and '.join(map(str, answers))}"
        assert len(gateway.charged) == 2, (
            f"{told}, and customers were charged {kit.plural(len(gateway.charged), 'time')}"
        )
        paid = [each | {"type": "payment"} for each in orders]
        expect_the_bank(ledger, Bank(*paid), f"{told}, and")
        names = [name.format(ids[0]) for name in NAMED_AFTER_ORDERS]
        named_alike = [event("payment", f"{units}.00", id=name) for units, name in enumerate(names, 1)]
        for posting in named_alike:
            ledger.apply(posting)
        expect_the_bank(ledger, Bank(*paid, *named_alike), f"{told}; after events like {names[0]}")


@pytest.mark.stage("regression")
@given(day=lists_of(events(types=MOVES), most=5), chance=st.randoms(use_true_random=False))
def test_the_order_of_delivery_changes_nothing(sut, day, chance):
    """The order of delivery changes no sum."""
    with open_ledger(sut) as ledger:
        for posting in chance.sample(day, len(day)):
            ledger.apply(kit.events.again(posting, delivery=chance.choice([1, 2, 100])))
        expect_the_bank(ledger, Bank(*day), f"{after(day)} in another order")
        for posting in day:
            ledger.apply(posting)
        expect_the_bank(ledger, Bank(*day), f"{after(day)} in another order, and the first deliveries last,")


@pytest.mark.stage("regression")
def test_money_is_written_with_the_places_of_its_currency(sut):
    """Money is written with the places of its currency."""
    with open_ledger(sut) as ledger:
        for currency, nothing, paid, written in (
            ("USD", "0.00", "7", "7.00"),
            ("EUR", "0.00", "7.5", "7.50"),
            ("JPY", "0", "7", "7"),
            ("BHD", "0.000", "7.25", "7.250"),
        ):
            answer = ledger.balance("nobody", currency)
            assert answer == nothing, f"an unknown account holds {answer} {currency}; it should be {nothing}"
            ledger.apply(event("payment", paid, currency))
            answer = ledger.balance("wallet", currency)
            assert answer == written, f"{paid} {currency} is written {answer}; the contract writes {written}"
            ledger.apply(event("refund", paid, currency))
            answer = ledger.balance("wallet", currency)
            assert answer == nothing, f"{paid} {currency} paid and refunded is {answer}; it should be {nothing}"


@pytest.mark.stage("regression")
def test_a_checkout_credits_what_was_charged(sut):
    """A checkout credits what was charged, and only that."""
    gateway = PaymentGateway("6.66")
    with open_ledger(sut, gateway=kit.upstream(gateway, client="Gateway")) as ledger:
        for number, (amount, currency, outcome) in enumerate(
            [
                ("12.50", "USD", "paid"),
                ("6.66", "USD", "declined"),
                ("12.50", "USD", "paid"),
                ("7", "EUR", "paid"),
                ("7", "JPY", "paid"),
                ("8007199254740993.001", "BHD", "paid"),
            ]
        ):
            answer = ledger.checkout(order(amount, number, currency=currency))
            assert answer == outcome, f"an order of {amount} {currency} is {answer}; it should be {outcome}"
        charged = [(2500, "USD"), (700, "EUR"), (7, "JPY"), (8007199254740993001, "BHD")]
        for right, currency in charged:
            paid = sum(units for units, of in gateway.charged if of == currency)
            expect_money(kit.money.text(paid, currency), right, currency, "of all charges together the gateway")
            expect_money(ledger.balance("wallet", currency), right, currency, "after the orders the account")
            expect_money(ledger.book(currency), right, currency, "after the orders the book")


@pytest.mark.stage("stress")
@given(faults=st.lists(st.sampled_from([kit.Fault.REQUEST_LOST, kit.Fault.REPLY_LOST]), min_size=1, max_size=8))
@example(faults=[kit.Fault.REPLY_LOST] * 60)
@settings(max_examples=20)
def test_an_order_without_an_answer_is_settled_when_it_comes_again(sut, faults):
    """An order without an answer is settled later."""
    gateway = PaymentGateway()
    upstream = kit.upstream(gateway, client="Gateway")
    upstream.script(faults)
    with open_ledger(sut, gateway=upstream) as ledger:
        answers = [
            ledger.checkout(kit.events.again(order("10.00"), delivery)) for delivery in range(1, len(faults) + 3)
        ]
        told = f"with {counts(faults)} the answers were {counts(answers)}"
        assert answers[-1] == "paid", f"{told}; in the end it should be paid"
        assert len(gateway.charged) == 1, f"{told}, and the customer was charged {len(gateway.charged)} times"
        expect_money(ledger.balance("wallet", "USD"), 1000, "USD", f"{told}, and the account")
        upstream.script([kit.Fault.REQUEST_LOST])
        answer = ledger.checkout(kit.events.again(order("10.00"), len(faults) + 3))
        assert answer == "paid", f"{told}; when it comes again the gateway does not answer, and it is {answer}"


@pytest.mark.stage("stress")
def test_an_event_is_whole_wherever_its_worker_is_killed(sut):
    """An event is whole, wherever its worker is killed."""
    for each in deliveries(sut, "apply", SPLIT, sut.killed_before_step, "a split of 10.00 in two, killed"):
        expect_a_whole_split(*each)


@pytest.mark.stage("stress")
def test_an_event_is_whole_whatever_fails(sut):
    """An event is whole, whatever fails."""
    for each in whatever_fails(sut, "apply", SPLIT, "a split of 10.00 in two,"):
        expect_a_whole_split(*each)


@pytest.mark.stage("stress")
def test_an_order_is_whole_wherever_its_worker_is_killed(sut):
    """An order is whole, wherever its worker is killed."""
    for each in deliveries(sut, "checkout", order("10.00"), sut.killed_before_step, "an order of 10.00, killed"):
        expect_a_whole_order(*each)


@pytest.mark.stage("stress")
def test_an_order_is_whole_whatever_fails(sut):
    """An order is whole, whatever fails."""
    for each in whatever_fails(sut, "checkout", order("10.00"), "an order of 10.00,"):
        expect_a_whole_order(*each)


@pytest.mark.stage("stress")
def test_a_ledger_whose_opening_was_cut_short_counts_once(sut):
    """A ledger is whole, wherever its first opening is cut short."""
    for told, ledger in openings(sut):
        paid = event("payment", "7.00", account="alice")
        for delivery in (1, 2):
            ledger.apply(kit.events.again(paid, delivery))
            ledger.checkout(kit.events.again(order("10.00"), delivery))
        expect_money(ledger.balance("alice", "USD"), 700, "USD", f"{told} an event came twice: its account")
        expect_money(ledger.balance("wallet", "USD"), 1000, "USD", f"{told} an order came twice: its account")


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_no_money_is_made_or_lost_in_a_night_of_kills(sut):
    """No money is made or lost in a night of kills."""
    kit.explore(Night, sut)


@pytest.mark.stage("stress")
@pytest.mark.timeout(40)
def test_an_event_is_remembered_through_a_busy_day(sut):
    """An event is remembered through a busy day."""
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
def test_the_work_of_a_posting_does_not_grow_with_history(sut):
    """The work of a posting does not grow with history."""
    database, first = kit.database(), event("payment", "7.00")
    rounds = []
    with open_ledger(sut, database) as ledger:
        ledger.apply(first)
        for number in range(1, 101):
            if number % 3 == 0:
                ledger.checkout(order("1.00", number))
            with database.recorded() as statements:
                ledger.apply(event("payment", f"{number}.00"))
                ledger.apply(event("fee", f"{number}.00", rate="0.025", account=f"wallet-{number}"))
                ledger.apply(event("split", f"{number}.00", to=["shop", "tax"]))
                ledger.apply(kit.events.again(first, delivery=1 + number))
            rounds.append(statements)
    expect_no_more(sut, rounds, "take {} statements", lambda _: 1)
    expect_no_more(sut, rounds, "fetch {} rows", lambda statement: statement.rows)
    expect_no_more(sut, rounds, "send and fetch {} bytes", lambda statement: statement.size, tolerance=1.3)
    expect_no_more(sut, rounds, "cost {} database instructions", lambda statement: statement.work, tolerance=1.2)


def expect_no_more(sut, rounds, what, cost, tolerance=1.1):
    early, late = (
        sum(cost(each) for statements in part for each in statements) for part in (rounds[5:50], rounds[55:])
    )
    sut.counted(f"{what.split()[-1]} of 45 late events of each kind", late)
    assert late <= early * tolerance, (
        f"45 events of each kind {what.format(early)} at the beginning of the day, and {late} at its end; "
        f"the statement that costs most there:\n{kit.costliest(chain(*rounds[55:]), cost)}"
    )


@pytest.mark.stage("trace")
def test_a_failed_checkout_is_counted_once_and_logged_once_under_its_trace(sut):
    """A decline is counted and logged once, on its trace."""
    database, upstream = kit.database(), kit.upstream(PaymentGateway("6.66"), client="Gateway")
    with open_ledger(sut, database, upstream) as ledger:
        upstream.script([kit.Fault.REPLY_LOST])
        asked_again = expect_report(sut, ledger, ["pending", "declined"], delivery=1, told_before=False) == "declined"
        expect_report(sut, ledger, ["declined"], delivery=2, told_before=asked_again)
        upstream.script([kit.Fault.REQUEST_LOST])
        expect_report(sut, ledger, ["declined"], delivery=3, told_before=True)
        upstream.script([])
        told = "declined orders, the last of which nobody observes:"
        answer = ledger.checkout(order("6.66", 2))
        assert answer == "declined", f"{told} the answer is {answer}; it should be declined"
        DECLINES.expect_ever(sut, told, times=2)
    sut.kill()
    with open_ledger(sut, database, upstream) as ledger:
        expect_report(sut, ledger, ["declined"], delivery=4, told_before=True)


@pytest.mark.stage("trace")
def test_a_failed_checkout_is_counted_once_and_logged_once_whatever_fails(sut):
    """A decline is counted and logged once, whatever fails."""
    for troubled in (1, 2):
        for step in count(1):
            sut.begin_example()
            if expect_one_decline(sut, step, troubled).request is None:
                break


@pytest.mark.stage("trace")
def test_a_failed_checkout_is_logged_no_more_than_once_killed_or_unheard(sut):
    """A decline is logged once at most, killed or unheard."""
    killed = deliveries(sut, "checkout", order("6.66"), sut.killed_before_step, "a declined order, killed", ["6.66"])
    unheard = deliveries(sut, "checkout", order("6.66"), sut.unanswered_at_step, "a declined order, unheard", ["6.66"])
    known = 0
    for told, ledger, _ in chain(killed, unheard):
        answer = ledger.checkout(kit.events.again(order("6.66"), MOST_DELIVERIES))
        assert answer == "declined", f"{told} in the end it is {answer}; it should be declined"
        lines = [each.line for each in sut.logs()[known:] if each.line.get("event") == "checkout failed"]
        assert len(lines) <= 1, f"{told} its decline is logged {kit.plural(len(lines), 'time')}"
        known = len(sut.logs())
