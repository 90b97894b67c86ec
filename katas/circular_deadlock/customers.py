"""Customers: they place orders at the three services, look at them, hang up, and wait for outcomes."""

import asyncio
import time
from collections import Counter
from typing import Any

from drill_katas import kit

from .oracle import ACCEPTED, ANSWERS, FINAL, REFUSED, TOO_LATE, Day, shown

SOON = 3.0  # seconds for an outcome, by the contract
SLACK = 0.6  # seconds that a busy machine may add
HASTE = 0.2  # seconds that an answer may be late on a machine that is not busy
TOLERANCE = 0.4  # seconds between the time that a caller computes and the time of its call
TRIES = 3  # failures of pricing in a row, by the contract
CUSTOMERS = "customers"
SERVICES = ["checkout", "stock", "pricing"]


class Customers(Day):
    """The customers of a day, and the three services on their network."""

    def __init__(self, sut, workers, *, service_time=0.01, on_hand=1_000, round_trip=0.001, name="shop"):
        super().__init__(f"{sut.seed} {workers} {name}")
        self.sut, self.workers, self.service_time, self.on_hand = sut, workers, service_time, on_hand
        sut.on_time()
        self.database = kit.database(round_trip=round_trip, client="Database")
        self.network = kit.network(*SERVICES)
        self.serve()

    def serve(self):
        common = {"workers": self.workers, "service_time": self.service_time, "list_prices": self.prices}
        own: dict[str, dict[str, Any]] = {
            "checkout": {"customers": self.customers},
            "stock": {"on_hand": dict.fromkeys(self.prices, self.on_hand), "database": self.database},
            "pricing": {"tiers": self.tiers, "coupons": self.coupons},
        }
        for service in SERVICES:
            self.sut.serve(f"{service}.make_app", self.network.node(service), **common, **own[service])

    def place(self, *orders, within=60.0, every=0.0, deadline_ms=None, trace=None, context=""):
        """Place one order every `every` seconds; return the answers. Customers hang up after `within` seconds."""
        lasts = len(orders) * every + SOON + SLACK
        patience = kit.load.Patience(lasts, lambda: self.frozen(context or "an order is placed"))
        requests = posts(orders, deadline_ms, trace)
        arrivals = [kit.load.Arrival(number * every, request, within) for number, request in enumerate(requests)]
        return kit.load.open_loop(self.network, "checkout", arrivals, patience=patience).answers

    def place_all(self, orders, context, **options):
        """Place all orders at once; expect an answer of the contract for each. Return the answers."""
        answers = self.place(*orders, context=context, **options)
        self.expect_answered(orders, answers, options.get("deadline_ms"), context)
        return answers

    def expect_answered(self, orders, answers, deadline, context):
        """Expect an answer of the contract for each order, and no 504 before its time."""
        patience = deadline / 1000 if deadline else SOON
        least = patience - (TOLERANCE if deadline else 1)  # right designs may choose less than 3 s without a header
        for order, answer in zip(orders, answers, strict=True):
            early = answer.status == TOO_LATE and answer.seconds < least
            what = f"{context}: {order['id']} is answered {answer.status} after {answer.seconds:.2f} s"
            assert not early, f"{what}; its customer waits for {patience:g} s"  # a busy machine makes no answer earlier
            assert answer.status in ANSWERS, (
                f"{context}: {order['id']} is answered {answer.status} {shown(answer)}; the contract has no such answer"
            )
            refused_well = answer.status not in REFUSED or answer.headers.get("Retry-After", "").isdecimal()
            assert refused_well, (
                f"{context}: {order['id']} is answered {answer.status} without a Retry-After in seconds"
            )

    def frozen(self, context):
        """Return the failure of customers who wait forever: who waits for whom."""
        waiting = [hop for hop in self.network.open_hops() if hop.caller == CUSTOMERS]
        orders = kit.plural(len(waiting), "customer")
        seen = kit.waits.describe(self.network.hops, self.workers)
        if not kit.waits.cycles(self.network.hops):
            used, most = self.database.peak_connections, kit.plural(self.workers, "database connection")
            seen += f"; stock has used {used} of its {most}"
        return self.sut.hang(f"{context}: after {SOON:g} s {orders} still had no answer; {seen}")

    def calls(self):
        """Return the calls between services for orders."""
        return [hop for hop in self.network.hops if hop.caller != CUSTOMERS and hop.path != "/health"]

    def calls_of(self, many, deadline_ms=None):
        """Place orders one after another; return how many calls each service got before an order came again."""
        before, context = len(self.calls()), "an order is placed"
        for order in self.orders(many):
            (answer,) = self.place_all([order], context, deadline_ms=deadline_ms)
            if answer.status == ACCEPTED and deadline_ms is None:
                self.outcome(order, answer, context)
            elif answer.status == ACCEPTED:
                time.sleep(SLACK)  # a look could make a call
        return Counter(hop.callee for hop in self.calls()[before:])

    def most_open(self, caller, callee):
        return kit.waits.most_open(self.calls(), caller, callee)

    def begin_to_place(self, orders, context, deadline_ms=None):
        """Start to place all orders at once; return a function that waits for their answers."""

        async def place():
            asked = posts(orders, deadline_ms)
            return await asyncio.gather(*(self.network.send("checkout", post, 60) for post in asked))

        begun = self.network.start(place())

        def answers():
            try:
                return begun.result(SOON + SLACK)
            except TimeoutError:
                raise self.frozen(context) from None

        return answers

    def happen(self, orders, acts, pauses, context):
        """Let customers place the orders, hang up, repeat them, and look, in this order and with these pauses."""
        arrivals, at = [], 0.0
        for number, (act, pause) in enumerate(zip(acts, pauses, strict=True)):
            order = orders[number % len(orders)]
            look = ("GET", f"/orders/{order['id']}", {})
            request = look if act == "look" else posts([order])[0]
            arrivals.append(kit.load.Arrival(at, request, 0.03 if act == "hang up" else 60))
            at += pause
        patience = kit.load.Patience(at + SOON + SLACK, lambda: self.frozen(context))
        load = kit.load.open_loop(self.network, "checkout", arrivals, patience=patience)
        for act, answer in zip(acts, load.answers, strict=True):
            known = act in {"look", "hang up"} or answer.status in ANSWERS
            assert known, f"{context} one is answered {answer.status} {shown(answer)}; the contract has no such answer"

    def outcomes(self, orders, answers, context):
        """Return the outcome of each order, as (status, body); follow up on 202 and 504."""
        return {
            order["id"]: self.outcome(order, answer, context) for order, answer in zip(orders, answers, strict=True)
        }

    def collected(self, orders, answers, context):
        """Return the outcomes as `outcomes` does, but let all customers look at once."""
        orders, answers = (
            {order["id"]: order for order in orders},
            dict(zip([o["id"] for o in orders], answers, strict=True)),
        )
        until = time.monotonic() + SOON
        while (
            later := [of for of, answer in answers.items() if answer.status == ACCEPTED]
        ) and time.monotonic() < until:
            looks = [("GET", f"/orders/{of}", {}) for of in later]
            answers.update(zip(later, self.network.ask_together("checkout", looks, within=SOON), strict=True))
        return {of: self.outcome(orders[of], answer, context) for of, answer in answers.items()}

    def collect_accepted(self, orders, answers, context):
        """Wait for the outcomes of orders answered 202; return their statuses by order."""
        pairs = zip(orders, answers, strict=True)
        later = [(order, answer) for order, answer in pairs if answer.status == ACCEPTED]
        outcomes = self.collected([order for order, _ in later], [answer for _, answer in later], context)
        return {id_: status for id_, (status, _) in outcomes.items()}

    def outcome(self, order, answer, context):
        until = time.monotonic() + SOON + SLACK
        first = answer.status
        while answer.status in {ACCEPTED, TOO_LATE, None} and time.monotonic() < until:
            time.sleep(0.02)
            if first == ACCEPTED:
                answer = self.look("checkout", f"/orders/{order['id']}")
            else:
                (answer,) = self.place(order)
        final = answer.status in (FINAL if first == ACCEPTED else FINAL | REFUSED)
        asked = f"{context}: {order['id']} was answered {first}"
        assert final, f"{asked}, and {SOON:g} s later it is answered {answer.status} {shown(answer)}: no outcome"
        return answer.status, answer.json() if answer.status in FINAL else {}

    def look(self, node, path):
        """Return the answer of a node to a GET request; it must answer."""
        answer = self.network.ask(node, "GET", path, within=SOON + SLACK)
        if answer.status is None:
            raise self.frozen(f"a customer requests {path} from {node}")
        return answer

    def placed(self, orders, context, **options):
        """Place all orders at once and return their outcomes."""
        return self.outcomes(orders, self.place_all(orders, context, **options), context)


def posts(orders, deadline_ms=None, trace=None):
    headers = {"X-Deadline-Ms": str(deadline_ms)} if deadline_ms else {}
    headers |= {"traceparent": f"00-{trace}-{trace[:16]}-01"} if trace else {}
    return [("POST", "/orders", {"json": order, "headers": headers}) for order in orders]
