"""Messages that are delivered while workers are killed and statements fail, and their effects."""

from collections import Counter
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import rule

from drill_katas import kit

from .oracle import MOVES, Bank, PaymentGateway, counts, event, expect_money, expect_the_bank, open_ledger, order

MOST_DELIVERIES = 5
SPLIT = event("split", "10.00", account="alice", to=["shop", "tax"])


def deliveries(sut, method, message, trouble, context):
    """Deliver a message with trouble at step 1, then at step 2, and so on; each time again until it is settled.

    `trouble` is `sut.killed_before_step` (the next worker takes over) or a failure of one step. Yields a description
    that begins with `context`, the ledger, and the gateway.
    """
    for step in count(1):
        sut.begin_example()
        database, gateway = kit.database(), PaymentGateway()
        upstream = kit.upstream(gateway, client="Gateway")
        ledger, answer = open_ledger(sut, database, upstream), "pending"
        for type_ in MOVES:  # a cache must not keep the balances of this moment
            ledger.apply(event(type_, "5.00", account=message["account"]))
        ledger.balance(message["account"], "USD")
        ledger.book("USD")
        try:
            with trouble(step) as met:
                answer = getattr(ledger, method)(message)
        except kit.Killed:
            ledger = open_ledger(sut, database, upstream)
            expect_whole_or_nothing(ledger, message, f"{context} {met}:")
        except kit.SutError:
            expect_whole_or_nothing(ledger, message, f"{context} {met}, it raised:")
        seen = f"{context} {met} and " + ("delivered again:" if answer == "pending" else f"answered {answer}:")
        try:
            for delivery in range(2, MOST_DELIVERIES):
                if answer == "pending":
                    answer = getattr(ledger, method)(kit.events.again(message, delivery))
        except kit.SutError as error:
            raise AssertionError(f"{seen} it raised {error.raised}") from error
        yield seen, ledger, gateway
        if met.request is None:
            break


def deliveries_with_failures(sut, method, message, context):
    """Deliver a message with each kind of failure at each step."""
    yield from deliveries(sut, method, message, sut.failing_at_step, f"{context} failing")
    yield from deliveries(sut, method, message, sut.failing_from_step, f"{context} failing for good")
    yield from deliveries(sut, method, message, sut.unanswered_at_step, f"{context} carried out but not answered")


def expect_whole_or_nothing(ledger, message, context):
    """Expect a message whose call did not end to be posted completely or not at all."""
    units = kit.money.minor(message["amount"], "USD")
    to = message.get("to")
    names = [message["account"], *(to or [])]
    whole = [-units, *([units // len(to)] * len(to))] if to else [units]
    found = [ledger.balance(name, "USD") for name in names]
    texts = [[kit.money.text(each, "USD") for each in right] for right in ([0] * len(names), whole)]
    right = " or ".join(", ".join(each) for each in texts)
    assert found in texts, f"{context} the accounts {', '.join(names)} are {', '.join(found)}; they should be {right}"
    expect_money(ledger.book("USD"), 0 if to or found == texts[0] else units, "USD", f"{context} the book")


def expect_whole_split(context, ledger, _):
    for account, units in (("alice", -1000), ("shop", 500), ("tax", 500)):
        expect_money(ledger.balance(account, "USD"), units, "USD", f"{context} the account of {account}")
    expect_money(ledger.book("USD"), 0, "USD", f"{context} the book")


def expect_whole_order(context, ledger, gateway):
    assert len(gateway.charged) == 1, f"{context} the customer was charged {len(gateway.charged)} times"
    expect_money(ledger.balance("wallet", "USD"), 1000, "USD", f"{context} the account")
    expect_money(ledger.book("USD"), 1000, "USD", f"{context} the book")


def expect_settled(ledger, gateway, faults):
    """Deliver an order until the gateway has answered, and once more; expect one charge and one credit."""
    answers = [ledger.checkout(kit.events.again(order("10.00"), delivery)) for delivery in range(1, len(faults) + 3)]
    seen = f"with {counts(faults)} the answers were {counts(answers)}"
    assert answers[-1] == "paid", f"{seen}; in the end it should be paid"
    assert len(gateway.charged) == 1, f"{seen}, and the customer was charged {len(gateway.charged)} times"
    expect_money(ledger.balance("wallet", "USD"), 1000, "USD", f"{seen}, and the account")


class Night(kit.Machine):
    """A night of deliveries: workers are killed at any step, and calls to the gateway fail."""

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
        """Replay the topic, each order until it is settled; then compare every balance with the bank."""
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
