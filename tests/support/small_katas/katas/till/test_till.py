"""Three checks of the ledger's contract: enough for every cheat to be carried out, and quick."""

import pytest

from drill_katas import kit

from .oracle import DECLINES, Bank, PaymentGateway, event, expect_money, expect_the_bank, open_ledger, order


@pytest.mark.stage("symptom")
def test_an_unknown_account_holds_nothing(sut):
    """An unknown account holds nothing, written with the places of its currency."""
    with open_ledger(sut) as ledger:
        for currency, nothing in (("USD", "0.00"), ("JPY", "0"), ("BHD", "0.000")):
            answer = ledger.balance("nobody", currency)
            assert answer == nothing, f"an unknown account holds {answer} {currency}; it should be {nothing}"


@pytest.mark.stage("cause")
def test_a_replay_after_a_restart_changes_nothing(sut):
    """A topic replayed after a restart changes nothing."""
    database = kit.database()
    day = [event("payment", "8.00"), event("payment", "4.00"), event("refund", "2.00")]
    with open_ledger(sut, database) as ledger:
        for posting in day:
            ledger.apply(posting)
    sut.kill()
    with open_ledger(sut, database) as ledger:
        expect_money(ledger.book("USD"), 1000, "USD", "after 3 postings and a restart the book")
        expect_the_bank(ledger, Bank(*day), "after 3 postings and a restart")
        for posting in day:
            ledger.apply(kit.events.again(posting))
        expect_the_bank(ledger, Bank(*day), "after 3 postings, a restart and a replay")


@pytest.mark.stage("trace")
def test_a_decline_is_counted_and_logged_once(sut):
    """An order is paid or declined; each decline is counted and logged once, observed or not."""
    with open_ledger(sut, gateway=kit.upstream(PaymentGateway("6.66"), client="Gateway")) as ledger:
        expect_answer(ledger.checkout(order("12.50")), "paid")
        expect_money(ledger.balance("wallet", "USD"), 1250, "USD", "after an order of 12.50 the account")
        with sut.observe():
            expect_answer(ledger.checkout(order("6.66", 2)), "declined")
        expect_answer(ledger.checkout(order("6.66", 3)), "declined")
        DECLINES.expect_ever(sut, "two declined orders, the last of which nobody observes:", times=2)


def expect_answer(answer, right):
    assert answer == right, f"an order is {answer}; it should be {right}"
