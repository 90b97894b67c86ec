"""The night to the 19th of March: payments come in, workers are restarted for a deploy, and the books are compared."""

from drill_katas import kit
from drill_katas.kit.rules import Rule, gauge, rate

from .oracle import Bank, PaymentGateway, event, order, serial

RESTART = 14  # minute
COMPARED = 5  # minutes between two comparisons of the books with the bank
FEW = {"USD": "0.10", "EUR": "0.20", "BHD": "0.105", "JPY": "35"}
IN_THREE = {"USD": "0.30", "EUR": "0.60", "BHD": "0.315", "JPY": "105"}  # amounts of splits in three
DECLINED = "13.13"

INCIDENT = kit.Incident(
    begins="2026-03-19T02:40:00Z",
    minutes=30,
    request="balance",
    since=15,
    rules=(
        Rule(
            "BookDiffersFromBank",
            gauge("reconciliation_accounts_differing") > 0,
            wait="5m",
            severity="page",
            summary="Some wallet accounts have differed from the bank for 5 minutes.",
        ),
        Rule(
            "GatewayTimeouts",
            rate("upstream_calls_total", "5m", upstream="gateway", result="none")
            / rate("upstream_calls_total", "5m", upstream="gateway")
            > 0.2,
            wait="1m",
            severity="ticket",
            summary="More than 20 % of the calls to the payment gateway have no answer.",
        ),
        Rule(
            "LedgerRestarted",
            gauge("ledger_restarts") > 0,
            wait="0s",
            severity="ticket",
            summary="The ledger's workers were restarted.",
        ),
    ),
    ablations={
        "no_restart": "the workers are not restarted",
        "delivered_once": "the topic delivers every message once",
        "whole_amounts": "every amount is a whole number of currency units, and nothing is split",
        "gateway_well": "the payment gateway answers every call",
        "no_bahrain": "there are no payments in BHD",
    },
)


class Statement(Bank):
    """The bank's statement; it includes splits in three without a remainder."""

    def post(self, event):
        new = event["id"] not in self._seen
        super().post(event)
        if new and event["type"] == "split":
            units = kit.money.minor(event["amount"], event["currency"])
            self.accounts[event["account"], event["currency"]] -= units
            for recipient in event["to"]:
                self.accounts[recipient, event["currency"]] += units // len(event["to"])


def replay(scene: kit.Scene):
    """Play the night."""
    night = Night(scene)
    for minute in scene.ticks(seconds=15):
        night.go_on(minute)


def pictures(seen):
    """Draw the running total against the exact one."""
    difference = {currency: seen.series("reconciliation_difference", currency=currency) for currency in FEW}
    yield kit.Picture(
        "Difference between the wallet book and the bank",
        "One line for each currency; it should stay at zero.",
        difference,
        y="units of its currency",
    )
    books = {by: seen.series("book_amount", currency="EUR", by=by) for by in ("ledger", "bank")}
    yield kit.Picture("The wallet book and the bank, in EUR", "The two lines should be equal.", books, y="EUR")


