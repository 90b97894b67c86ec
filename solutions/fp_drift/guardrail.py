"""The ledger is exact, and every message counts once, whatever fails and wherever the worker is killed."""

import contextlib
from collections import Counter
from fractions import Fraction
from itertools import chain, count

import pytest

from drill_katas import kit

LARGE = "8007199254740993.01"  # more digits than a binary float has
DECLINED = "6.66"  # the gateway declines this amount
RAISED = "raised"
TROUBLES = ["failing_at_step", "unanswered_at_step", "failing_from_step", "killed_before_step"]
FEES = [
    *[("USD", "107.00", "0.025"), ("USD", "1.00", "0.025"), ("USD", "3.00", "0.025"), ("JPY", "20", "0.025")],
    *[("BHD", "1.000", "0.0005"), ("BHD", "3.000", "0.0005"), ("JPY", "60", "0.025"), ("USD", "5.00", "0.029001")],
    *[("EUR", "65000.00", "0.288737"), ("USD", LARGE, "0.000123"), ("USD", "5.00", "0"), ("USD", "5.00", "1")],
]
SPLITS = [("USD", "10.00", 3), ("USD", "0.02", 3), ("JPY", "100", 7), ("BHD", "0.100", 6), ("USD", LARGE, 7)]
numbers = count(1)


class Gateway:
    """The payment gateway: it charges a key once."""

    def __init__(self):
        self.charged = {}  # amount and currency by key

    def charge(self, key, amount, currency):
        if amount == DECLINED:
            return "declined"
        self.charged.setdefault(key, (amount, currency))
        return "charged"


class Bank:
    """A ledger with its database and its gateway."""

    def __init__(self, sut):
        self.sut = sut
        self.database = kit.database()
        self.gateway = Gateway()
        self.line = kit.upstream(self.gateway, client="Gateway")
        self.open()

    def open(self):
        self.ledger = self.sut.open("Ledger", self.database, self.line)

    def read(self, sums):
        """Return the balances and books of the same accounts as in `sums`."""
        return {(name, of): self.ledger.balance(name, of) if name else self.ledger.book(of) for name, of in sums}

    def troubled(self, trouble, method, new):
        """Deliver a new message with trouble at step 1, another at step 2, and so on; yield each with its answer."""
        for step in count(1):
            self.sut.begin_example()
            message, answer = new(), RAISED
            try:
                with getattr(self.sut, trouble)(step) as met, contextlib.suppress(kit.SutError):
                    answer = getattr(self.ledger, method)(message)
            except kit.Killed:
                self.open()
            yield message, answer
            if met.request is None:  # the call has fewer steps
                return

    def settle(self, order, answer):
        """Deliver an order again until it is settled; return its answer."""
        for delivery in range(2, 5):
            if answer in {RAISED, "pending"}:
                answer = self.ledger.checkout(kit.events.again(order, delivery))
        return answer


def event(type_, amount, currency="USD", account="alice", **more):
    message = {"id": f"evt-{next(numbers)}", "type": type_, "account": account, "currency": currency}
    return message | {"amount": amount, "delivery": 1} | more


def order(amount, currency="USD", **more):
    message = {"id": f"order-{next(numbers)}", "account": "alice", "currency": currency}
    return message | {"amount": amount, "delivery": 1} | more


