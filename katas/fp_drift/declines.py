"""Declined orders: the count and the log line that each of them must leave."""

import contextlib

from drill_katas import kit

from .oracle import DECLINES, PaymentGateway, declined, open_ledger, order


def expect_report(sut, ledger, right, delivery, *, reported):
    """Deliver a declined order; expect a report with the first answer "declined" only. Return the answer."""
    with sut.observe() as seen:
        answer = ledger.checkout(kit.events.again(order("6.66"), delivery))
    context = f"an order that is declined, delivery {delivery}:"
    assert answer in right, f"{context} the answer is {answer}; it should be {' or '.join(right)}"
    context = f"a {answer} order, delivery {delivery}:"
    declined(order("6.66")).expect(seen, context, times=int(answer == "declined" and not reported))
    return answer


def expect_unobserved_report(sut, ledger):
    """Decline a second order outside of an observation; expect two reports in the whole check."""
    context = "two declined orders, the second of them not observed:"
    answer = ledger.checkout(order("6.66", 2))
    assert answer == "declined", f"{context} the answer is {answer}; it should be declined"
    DECLINES.expect_ever(sut, context, times=2)


def expect_one_report(sut, step, failing):
    """Deliver a declined order several times, with a failure at this step of delivery `failing`; return the failure."""
    with open_ledger(sut, gateway=kit.upstream(PaymentGateway("6.66"), client="Gateway")) as ledger:
        with sut.observe() as seen:
            for delivery in range(1, failing):
                ledger.checkout(kit.events.again(order("6.66"), delivery))
            with contextlib.suppress(kit.SutError), sut.failing_at_step(step) as failure:
                ledger.checkout(kit.events.again(order("6.66"), failing))
            for delivery in (failing + 1, failing + 2):
                ledger.checkout(kit.events.again(order("6.66"), delivery))
        declined(order("6.66")).expect(
            seen, f"a declined order, failing {failure} of delivery {failing} and delivered again:"
        )
        return failure


def expect_no_second_report(sut, step):
    """Kill the worker before this step of a declined order; expect one report at most; return what was killed."""
    database, upstream = kit.database(), kit.upstream(PaymentGateway("6.66"), client="Gateway")
    purchase, ledger = order("6.66", 100 + step), open_ledger(sut, database, upstream)
    try:
        with sut.killed_before_step(step) as kill:
            ledger.checkout(purchase)
    except kit.Killed:
        ledger = open_ledger(sut, database, upstream)
    for delivery in (2, 3):
        ledger.checkout(kit.events.again(purchase, delivery))
    declined(purchase).expect_at_most(sut, f"a declined order, killed {kill} and delivered again:")
    return kill.request
