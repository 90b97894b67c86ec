"""The shop: customers, and expectations of their outcomes and of the services."""

import statistics
import time
from collections import Counter

from drill_katas import kit

from .customers import CUSTOMERS, SLACK, SOON, TOLERANCE, Customers, posts
from .oracle import ACCEPTED, OK, REFUSED, TOO_LATE, expect_outcome, in_words


class Shop(Customers):
    """The three services and their customers, with the expectations of the checks."""

    def keep_coming(self, orders, every, deadline_ms, context):
        """Place an order every `every` seconds; expect all of them to be degraded."""
        placed, context = self.orders(orders), f"{context}, and an order comes every {every} s"
        outcomes = self.placed(placed, context, every=every, deadline_ms=deadline_ms)
        self.expect_degraded(placed, outcomes, context)

    def goodput(self, many, clients):
        """Place orders from `clients` customers; return how many per second get their own price, and a description."""
        orders = self.orders(many)
        context = (
            f"{many} orders from {kit.plural(clients, 'customer')}, one after the other, for {self.workers} workers"
        )
        began = time.monotonic()
        patience = kit.load.Patience(len(orders) * SOON / clients + SLACK, lambda: self.frozen(context))
        requests = posts(orders)
        load = kit.load.closed_loop(self.network, "checkout", requests, clients=clients, within=60, patience=patience)
        outcomes = self.collected(orders, load.answers, context)
        seconds = time.monotonic() - began
        good = [order for order in orders if outcomes[order["id"]] == (OK, self.confirmation(order))]
        return len(good) / seconds, f"{context}: {len(good) / seconds:.1f} a second are confirmed ({load.describe()})"

    def expect_goodput(self):
        """Expect orders from 15 customers to be confirmed as quickly as the workers allow."""
        alone = statistics.median(self.goodput(1, clients=1)[0] for _ in range(3))
        assert alone, "not one of three orders that come one after the other is confirmed"
        together, seen = self.goodput(30, clients=15)
        share = alone / max(together, 0.001)
        limit = self.sut.measured("goodput_of_one_customer_to_fifteen", share)
        least = self.workers / (10 * self.service_time)
        assert share <= limit or together >= least, (
            f"{seen}, and {alone:.1f} a second when each comes after the one before: {1 / share:.1f} times as many; "
            f"with {self.workers} workers it should be {least:.1f} a second, or {1 / limit:.1f} times as many"
        )

    def expect_no_order_lost(self, orders):
        """Place all orders at once; expect each to have its outcome, then and later."""
        context = f"{len(orders)} orders at once for {self.workers} workers"
        outcomes = self.placed(orders, context)
        self.expect_one_outcome(orders, outcomes, context)
        confirmed = [order for order in orders if outcomes[order["id"]][0] == OK]
        least = 4 * self.workers
        assert len(confirmed) >= least, f"{context}: {len(confirmed)} are confirmed; at least {least} should be"
        self.expect_confirmed(confirmed, outcomes, context)
        for order in confirmed:
            shown = self.look("checkout", f"/orders/{order['id']}")
            assert (shown.status, shown.json()) == outcomes[order["id"]], f"{context}: {order['id']} is not shown later"
        self.expect_confirmed_later([order for order in orders if outcomes[order["id"]][0] in REFUSED], context)

    def expect_no_more_calls(self):
        """Expect no service to get more calls for three orders when a service fails."""
        usual = self.calls_of(3)
        for failing in ("stock", "pricing"):
            self.network.script(failing, [503] * 100)
            calls = self.calls_of(3, deadline_ms=400)
            self.network.script(failing, [])
            for callee, times in calls.items():
                assert times <= usual[callee], (
                    f"{callee} gets {kit.plural(usual[callee], 'call')} for 3 orders when all is well, and {times} "
                    f"when {failing} answers 503"
                )

    def expect_soon_confirmed(self, many, context):
        """Expect `many` orders at once to be confirmed, within 1 s from now."""
        began, passed, seen = time.monotonic(), 0.0, []
        while passed < SOON:  # longer than allowed: a busy machine delays orders, but leaked capacity never returns
            orders = self.orders(many)
            answers = self.place_all(orders, context, deadline_ms=1000)
            accepted = self.collect_accepted(orders, answers, context)
            seen = [accepted.get(order["id"], answer.status) for order, answer in zip(orders, answers, strict=True)]
            if seen == [OK] * many:
                late = (
                    f"{context}: {kit.plural(many, 'order')} at once are confirmed no sooner than {passed:.1f} s later"
                )
                self.sut.in_time(passed < 1 + SLACK, late, late=passed - 1 - SLACK)
                return
            time.sleep(0.05)
            passed = time.monotonic() - began
        raise AssertionError(
            f"{context}: {kit.plural(many, 'order')} at once are answered {seen}; all should be confirmed"
        )

    def refused_by_pricing(self, many):
        """Place orders one after another while pricing answers 503."""
        self.network.script("pricing", [503] * 100)
        for order in self.orders(many):
            self.expect_degraded([order], self.placed([order], "pricing answers 503"), "pricing answers 503")
        self.network.script("pricing", [])

    def expect_own_price(self, context):
        """Expect two customers to pay their own price."""
        orders = self.orders(2)
        self.expect_confirmed(orders, self.placed(orders, context), context)

    def cut_pricing_off(self, orders):
        """Cut pricing off, and place orders one after another; expect them to be degraded. Return them."""
        self.network.partition("pricing")
        placed, patience = self.orders(orders), 300
        for number, order in enumerate(placed, 1):
            context = f"pricing is cut off, and order {number} comes with {patience} ms of patience"
            (answer,) = self.place_all([order], context, deadline_ms=patience)
            late = answer.seconds - patience / 1000 - SLACK / 2
            self.sut.in_time(late <= 0, f"{context}: it is answered after {answer.seconds:.2f} s", late=late)
            kept = answer.status != TOO_LATE
            self.sut.in_time(kept, f"{context}: it is answered 504; it should be confirmed within its deadline")
            self.expect_degraded([order], self.outcomes([order], [answer], context), context)
        return placed

    def wait_for_pricing(self, **options):
        """Place orders one after another until one is not degraded, or 1 s has passed."""
        until = time.monotonic() + 1 + SLACK
        while time.monotonic() < until and self.placed_one(**options)["degraded"]:
            time.sleep(0.05)

    def placed_one(self, **options):
        """Place one order; expect it to be confirmed, and return its outcome."""
        order, context = self.order(), "pricing is back"
        status, body = self.placed([order], context, **options)[order["id"]]
        assert status == OK, f"{context}, and an order is answered {status} {body}; it should be confirmed"
        return body

    def reserved(self):
        """Return the reservations of all goods, as (order, quantity); expect the stock on hand to agree with them."""
        found = []
        for sku in self.prices:
            answer = self.look("stock", f"/stock/{sku}")
            assert answer.status == OK, f"stock answers {answer.status} when asked for {sku}; it should be {OK}"
            stock = answer.json()
            reserved = [(each["order"], each["quantity"]) for each in stock["reserved"]]
            left = self.on_hand - sum(quantity for _, quantity in reserved)
            context = (
                f"of {self.on_hand} {sku} {kit.plural(len(reserved), 'order')} leave {left}, and stock answers "
                f"{stock['on_hand']} on hand; it should be {left}"
            )
            assert stock["on_hand"] == left, context
            found += reserved
        return Counter(found)

    def expect_one_outcome(self, orders, outcomes, context):
        """Expect one reservation for each confirmed order, and none for others."""
        reserved = self.reserved()
        for order in orders:
            status, body = outcomes[order["id"]]
            mine = [quantity for (of, quantity), times in reserved.items() for _ in range(times) if of == order["id"]]
            right = [order["quantity"]] if status == OK else []
            what = f"{context}: {order['id']}, {order['quantity']} of {order['sku']}, is {in_words(status, body)}"
            assert mine == right, f"{what}, and stock has reserved {mine or 'nothing'} for it"

    def expect_confirmed(self, orders, outcomes, context):
        """Expect every order to be confirmed at its customer's own price."""
        for order in orders:
            expect_outcome(outcomes[order["id"]], self.confirmation(order), context)

    def expect_degraded(self, orders, outcomes, context):
        """Expect every order to be confirmed at the list price, degraded."""
        for order in orders:
            right = self.confirmation(order, self.list_price(order), degraded=True)
            expect_outcome(outcomes[order["id"]], right, context)

    def expect_rejected(self, order, outcome, reason, context):
        """Expect the order to be rejected for this reason."""
        right = {"id": order["id"], "status": "rejected", "reason": reason}
        expect_outcome(outcome, right, context, 409)

    def expect_confirmed_later(self, refused, context):
        """Place refused orders again, a few at a time; expect them to be confirmed."""
        many = 4 * self.workers
        context = f"{context}, and later the {len(refused)} that were refused come again, {many} at a time"
        for first in range(0, len(refused), many):
            few = refused[first : first + many]
            self.expect_confirmed(few, self.placed(few, context), context)

    def expect_statuses(self, orders, right, context):
        """Place all orders at once; expect these statuses, the smallest first, and no rejection but sold out."""
        context = f"{context}; {kit.plural(len(orders), 'order')} at once, each of {orders[0]['quantity']}"
        outcomes = self.placed(orders, context)
        statuses = sorted(status for status, _ in outcomes.values())
        assert statuses == right, f"{context}: they are answered {statuses}; it should be {right}"
        self.expect_one_outcome(orders, outcomes, context)
        for order in orders:
            shown = self.look("checkout", f"/orders/{order['id']}")
            if outcomes[order["id"]][0] != OK:
                self.expect_rejected(order, outcomes[order["id"]], "sold out", context)
                self.expect_rejected(order, (shown.status, shown.json()), "sold out", f"{context}, and it is looked at")

    def expect_deadlines_kept(self, answers, patience, context):
        """Expect a deadline on every call, no longer than the customer's, and no call that outlasts its own."""
        ends = {}
        for answer in answers:
            first = next(hop for hop in self.network.hops if hop.trace_id == answer.trace_id)
            ends[answer.trace_id] = first.began + (SOON + patience if answer.status == ACCEPTED else patience)
        others = {hop.trace_id for hop in self.network.hops if hop.caller == CUSTOMERS}
        for hop in self.calls():
            left = hop.headers.get("X-Deadline-Ms", "")
            what = f"{context}: {hop.caller} calls {hop} ({hop.path})"
            assert left.isdecimal(), f"{what} with the deadline {left!r}; it should be milliseconds"
            strays = hop.began + SOON if hop.trace_id in others else max(ends.values())
            over = hop.began + int(left) / 1000 - ends.get(hop.trace_id, strays)
            longer = f"{what} and says {left} ms, which is {over:.2f} s longer than its customer waits"
            self.sut.in_time(over <= TOLERANCE, longer, late=over - TOLERANCE)
            overdue = (hop.ended or time.monotonic()) - hop.began - int(left) / 1000
            kept_on = f"{what} with {left} ms, and gives it up {overdue:.2f} s after that"
            self.sut.in_time(overdue <= TOLERANCE, kept_on, late=overdue - TOLERANCE)