def postings(message):
    """Return what a message adds to each account, in minor units; a split has no remainder here."""
    account, units = message["account"], kit.money.minor(message["amount"], message["currency"])
    match message.get("type"):
        case "refund":
            return [(account, -units)]
        case "fee":
            fee = round(units * Fraction(message["rate"]))  # ties to even
            return [(account, -fee), ("fees", fee)]
        case "split":
            return [(account, -units), *((to, units // len(message["to"])) for to in message["to"])]
        case _:
            return [(account, units)]


def sums(messages):
    """Return the right balances by account and currency, and the books under the account None."""
    totals = Counter()
    for message in messages:
        for account, units in postings(message):
            totals[account, message["currency"]] += units
            totals[None, message["currency"]] += units
    return {key: kit.money.text(units, key[1]) for key, units in totals.items()}


def report(**line):
    line |= {"event": "checkout failed", "level": "error", "reason": "declined"}
    return kit.ErrorReport("checkout_failure_total", {"reason": "declined"}, line)


def test_sums_are_exact(sut):
    """Each balance and each book is exact, and has the places of its currency."""
    bank, done = Bank(sut), []
    for currency, places in kit.money.PLACES.items():
        large = 8_007_199_254_740_993 * 10**places + 1
        assert bank.ledger.balance("nobody", currency) == kit.money.text(0, currency)
        for type_, account, units in (
            *[("payment", "alice", 10), ("payment", "alice", 20), ("refund", "alice", 35)],
            *[("payment", "Alice", large), ("payment", "Alice", 1), ("refund", "alice ", large)],
        ):
            done.append(event(type_, kit.money.text(units, currency), currency, account))
            assert bank.ledger.apply(done[-1]) is None
            assert bank.ledger.book(currency) == sums(done)[None, currency]
        done.append(event("payment", "7", currency))  # fewer places than the currency has
        bank.ledger.apply(done[-1])
        assert bank.read(sums(done)) == sums(done)


def test_fees_are_rounded_once(sut):
    """A fee is rounded once, to the places of its currency, ties to even."""
    bank = Bank(sut)
    fees = [event("fee", amount, of, f"payer-{amount} {rate}", rate=rate) for of, amount, rate in FEES]
    for each in fees:
        bank.ledger.apply(each)
    assert bank.read(sums(fees)) == sums(fees)


def test_shares_of_a_split_add_up(sut):
    """The shares of a split add up to its amount, and differ by at most one smallest unit."""
    bank = Bank(sut)
    for currency, amount, parts in SPLITS:
        payer, to = f"payer-{amount}", [f"shop-{amount}-{number}" for number in range(parts)]
        bank.ledger.apply(event("split", amount, currency, payer, to=to))
        shares = [kit.money.minor(bank.ledger.balance(account, currency), currency) for account in to]
        assert sum(shares) == kit.money.minor(amount, currency)
        assert max(shares) - min(shares) <= 1
        assert bank.ledger.balance(payer, currency) == f"-{amount}"
        assert kit.money.exact(bank.ledger.book(currency)) == 0


def test_events_count_once(sut):
    """An event counts once, however often, late, and in whatever order it comes, also after a restart."""
    bank = Bank(sut)
    day = [event(type_, "10.00", rate="0.025", to=["shop", "tax"]) for type_ in ("payment", "refund", "fee", "split")]
    for delivery in (2, 3, 1):
        for each in day if delivery == 3 else reversed(day):
            bank.ledger.apply(kit.events.again(each, delivery))
        assert bank.read(sums(day)) == sums(day)
    sut.kill()
    bank.open()
    for each in day:
        bank.ledger.apply(kit.events.again(each, 4))
    assert bank.read(sums(day)) == sums(day)


def test_messages_with_similar_ids_all_count(sut):
    """Messages that differ only in their ids all count, even if the ids look alike."""
    bank, ids = Bank(sut), list(chain(*kit.events.ALIKE))
    events = [event("payment", "5.00", id=f"e{id_}") for id_ in ids]
    orders = [order("5.00", id=id_) for id_ in ids]
    for each in events:
        bank.ledger.apply(each)
    assert {bank.ledger.checkout(each) for each in orders} == {"paid"}
    assert len(bank.gateway.charged) == len(orders)
    assert bank.read(sums(events + orders)) == sums(events + orders)


def test_orders_credit_what_was_charged(sut):
    """A paid order credits exactly what was charged, in each currency; a declined one credits nothing."""
    bank = Bank(sut)
    orders = [order("12.50"), order("7", "EUR"), order("7", "JPY"), order("8007199254740993.001", "BHD")]
    for each in orders:
        assert bank.ledger.checkout(order(DECLINED)) == "declined"
        assert bank.ledger.checkout(each) == "paid"
    assert list(bank.gateway.charged.values()) == [(each["amount"], each["currency"]) for each in orders]
    assert bank.read(sums(orders)) == sums(orders)


@pytest.mark.parametrize("fault", [kit.Fault.REPLY_LOST, kit.Fault.REQUEST_LOST])
@pytest.mark.parametrize(("amount", "right"), [("10.00", "paid"), (DECLINED, "declined")])
def test_pending_orders_are_settled_later(sut, fault, amount, right):
    """A pending order has no effect. Later it is settled once, and keeps its answer even if the gateway is silent."""
    bank, bought = Bank(sut), order(amount)
    after = sums([bought] if right == "paid" else [])
    for delivery in (1, 2):
        bank.line.script([fault] * 9)
        assert bank.ledger.checkout(kit.events.again(bought, delivery)) == "pending"
        assert bank.ledger.balance("alice", "USD") == bank.ledger.book("USD") == "0.00"
    bank.line.script([])
    with sut.observe() as seen:
        assert bank.ledger.checkout(kit.events.again(bought, 3)) == right
    report(order=bought["id"]).expect(seen, "an order that was pending:", times=int(right == "declined"))
    for delivery in (4, 5):
        bank.line.script([fault] * 9)
        with sut.observe() as seen:
            assert bank.ledger.checkout(kit.events.again(bought, delivery)) == right
        report(order=bought["id"]).expect(seen, "a settled order:", times=0)
        sut.kill()
        bank.open()
    assert bank.read(after) == after
    assert len(bank.gateway.charged) == (right == "paid")


def test_impossible_calls_raise(sut):
    """A call that cannot do its work raises, also a read."""
    bank = Bank(sut)
    bank.ledger.apply(event("payment", "8.00"))
    with sut.failing_from_step(1):
        for method, *arguments in (("balance", "alice", "USD"), ("book", "USD")):
            with contextlib.suppress(kit.SutError):  # the right answer from a cache will do
                assert getattr(bank.ledger, method)(*arguments) == "8.00"
        with pytest.raises(kit.SutError):
            bank.ledger.checkout(order("5.00"))
    with pytest.raises(kit.SutError):
        bank.ledger.apply(event("chargeback", "5.00"))
    assert bank.ledger.balance("alice", "USD") == "8.00"


def test_an_event_costs_the_same_after_many(sut):
    """The statements, rows, bytes, and database instructions of an event do not grow with the history."""
    bank, costs, first = Bank(sut), [], event("payment", "1.00")
    bank.ledger.apply(first)
    for history in (20, 200):
        for _ in range(history):
            bank.ledger.apply(event("payment", "1.00"))
        with bank.database.recorded() as statements:
            for type_ in ("payment", "refund", "fee", "split"):
                bank.ledger.apply(event(type_, "1.00", rate="0.025", to=["shop", "tax"]))
            bank.ledger.apply(first)
        seen = [(1, each.rows, each.size, each.work) for each in statements]
        costs.append([sum(column) for column in zip(*seen, strict=True)])
    early, late = costs
    assert all(now <= 1.5 * before for before, now in zip(early, late, strict=True)), f"{early} early, {late} late"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_leaves_events_whole(sut, trouble):
    """An event with trouble at any step has its whole effect or none, and its whole effect if it comes again."""
    bank, done, before = Bank(sut), [], {}
    for split, answer in bank.troubled(trouble, "apply", lambda: event("split", "10.00", to=["shop", "tax"])):
        done.append(split)
        after = sums(done)
        found = bank.read(after)
        assert found == after or (answer == RAISED and found == dict.fromkeys(after, "0.00") | before)
        bank.ledger.apply(kit.events.again(split))
        assert bank.read(after) == after
        before = after


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_leaves_orders_whole(sut, trouble):
    """An order with trouble at any step is charged once and credited once."""
    bank, done, before = Bank(sut), [], {}
    for bought, answer in bank.troubled(trouble, "checkout", lambda: order("10.00")):
        done.append(bought)
        after = sums(done)
        found = bank.read(after)
        assert found == after or (answer != "paid" and found == dict.fromkeys(after, "0.00") | before)
        assert bank.settle(bought, answer) == "paid"
        assert bank.read(after) == after
        assert len(bank.gateway.charged) == len(done)
        before = after


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_leaves_declines_reported_once(sut, trouble):
    """A declined order with trouble at any step is reported once; a kill or a lost answer may lose the report."""
    bank = Bank(sut)
    for number, (declined, answer) in enumerate(bank.troubled(trouble, "checkout", lambda: order(DECLINED)), 1):
        assert bank.settle(declined, answer) == "declined"
        assert bank.ledger.checkout(kit.events.again(declined, 5)) == "declined"
        report(order=declined["id"]).expect_at_most(sut, f"a declined order, {trouble} {number}:")
        if trouble.startswith("failing"):
            report().expect_ever(sut, f"declined orders, the last one {trouble} {number}:", times=number)


def test_an_old_event_still_counts_once(sut):
    """An event counts once, even if it comes again after 1,000 others."""
    bank, done = Bank(sut), [event("payment", "1.00") for _ in range(1_010)]
    for each in [*done, kit.events.again(done[0])]:
        bank.ledger.apply(each)
    assert bank.read(sums(done)) == sums(done)
