"""The oracle: a bank and a payment gateway with the right answers, and the messages of the checks."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import count, groupby

from hypothesis import strategies as st

from drill_katas import kit

CURRENCIES = sorted(kit.money.PLACES)
MOVES = ["payment", "refund"]
ACCOUNTS = ["alice", "Alice", "alice ", "fees", "book", "wallet-0000-0000-0000-0001", "wallet-0000-0000-0000-0002"]
NAMES = [
    *ACCOUNTS,
    "Fees",
    "42",
    "042",
    "o'hara",
    "wallet:7",
    "\u00e9",
    "e\u0301",
    kit.events.LONG + "1",
    kit.events.LONG + "2",
]
IDS = kit.events.ids()
PURCHASES = [
    ("12.50", "USD", "paid"),
    ("6.66", "USD", "declined"),
    ("12.50", "USD", "paid"),
    ("7", "EUR", "paid"),
    ("7", "JPY", "paid"),
    ("8007199254740993.001", "BHD", "paid"),
]
CHARGES = {"USD": 2500, "EUR": 700, "JPY": 7, "BHD": 8007199254740993001}  # the sums of PURCHASES, in minor units
DECLINES = kit.ErrorReport(
    "checkout_failure_total", {"reason": "declined"}, {"event": "checkout failed", "reason": "declined"}
)


class Bank:
    """The balance of every account in integer minor units; every event counts once."""

    def __init__(self, *events):
        self.accounts = Counter()
        self._seen = set()
        for event in events:
            self.post(event)

    def post(self, event):
        if event["id"] in self._seen:
            return
        self._seen.add(event["id"])
        account, currency = event["account"], event["currency"]
        amount = kit.money.minor(event["amount"], currency)
        match event["type"]:
            case "payment":
                self.accounts[account, currency] += amount
            case "refund":
                self.accounts[account, currency] -= amount
            case "fee":
                fee = round(amount * Fraction(event["rate"]))  # round() of a Fraction: ties to even
                self.accounts[account, currency] -= fee
                self.accounts["fees", currency] += fee

    def book(self, currency):
        return sum(units for (_, of), units in self.accounts.items() if of == currency)


class PaymentGateway:
    """The payment provider: charges a key once, and declines the given amounts."""

    def __init__(self, *declined):
        self.charged = []  # (amount in minor units, currency) of each customer
        self._answers = {}
        self._declined = declined

    def charge(self, key, amount, currency):
        if key not in self._answers:
            self._answers[key] = "declined" if amount in self._declined else "charged"
            if self._answers[key] == "charged":
                self.charged.append((kit.money.minor(amount, currency), currency))
        return self._answers[key]


def event(type_, amount, currency="USD", account="wallet", **more):
    return {
        "id": more.pop("id", None) or f"evt-{next(serial):04}",
        "type": type_,
        "account": account,
        "currency": currency,
        "amount": amount,
        "delivery": 1,
    } | more


def order(amount, number=1, account="wallet", **more):
    return {"id": f"order-{number}", "account": account, "currency": "USD", "amount": amount, "delivery": 1} | more


def declined(purchase):
    """Return the report of a declined order."""
    return replace(DECLINES, line={**DECLINES.line, "level": "error", "order": purchase["id"]})


serial = count(1)


@st.composite
def fees(draw):
    """Fees of all rates and magnitudes, most of them hard to round."""
    currency = draw(st.sampled_from(CURRENCIES))
    amount, rate = draw(kit.money.near_ties(currency))
    return event("fee", amount, currency, draw(st.sampled_from(ACCOUNTS)), id=draw(IDS), rate=rate)


@st.composite
def events(draw, currencies=CURRENCIES, types=("payment", "refund", "fee"), up_to=10_000, at_least=0):
    currency, type_ = draw(st.sampled_from(currencies)), draw(st.sampled_from(types))
    more = {"rate": draw(st.sampled_from(["0.029", "0.025", "0.0005"]))} if type_ == "fee" else {}
    amount = draw(kit.money.amounts(currency, up_to=up_to, at_least=at_least))
    return event(type_, amount, currency, draw(st.sampled_from(ACCOUNTS)), id=draw(IDS), **more)


def lists_of(what, *, most=8, by=lambda item: item["id"]):
    return st.lists(what, min_size=1, max_size=most, unique_by=by)


def open_ledger(sut, database=None, gateway=None):
    gateway = gateway or kit.upstream(PaymentGateway(), client="Gateway")
    return sut.open("Ledger", database or kit.database(), gateway)


def expect_sums(sut, topic, context):
    """Apply all that the topic delivers; expect every balance and every book to equal the bank's."""
    with open_ledger(sut) as ledger:
        for delivered in topic:
            answer = ledger.apply(delivered)
            assert answer is None, f"apply answers {answer!r}; it should be None"
        expect_the_bank(ledger, Bank(*topic), context)


def expect_the_bank(ledger, bank, after):
    """Expect every balance and every book to equal the bank's."""
    for (account, currency), units in bank.accounts.items():
        expect_money(ledger.balance(account, currency), units, currency, f"{after} the account of {account}")
    for currency in sorted({currency for _, currency in bank.accounts}):
        expect_money(ledger.book(currency), bank.book(currency), currency, f"{after} the book")


def expect_money(answer, minor_units, currency, what):
    right = kit.money.text(minor_units, currency)
    assert kit.money.exact(answer) == kit.money.exact(right), (
        f"{what} is {answer} {currency}; it should be exactly {right}"
    )


def expect_raised(ledger, context, method, *arguments, right=None):
    """Expect a call to raise, or to answer `right`, such as from memory; without `right` it must raise."""
    try:
        answer = getattr(ledger, method)(*arguments)
    except kit.SutError:
        return
    if right is None or kit.money.exact(answer) != kit.money.exact(right):
        raise AssertionError(f"{context}, and {method} answers {answer!r}; it should raise")


def counts(items):
    """Describe the items, equal neighbors together: "3 times pending, paid"."""
    runs = [(str(item), len(list(run))) for item, run in groupby(items)]
    return ", ".join(item if length == 1 else f"{length} times {item}" for item, length in runs)


def as_text(ids):
    return " and ".join(map(ascii, ids))


def after(stream):
    return f"after {kit.plural(len(stream), 'posting')}"
