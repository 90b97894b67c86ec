"""Messages delivered while something goes wrong: what is left of them, and what is told of a decline."""

import contextlib
from collections import Counter
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import rule

from drill_katas import kit

from .oracle import DECLINED, MOVES, Bank, PaymentGateway, event, expect_money, expect_the_bank, open_ledger, order

MOST_DELIVERIES = 5
SPLIT = event("split", "10.00", account="alice", to=["shop", "tax"])


def deliveries(sut, method, message, trouble, told, declined=()):
    """Deliver a message with trouble at its worker's first step, at the second, and so on; and again until it is done.

    `trouble` is `sut.killed_before_step`, and then the next worker goes on, or one of the steps that fail. Yields what
    happened, beginning with `told`, and the ledger and gateway that are left.
    """
    for step in count(1):
        sut.begin_example()
        database, gateway = kit.database(), PaymentGateway(*declined)
        upstream = kit.upstream(gateway, client="Gateway")
        ledger, answer = open_ledger(sut, database, upstream), "pending"
        for type_ in MOVES:  # what is written, or seen, before the trouble must not be what stays
            ledger.apply(event(type_, "5.00", account=message["account"]))
        ledger.balance(message["account"], "USD")
        ledger.book("USD")
        try:
            with trouble(step) as met:
                answer = getattr(ledger, method)(message)
        except kit.Killed:
            ledger = open_ledger(sut, database, upstream)
        except kit.SutError:
            pass
        told_of_step = f"{told} {met} and " + ("delivered again:" if answer == "pending" else f"answered {answer}:")
        try:
            for delivery in range(2, MOST_DELIVERIES):
                if answer == "pending":
                    answer = getattr(ledger, method)(kit.events.again(message, delivery))
        except kit.SutError as error:
            raise AssertionError(f"{told_of_step} it raised {error.raised}") from error
        yield told_of_step, ledger, gateway
        if met.request is None:
            break


def whatever_fails(sut, method, message, told):
    """Deliver a message with each way of failing at each step."""
    yield from deliveries(sut, method, message, sut.failing_at_step, f"{told} failing")
    yield from deliveries(sut, method, message, sut.failing_from_step, f"{told} failing for good")
    yield from deliveries(sut, method, message, sut.unanswered_at_step, f"{told} carried out but not answered")


def openings(sut):
    """Open ledgers with trouble at the first step of it, at the second, and so on, and then again. Yields what was.

    One that opens all the same is not opened again: it has to serve.
    """
    for what, trouble in (
        ("the first worker was killed", sut.killed_before_step),
        ("the first opening failed", sut.failing_at_step),
        ("the first opening was carried out but not answered", sut.unanswered_at_step),
    ):
        for step in count(1):
            sut.begin_example()
            database, upstream = kit.database(), kit.upstream(PaymentGateway(), client="Gateway")
            ledger = None
            with contextlib.suppress(kit.Killed, kit.SutError), trouble(step) as met:
                ledger = open_ledger(sut, database, upstream)
            yield f"{what} {met}, then", ledger or open_ledger(sut, database, upstream)
            if met.request is None:
                break


def expect_a_whole_split(told, ledger, _):
    for account, held in (("alice", -1000), ("shop", 500), ("tax", 500)):
        expect_money(ledger.balance(account, "USD"), held, "USD", f"{told} {account}")
    expect_money(ledger.book("USD"), 0, "USD", f"{told} the book")


def expect_a_whole_order(told, ledger, gateway):
    assert len(gateway.charged) == 1, f"{told} the customer was charged {len(gateway.charged)} times"
    expect_money(ledger.balance("wallet", "USD"), 1000, "USD", f"{told} the account")
    expect_money(ledger.book("USD"), 1000, "USD", f"{told} the book")


def expect_one_decline(sut, step, troubled):
    """Deliver a declined order several times, with a failure at this step of delivery `troubled`, which is returned."""
    with open_ledger(sut, gateway=kit.upstream(PaymentGateway("6.66"), client="Gateway")) as ledger:
        with sut.observe() as seen:
            for delivery in range(1, troubled):
                ledger.checkout(kit.events.again(order("6.66"), delivery))
            with contextlib.suppress(kit.SutError), sut.failing_at_step(step) as failure:
                ledger.checkout(kit.events.again(order("6.66"), troubled))
            for delivery in (troubled + 1, troubled + 2):
                ledger.checkout(kit.events.again(order("6.66"), delivery))
        told = f"a declined order, failing {failure} of delivery {troubled} and delivered again:"
        DECLINED.expect(seen, told)
        return failure


def expect_report(sut, ledger, right, delivery, told_before):
    """Deliver a declined order, whose decline is reported with the first such answer, and only then."""
    with sut.observe() as seen:
        answer = ledger.checkout(kit.events.again(order("6.66"), delivery))
    told = f"an order that is declined, delivery {delivery}:"
    assert answer in right, f"{told} the answer is {answer}; it should be {' or '.join(right)}"
    told = f"a {answer} order, delivery {delivery}:"
    DECLINED.expect(seen, told, times=int(answer == "declined" and not told_before))
    return answer


class Night(kit.Machine):
    """A night of deliveries, with the worker killed and the gateway failing at any step."""

    def __init__(self):
        super().__init__()
        self.bank, self.gateway, self.database = Bank(), PaymentGateway(), kit.database()
        self.upstream = kit.upstream(self.gateway, client="Gateway")
        self.events, self.orders, self.ledger = [], [], None
        self.deliveries = Counter()

    @rule(type_=st.sampled_from(MOVES), kill=st.integers(0, 24))
    def an_event_arrives(self, type_, kill):
        number = len(self.events) + 1
        posting = event(type_, f"{number}.10", id=f"evt-{number}")
        self.events.append(posting)
        self.bank.post(posting)
        self.deliver("apply", posting, kill)

    @rule(kill=st.integers(0, 24), fault=st.sampled_from(kit.Fault))
    def an_order_arrives(self, kill, fault):
        number = len(self.orders) + 1
        purchase = order(f"{number}.10", number, account="shop")
        self.orders.append(purchase)
        self.bank.post(purchase | {"type": "payment"})
        self.upstream.script([fault])
        self.deliver("checkout", purchase, kill)

    @rule()
    def everything_is_delivered_again(self):
        """The topic is replayed, orders until they are settled; then the books must close."""
        for posting in self.events:
            self.deliver("apply", posting)
        for purchase in self.orders:
            answers = [self.deliver("checkout", purchase) for _ in range(2)]
            assert answers[-1] == "paid", f"{purchase['id']} comes again and is {answers[-1]}; it should be paid"
        charged, orders = len(self.gateway.charged), kit.plural(len(self.orders), "order")
        assert charged == len(self.orders), f"{orders}, and customers were charged {kit.plural(charged, 'time')}"
        if self.ledger:
            expect_the_bank(self.ledger, self.bank, "after a night of kills and redeliveries")

    def at_end(self):
        self.everything_is_delivered_again()

    def deliver(self, method, message, kill=0):
        self.deliveries[message["id"]] += 1
        message = kit.events.again(message, self.deliveries[message["id"]])
        try:
            self.ledger = self.ledger or open_ledger(self.sut, self.database, self.upstream)
            if not kill:
                return getattr(self.ledger, method)(message)
            with self.sut.killed_before_step(kill):
                return getattr(self.ledger, method)(message)
        except kit.Killed:
            self.ledger = None