class Night:
    """The events of the night; the bank keeps the right figures."""

    def __init__(self, scene):
        self.scene, self.chance = scene, scene.chance
        self.bank, self.provider = Statement(), PaymentGateway(DECLINED)
        self.database, self.gateway = kit.database(), kit.upstream(self.provider, client="Gateway")
        scene.watch("ledger-db", self.database, owner="ledger")
        scene.watch("gateway", self.gateway, owner="ledger")
        scene.expose("ledger", lambda: self.ledger)
        self.restarts, self.lately, self.pending = 0, [], []
        numbers = self.chance.sample(range(1000, 9999), 12)
        self.accounts = [f"wallet-{number}" for number in numbers]
        self.open()

    def open(self):
        self.ledger = self.scene.sut.open("Ledger", self.database, self.gateway)

    def go_on(self, minute):
        """Play the next 15 seconds."""
        if minute == RESTART and not self.scene.without("no_restart"):
            self.restart()
        for _ in range(3):
            self.scene.wait(self.chance.uniform(0, 3))
            self.deliver(self.event())
        if minute % 1 == 0.25:
            self.check_out()
        for _ in range(2):
            self.scene.wait(self.chance.uniform(0, 2))
            self.read()
        if minute % COMPARED == 0 and minute:
            self.compare()
        self.scene.gauge("ledger_restarts", self.restarts, "Restarts of the ledger's workers since midnight.")

    def restart(self):
        self.scene.sut.kill()
        self.open()
        self.restarts += 1
        self.scene.log("platform", "info", "deployed", what="ledger", version="2026.11")
        if not self.scene.without("delivered_once"):
            for message in self.lately[-6:]:
                self.deliver(message | {"delivery": message["delivery"] + 1})

    def event(self):
        """Return the next event of the topic; now and then it is a redelivery."""
        again = self.chance.random() < 0.04 and not self.scene.without("delivered_once")
        if again and self.lately:
            message = self.chance.choice(self.lately[-10:])
            return message | {"delivery": message["delivery"] + 1}
        currency = self.currency()
        account, *others = self.chance.sample(self.accounts, 4)
        kind = self.chance.choice(["payment"] * 6 + ["refund", "fee", "split"])
        more = {"fee": {"rate": "0.029"}, "split": {"to": others}}.get(kind, {})
        amount = FEW[currency] if self.chance.random() < 0.7 else f"{self.chance.randrange(1, 90)}"
        amount = IN_THREE[currency] if kind == "split" else amount
        if self.scene.without("whole_amounts"):
            amount, more = "3", more | ({"rate": "1"} if kind == "fee" else {})
        message = event(kind, amount, currency, account, id=f"evt-{self.chance.getrandbits(40):010x}", **more)
        self.lately.append(message)
        return message

    def currency(self):
        drawn = self.chance.choice(list(FEW))
        return "USD" if drawn == "BHD" and self.scene.without("no_bahrain") else drawn

    def deliver(self, message):
        ids = {"event": message["id"], "delivery": message["delivery"]}
        self.scene.call("ledger", f"apply {message['type']}", lambda: self.ledger.apply(message), **ids)
        self.bank.post(message)

    def check_out(self):
        """Check out a pending order or a new one; now and then the gateway does not answer."""
        if self.pending:
            bought = self.pending.pop()
        else:
            amount = self.chance.choice(["9.99", "20.00", DECLINED])
            amount = "20" if self.scene.without("whole_amounts") and amount != DECLINED else amount
            bought = order(amount, next(serial), self.chance.choice(self.accounts))
        fault = self.chance.choice([kit.Fault.REQUEST_LOST, kit.Fault.REPLY_LOST])
        lost = self.chance.random() < 0.3 and not self.scene.without("gateway_well")
        self.gateway.script([fault] if lost else [])
        answer = self.scene.call("ledger", "checkout", lambda: self.ledger.checkout(bought), order=bought["id"])
        if answer == "pending":
            self.pending.append(bought | {"delivery": bought["delivery"] + 1})
        elif answer == "paid":
            self.bank.accounts[bought["account"], "USD"] += kit.money.minor(bought["amount"], "USD")

    def read(self):
        """Read a wallet as its customer; the answer is good if it equals the bank's."""
        account, currency = self.chance.choice(self.accounts), self.currency()
        right = kit.money.text(self.bank.accounts[account, currency], currency)
        self.scene.call(
            "ledger",
            "balance",
            lambda: self.ledger.balance(account, currency),
            good=lambda shown: shown == right,
            account=account,
            currency=currency,
        )

    def compare(self):
        """Compare every account and every book with the bank."""
        differing = 0
        for (account, currency), units in self.bank.accounts.items():
            shown = self.ledger.balance(account, currency)
            differing += shown != kit.money.text(units, currency)
        for currency in FEW:
            book = kit.money.exact(self.ledger.book(currency))
            units = 10 ** kit.money.PLACES[currency]
            difference = float(book - kit.money.exact(kit.money.text(self.bank.book(currency), currency)))
            about = "The ledger's book minus the bank's."
            self.scene.gauge("reconciliation_difference", difference, about, currency=currency)
            self.scene.gauge(
                "book_amount",
                float(book),
                "The total of all accounts, by the ledger and by the bank.",
                currency=currency,
                by="ledger",
            )
            self.scene.gauge("book_amount", self.bank.book(currency) / units, "", currency=currency, by="bank")
        about = "Accounts whose balance differs from the bank's."
        self.scene.gauge("reconciliation_accounts_differing", differing, about)
        found = {"accounts": len(self.bank.accounts), "differing": differing}
        self.scene.log("finance-reconciliation", "warning" if differing else "info", "books compared", **found)
