"""The shop as its customers meet it: orders are placed, looked at and given up, and what became of them is known."""

import asyncio
import time
from collections import Counter
from typing import Any

from drill_katas import kit

from .oracle import ACCEPTED, ANSWERS, FINAL, OK, REFUSED, TOO_LATE, Day, differs, expect_outcome, in_words, shown

SOON = 3.0  # seconds in which an order has an outcome (the contract's)
SLACK = 0.6  # seconds that a busy machine may add
HASTE = 0.2  # seconds that an answer may be late on a machine that is not busy
TOLERANCE = 0.4  # seconds between what a caller computes and when its call is seen
TRIES = 3  # that pricing fails in a row before it is left alone (the contract's)
CUSTOMERS = "customers"
SERVICES = ["checkout", "stock", "pricing"]


class Shop(Day):
    """The three services on their network, and the day they serve."""

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

    def place(self, *orders, within=60.0, every=0.0, deadline_ms=None, trace=None, told=""):
        """Place an order `every` so many seconds; returns the answers. Customers hang up after `within` seconds."""
        lasts = len(orders) * every + SOON + SLACK
        patience = kit.load.Patience(lasts, lambda: self.frozen(told or "an order is placed"))
        requests = posts(orders, deadline_ms, trace)
        arrivals = [kit.load.Arrival(number * every, request, within) for number, request in enumerate(requests)]
        return kit.load.open_loop(self.network, "checkout", arrivals, patience=patience).answers

    def place_all(self, orders, told, **options):
        """Place orders all at once; each must get an answer of the contract's. Returns the answers."""
        answers = self.place(*orders, told=told, **options)
        self.expect_answered(orders, answers, options.get("deadline_ms"), told)
        return answers

    def expect_answered(self, orders, answers, deadline, told):
        """Each order got an answer of the contract's; none was given up early."""
        patience = deadline / 1000 if deadline else SOON
        least = patience - (TOLERANCE if deadline else 1)  # one who does not say is given some room by right designs
        for order, answer in zip(orders, answers, strict=True):
            early = answer.status == TOO_LATE and answer.seconds < least
            what = f"{told}: {order['id']} is answered {answer.status} after {answer.seconds:.2f} s"
            assert not early, f"{what}; its customer waits for {patience:g} s"  # no busy machine makes it earlier
            assert answer.status in ANSWERS, (
                f"{told}: {order['id']} is answered {answer.status} {shown(answer)}; the contract has no such"
            )
            refused_well = answer.status not in REFUSED or answer.headers.get("Retry-After", "").isdecimal()
            assert refused_well, f"{told}: {order['id']} is answered {answer.status} without a Retry-After in seconds"

    def place_each(self, sent, told):
        """Place each (order, how many ms its customer waits or None), one soon after the other; returns the answers."""
        requests = [posts([order], deadline_ms)[0] for order, deadline_ms in sent]
        arrivals = [kit.load.Arrival(number * 0.02, request, 60) for number, request in enumerate(requests)]
        waits = kit.load.Patience(SOON + SLACK, lambda: self.frozen(told))
        answers = kit.load.open_loop(self.network, "checkout", arrivals, patience=waits).answers
        for (order, deadline_ms), answer in zip(sent, answers, strict=True):
            self.expect_answered([order], [answer], deadline_ms, told)
            late = answer.seconds - deadline_ms / 1000 - HASTE if deadline_ms else 0
            what = f"{told}: who waits for {deadline_ms} ms is answered after {answer.seconds:.2f} s"
            self.sut.in_time(late <= 0, what, late=late)
        return answers

    def frozen(self, told):
        """What to raise when customers wait for ever: who waits for whom."""
        waiting = [hop for hop in self.network.open_hops() if hop.caller == CUSTOMERS]
        orders = kit.plural(len(waiting), "customer")
        seen = kit.waits.describe(self.network.hops, self.workers)
        if not kit.waits.cycles(self.network.hops):
            used, most = self.database.peak_connections, kit.plural(self.workers, "database connection")
            seen += f"; stock has used {used} of its {most}"
        return self.sut.hang(f"{told}: after {SOON:g} s {orders} still got no answer; {seen}")

    def calls(self):
        """The calls between services that were made for orders."""
        return [hop for hop in self.network.hops if hop.caller != CUSTOMERS and hop.path != "/health"]

    def calls_of(self, many):
        """Place orders one after another, whatever becomes of them; how many calls they have made."""
        before = len(self.calls())
        for order in self.orders(many):
            told = "an order is placed"
            (answer,) = self.place_all([order], told)
            self.outcome(order, answer, told)
        return len(self.calls()) - before

    def most_open(self, caller, callee):
        return kit.waits.most_open(self.calls(), caller, callee)

    def begin_to_place(self, orders, told, deadline_ms=None):
        """Place orders all at once; returns at once a function that waits for their answers."""

        async def place():
            asked = posts(orders, deadline_ms)
            return await asyncio.gather(*(self.network.send("checkout", post, 60) for post in asked))

        begun = self.network.start(place())

        def answers():
            try:
                return begun.result(SOON + SLACK)
            except TimeoutError:
                raise self.frozen(told) from None

        return answers

    def happen(self, orders, acts, pauses, told):
        """Let customers place the orders, hang up, come again and look, in this order and with these pauses."""
        arrivals, at = [], 0.0
        for number, (act, pause) in enumerate(zip(acts, pauses, strict=True)):
            order = orders[number % len(orders)]
            look = ("GET", f"/orders/{order['id']}", {})
            request = look if act == "look" else posts([order])[0]
            arrivals.append(kit.load.Arrival(at, request, 0.03 if act == "hang up" else 60))
            at += pause
        patience = kit.load.Patience(at + SOON + SLACK, lambda: self.frozen(told))
        load = kit.load.open_loop(self.network, "checkout", arrivals, patience=patience)
        for act, answer in zip(acts, load.answers, strict=True):
            known = act in {"look", "hang up"} or answer.status in ANSWERS
            assert known, f"{told} one is answered {answer.status} {shown(answer)}; the contract has no such"

    def keep_coming(self, orders, every, deadline_ms, told):
        """Place orders one after another, whether or not the ones before are answered; all must be degraded."""
        placed, told = self.orders(orders), f"{told}, and an order comes every {every} s"
        outcomes = self.placed(placed, told, every=every, deadline_ms=deadline_ms)
        self.expect_degraded(placed, outcomes, told)

    def goodput(self, many, clients):
        """Place orders from so many customers; how many a second are confirmed at their own price, and in words."""
        orders = self.orders(many)
        told = f"{many} orders from {kit.plural(clients, 'customer')}, one after the other, for {self.workers} workers"
        began = time.monotonic()
        patience = kit.load.Patience(len(orders) * SOON / clients + SLACK, lambda: self.frozen(told))
        requests = posts(orders)
        load = kit.load.closed_loop(self.network, "checkout", requests, clients=clients, within=60, patience=patience)
        outcomes = self.collected(orders, load.answers, told)
        seconds = time.monotonic() - began
        good = [order for order in orders if outcomes[order["id"]] == (OK, self.confirmation(order))]
        return len(good) / seconds, f"{told}: {len(good) / seconds:.1f} a second are confirmed ({load.describe()})"

    def known(self):
        """Place an order that is confirmed and one of more than there is; both with their outcomes."""
        orders = [self.order(), self.order(quantity=self.on_hand + 1)]
        outcomes = self.placed(orders, "one order of a few, and one of more than there is")
        self.expect_confirmed(orders[:1], outcomes, "an order")
        self.expect_rejected(orders[1], outcomes[orders[1]["id"]], "sold out", "an order of more than there is")
        return outcomes

    def expect_shown(self, outcomes, told):
        """The outcomes are shown to customers who look, as they were answered."""
        for id_, before in outcomes.items():
            answer = self.look("checkout", f"/orders/{id_}")
            seen = answer.status, answer.json()
            shown_as, answered = in_words(*seen), in_words(*before)
            what = f"{told} {id_} is shown as {shown_as}; it was {answered}"
            same_words = f"{told} {id_} is shown otherwise than it was answered: {differs(seen, before)}"
            assert seen == before, what if shown_as != answered else same_words

    def expect_soon_confirmed(self, many, told):
        """So many orders at once are all confirmed, within 1 s from now."""
        began, passed, seen = time.monotonic(), 0.0, []
        while passed < SOON:  # longer than allowed, since a busy machine delays orders; lost room never comes back
            orders = self.orders(many)
            answers = self.place_all(orders, told, deadline_ms=1000)
            accepted = self.collect_accepted(orders, answers, told)
            seen = [accepted.get(order["id"], answer.status) for order, answer in zip(orders, answers, strict=True)]
            if seen == [OK] * many:
                late = f"{told}: {kit.plural(many, 'order')} at once are confirmed no sooner than {passed:.1f} s later"
                self.sut.in_time(passed < 1 + SLACK, late, late=passed - 1 - SLACK)
                return
            time.sleep(0.05)
            passed = time.monotonic() - began
        raise AssertionError(
            f"{told}: {kit.plural(many, 'order')} at once are answered {seen}; all should be confirmed"
        )

    def refused_by_pricing(self, many):
        """Place orders one after another while pricing answers 503."""
        self.network.script("pricing", [503] * 100)
        for order in self.orders(many):
            self.expect_degraded([order], self.placed([order], "pricing answers 503"), "pricing answers 503")
        self.network.script("pricing", [])

    def calls_of_pricing(self):
        """How many calls pricing has had."""
        return sum(hop.callee == "pricing" for hop in self.network.hops)

    def expect_own_price(self, told):
        """Two customers who have time pay their own price."""
        orders = self.orders(2)
        self.expect_confirmed(orders, self.placed(orders, told), told)

    def cut_pricing_off(self, orders):
        """Cut pricing off, and place orders one after another until that is known; they must be degraded."""
        self.network.partition("pricing")
        return self.place_impatiently(orders, "pricing is cut off")

    def place_impatiently(self, orders, why):
        placed, patience = self.orders(orders), 300
        for number, order in enumerate(placed, 1):
            told = f"{why}, and order {number} comes with {patience} ms of patience"
            (answer,) = self.place_all([order], told, deadline_ms=patience)
            late = answer.seconds - patience / 1000 - SLACK / 2
            self.sut.in_time(late <= 0, f"{told}: it is answered after {answer.seconds:.2f} s", late=late)
            self.expect_degraded([order], self.outcomes([order], [answer], told), told)
        return placed

    def wait_for_pricing(self, **options):
        """Place orders one after another until one is not degraded, for as long as pricing may be left alone."""
        until = time.monotonic() + 1 + SLACK
        while time.monotonic() < until and self.placed_one(**options)["degraded"]:
            time.sleep(0.05)

    def placed_one(self, **options):
        """Place one order, which must be confirmed; what it was told."""
        order, told = self.order(), "pricing is back"
        status, body = self.placed([order], told, **options)[order["id"]]
        assert status == OK, f"{told}, and an order is answered {status} {body}; it should be confirmed"
        return body

    def outcomes(self, orders, answers, told):
        """What became of each order in the end, as (status, body); an answer that says "later" is followed up."""
        return {order["id"]: self.outcome(order, answer, told) for order, answer in zip(orders, answers, strict=True)}

    def collected(self, orders, answers, told):
        """As `outcomes`, but all customers look at once, as they do when nobody makes them wait for each other."""
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
        return {of: self.outcome(orders[of], answer, told) for of, answer in answers.items()}

    def collect_accepted(self, orders, answers, told):
        """Wait until orders that were answered "later" have an outcome, for they are in hand; its status, by order."""
        pairs = zip(orders, answers, strict=True)
        later = [(order, answer) for order, answer in pairs if answer.status == ACCEPTED]
        outcomes = self.collected([order for order, _ in later], [answer for _, answer in later], told)
        return {id_: status for id_, (status, _) in outcomes.items()}

    def outcome(self, order, answer, told):
        until = time.monotonic() + SOON + SLACK
        first = answer.status
        while answer.status in {ACCEPTED, TOO_LATE, None} and time.monotonic() < until:
            time.sleep(0.02)
            if first == ACCEPTED:
                answer = self.look("checkout", f"/orders/{order['id']}")
            else:
                (answer,) = self.place(order)
        final = answer.status in (FINAL if first == ACCEPTED else FINAL | REFUSED)
        asked = f"{told}: {order['id']} was answered {first}"
        assert final, f"{asked}, and {SOON:g} s later it is {answer.status} {shown(answer)}; that is no outcome"
        return answer.status, answer.json() if answer.status in FINAL else {}

    def look(self, node, path):
        """What a node answers to a customer who looks; it must answer."""
        answer = self.network.ask(node, "GET", path, within=SOON + SLACK)
        if answer.status is None:
            raise self.frozen(f"a customer asks {node} for {path}")
        return answer

    def reserved(self):
        """What stock has reserved, as (order, quantity) of all goods; what is on hand must agree with it."""
        found = []
        for sku in self.prices:
            answer = self.look("stock", f"/stock/{sku}")
            assert answer.status == OK, f"stock answers {answer.status} when asked for {sku}; it should be {OK}"
            stock = answer.json()
            held = [(each["order"], each["quantity"]) for each in stock["reserved"]]
            left = self.on_hand - sum(quantity for _, quantity in held)
            told = (
                f"of {self.on_hand} {sku} {kit.plural(len(held), 'order')} leave {left}, and stock answers "
                f"{stock['on_hand']} on hand; it should be {left}"
            )
            assert stock["on_hand"] == left, told
            found += held
        return Counter(found)

    def reserved_for(self):
        """The ids of the orders that stock has reserved something for."""
        stocks = [self.look("stock", f"/stock/{sku}").json() for sku in self.prices]
        return {each["order"] for stock in stocks for each in stock["reserved"]}

    def expect_one_outcome(self, orders, outcomes, told):
        """What was confirmed is reserved once, and nothing else is."""
        reserved = self.reserved()
        for order in orders:
            status, body = outcomes[order["id"]]
            held = [quantity for (of, quantity), times in reserved.items() for _ in range(times) if of == order["id"]]
            right = [order["quantity"]] if status == OK else []
            what = f"{told}: {order['id']}, {order['quantity']} of {order['sku']}, is {in_words(status, body)}"
            assert held == right, f"{what}, and stock has reserved {held or 'nothing'} for it"

    def expect_confirmed(self, orders, outcomes, told):
        """Every order is confirmed at its customer's own price."""
        for order in orders:
            expect_outcome(outcomes[order["id"]], self.confirmation(order), told)

    def expect_degraded(self, orders, outcomes, told):
        """Every order is confirmed at the list price, and says so."""
        for order in orders:
            right = self.confirmation(order, self.list_price(order), degraded=True)
            expect_outcome(outcomes[order["id"]], right, told)

    def expect_rejected(self, order, outcome, reason, told):
        """The order is rejected for this reason, and says so."""
        right = {"id": order["id"], "status": "rejected", "reason": reason}
        expect_outcome(outcome, right, told, 409)

    def expect_deadlines_kept(self, answers, patience, told):
        """Every call says how long its caller waits: no longer than its customer, or 3 s once that was answered."""
        ends = {}
        for answer in answers:
            first = next(hop for hop in self.network.hops if hop.trace_id == answer.trace_id)
            ends[answer.trace_id] = first.began + (SOON + patience if answer.status == ACCEPTED else patience)
        others = {hop.trace_id for hop in self.network.hops if hop.caller == CUSTOMERS}
        for hop in self.calls():
            left = hop.headers.get("X-Deadline-Ms", "")
            what = f"{told}: {hop.caller} calls {hop} ({hop.path})"
            assert left.isdecimal(), f"{what} with the deadline {left!r}; it should be milliseconds"
            strays = hop.began + SOON if hop.trace_id in others else max(ends.values())
            over = hop.began + int(left) / 1000 - ends.get(hop.trace_id, strays)
            longer = f"{what} and says {left} ms, which is {over:.2f} s longer than its customer waits"
            self.sut.in_time(over <= TOLERANCE, longer, late=over - TOLERANCE)
            overdue = (hop.ended or time.monotonic()) - hop.began - int(left) / 1000
            kept_on = f"{what} with {left} ms, and gives it up {overdue:.2f} s after that"
            self.sut.in_time(overdue <= TOLERANCE, kept_on, late=overdue - TOLERANCE)

    def placed(self, orders, told, **options):
        """Place orders all at once and return what became of them."""
        return self.outcomes(orders, self.place_all(orders, told, **options), told)


def posts(orders, deadline_ms=None, trace=None):
    headers = {"X-Deadline-Ms": str(deadline_ms)} if deadline_ms else {}
    headers |= {"traceparent": f"00-{trace}-{trace[:16]}-01"} if trace else {}
    return [("POST", "/orders", {"json": order, "headers": headers}) for order in orders]
