"""The shop keeps its contract, whatever its customers do, and whichever service fails."""

import time
from collections import Counter
from itertools import count, cycle, permutations

from drill_katas import kit

SERVICES = ("checkout", "stock", "pricing")
TIERS = {"gold": 10, "silver": 5, "standard": 0}
CUSTOMERS = {"ann": "gold", "bob": "silver", "eve": "standard"}
COUPONS = {"SAVE20": 20}
PRICES = {"mug": "20", "cap": "7"}  # customers order mugs
REFUSED = {429, 503}
PATIENT = 2_900  # ms that a customer waits if the time does not matter
LATE = 0.3  # seconds that a busy machine may add
REJECTED = {"event": "order failed", "level": "error", "reason": "sold out"}
SOLD_OUT = kit.ErrorReport("orders_failed_total", {"reason": "sold out"}, REJECTED)


class Shop:
    """The three services, their customers, and the right outcomes."""

    def __init__(self, sut, workers, on_hand=1_000, service_time=0.01):
        self.sut, self.workers, self.on_hand, self.service_time = sut, workers, on_hand, service_time
        self.database = kit.database(round_trip=0.001, client="Database")
        self.network = kit.network(*SERVICES)
        self.sold = Counter()  # the orders that must be reserved, with their quantities
        self.turns = zip(count(1), cycle([*CUSTOMERS, "stranger"]), cycle(["SAVE20", None, "EXPIRED"]))
        self.serve()

    def serve(self):
        own = {
            "checkout": {"customers": CUSTOMERS},
            "stock": {"on_hand": dict.fromkeys(PRICES, self.on_hand), "database": self.database},
            "pricing": {"tiers": TIERS, "coupons": COUPONS},
        }
        common = {"workers": self.workers, "service_time": self.service_time, "list_prices": PRICES}
        for service in SERVICES:
            self.sut.serve(f"{service}.make_app", self.network.node(service), **common, **own[service])

    def orders(self, many, **fields):
        """Return new orders of two mugs by customers in turn; `fields` are the same in all of them."""
        turns = [next(self.turns) for _ in range(many)]
        new = [{"id": f"order-{number}", "customer": person, "coupon": coupon} for number, person, coupon in turns]
        return [{"sku": "mug", "quantity": 2} | order | fields for order in new]

    def confirmation(self, order, *, degraded=False):
        off = TIERS[CUSTOMERS.get(order["customer"], "standard")] + COUPONS.get(order["coupon"], 0)
        price = kit.money.text(int(PRICES["mug"]) * order["quantity"] * (100 - off * (not degraded)), "USD")
        return 200, {"id": order["id"], "status": "confirmed", "price": price, "degraded": degraded}

    def place(self, orders, every=0.0, deadline=PATIENT, within=4.0, trace=None, also=()):
        """Place an order every `every` seconds; customers hang up after `within` seconds. Return the answers."""
        if deadline < PATIENT:
            self.sut.on_time()
        headers = {"X-Deadline-Ms": str(deadline)}
        headers |= {"traceparent": f"00-{trace}-{trace[:16]}-01"} if trace else {}
        posts = [("POST", "/orders", {"json": order, "headers": headers}) for order in orders]
        arrivals = [kit.load.Arrival(number * every, post, within) for number, post in enumerate(posts)]
        return kit.load.open_loop(self.network, "checkout", [*arrivals, *also]).answers

    def look(self, node, path):
        return self.network.ask(node, "GET", path, within=4)

    def outcome(self, order, answer):
        """Return an order's outcome as (status, body): look at it after 202, place it again after 504 or a hang-up."""
        until = time.monotonic() + 3 + LATE
        while answer.status in {202, 504, None} and time.monotonic() < until:
            time.sleep(0.02)
            accepted = answer.status == 202
            answer = self.look("checkout", f"/orders/{order['id']}") if accepted else self.place([order])[0]
        return answer.status, answer.body and answer.json()

    def outcomes(self, orders, answers):
        return [self.outcome(order, answer) for order, answer in zip(orders, answers, strict=True)]

    def confirm(self, orders, *, degraded=False, **options):
        """Place orders; expect each to be confirmed at its price, or at the list price if `degraded`."""
        answers = self.place(orders, **options)
        assert {answer.status for answer in answers} <= {200, 202}
        assert self.outcomes(orders, answers) == [self.confirmation(order, degraded=degraded) for order in orders]
        self.sold |= {(order["id"], order["quantity"]): 1 for order in orders}
        return answers

    def confirm_soon(self, many):
        """Place orders until all are confirmed at their own prices, for little more than a second."""
        until = time.monotonic() + 1 + LATE
        while time.monotonic() < until:
            orders = self.orders(many)
            outcomes = self.outcomes(orders, self.place(orders, deadline=1_000))
            if outcomes == [self.confirmation(order) for order in orders]:
                return
            time.sleep(0.05)
        raise AssertionError(f"after a second of good health, orders are answered {outcomes}")

    def expect_stock(self):
        """Expect exactly one reservation for each order that was confirmed."""
        reserved = Counter()
        for sku in PRICES:
            shelf = self.look("stock", f"/stock/{sku}").json()
            reserved += Counter((each["order"], each["quantity"]) for each in shelf["reserved"])
            assert shelf["on_hand"] == self.on_hand - sum(each["quantity"] for each in shelf["reserved"])
        assert reserved == self.sold

    def calls(self, callee=None):
        """The calls between services for orders."""
        return [hop for hop in self.network.hops if hop.caller != "customers" and callee in {None, hop.callee}]

    def failed(self):
        return sum(float(each["value"]) for each in self.sut.metrics() if each["name"] == "orders_failed_total")


def test_calls_carry_deadline_and_trace(sut):
    """Each call says how long its caller waits, never longer than the customer, and whose order it is for."""
    shop = Shop(sut, workers=1)
    shop.network.delay("stock", 0.15)
    answers = shop.confirm(shop.orders(4), deadline=1_200)
    begins = {hop.trace_id: hop.began for hop in reversed(shop.network.hops)}
    ends = {each.trace_id: begins[each.trace_id] + 1.2 + 3 * (each.status == 202) for each in answers}
    for hop in shop.calls():
        assert hop.trace_id in ends
        deadline = hop.headers.get("X-Deadline-Ms", "")
        assert deadline.isdecimal()
        late = hop.began + int(deadline) / 1000 - ends[hop.trace_id] - LATE
        sut.in_time(late <= 0, f"{hop} may take {deadline} ms, longer than its customer waits", late=late)
    assert {hop.trace_id for hop in shop.calls("pricing")} == set(ends)


def test_stock_fails_and_returns(sut):
    """An order makes as few calls as ever, and is refused, or rejected as failed; later ones are confirmed."""
    shop = Shop(sut, workers=2)
    shop.confirm(shop.orders(1))
    usual = len(shop.calls("stock"))
    shop.network.script("stock", [503] * 100)
    for order in shop.orders(4):
        before, counted = len(shop.calls("stock")), shop.failed()
        (answer,) = shop.place([order])
        time.sleep(0.1 if answer.status == 202 else 0)
        assert len(shop.calls("stock")) - before <= usual
        status, body = shop.outcome(order, answer)
        assert status in REFUSED or body == {"id": order["id"], "status": "rejected", "reason": "failed"}
        assert status == 409 or answer.headers.get("Retry-After", "").isdecimal()
        assert shop.failed() - counted == (status == 409)
    shop.network.script("stock", [])
    shop.confirm_soon(2)


def test_sold_out_orders_are_rejected_once(sut):
    """Of orders for more than there is, those that are rejected are counted, logged, and shown once."""
    shop = Shop(sut, workers=2, on_hand=5)
    orders = shop.orders(3, quantity=3)
    with sut.observe() as seen:
        answers = shop.place(orders)
        outcomes = shop.outcomes(orders, answers)
    traces = [answer.trace_id for answer, (status, _) in zip(answers, outcomes, strict=True) if status == 409]
    assert sorted(status for status, _ in outcomes) == [200, 409, 409]
    SOLD_OUT.expect(seen, "of 3 orders for 3 of 5,", times=2, trace_ids=traces)
    shop.network.delay("stock", 0.05)
    for order, (status, body) in zip(orders, outcomes, strict=True):
        assert status == 200 or body == {"id": order["id"], "status": "rejected", "reason": "sold out"}
        shown = shop.look("checkout", f"/orders/{order['id']}")
        assert (shown.status, shown.json()) == (status, body)
    copies = shop.orders(1, quantity=3) * 2
    for again, times in ((copies, 1), (copies, 0), (orders, 0)):
        with sut.observe() as seen:
            answers = shop.place(again)
            assert 409 in dict(shop.outcomes(again, answers))
        SOLD_OUT.expect(seen, "an order comes twice,", times=times, trace_ids=[each.trace_id for each in answers])


def test_hang_ups_block_nobody(sut):
    """After more customers have hung up than may be in hand, their orders and others are confirmed."""
    shop = Shop(sut, workers=1)
    shop.network.delay("stock", 0.3)
    hurried = shop.orders(9)
    shop.place(hurried, within=0.1)
    shop.network.delay("stock", 0)
    shop.confirm_soon(4)
    shop.confirm(hurried[:1])


def test_a_possible_reservation_is_not_denied(sut):
    """After a lost answer an order is not refused, and after a failed statement it is not sold out."""
    shop = Shop(sut, workers=2)
    lost = shop.orders(1)
    shop.network.script("stock", [kit.Fault.REPLY_LOST])
    answers = shop.place(lost)
    assert answers[0].status not in REFUSED
    shop.outcomes(lost, answers)
    shop.confirm(lost)
    shop.expect_stock()
    for step, order in enumerate(shop.orders(3), 1):
        with sut.failing_at_step(step):
            (answer,) = shop.place([order])
        assert (shop.outcome(order, answer)[1] or {}).get("reason") != "sold out"


def test_shops_share_nothing(sut):
    """Two shops in one process have orders with the same ids; each charges its own price."""
    shop, other = Shop(sut, workers=2), Shop(sut, workers=2)
    orders = shop.orders(2, customer="ann", coupon="SAVE20")
    shop.network.delay("stock", 0.2)
    asked = shop.network.start(shop.network.send("checkout", ("POST", "/orders", {"json": orders[0]}), 4))
    time.sleep(0.1)
    other.confirm([orders[0] | {"customer": "eve", "coupon": None}])
    assert shop.outcome(orders[0], asked.result(5)) == shop.confirmation(orders[0])


def test_pricing_fails_and_returns(sut):
    """Orders get the list price; after three failures in a row pricing gets single calls; own prices return soon."""
    shop = Shop(sut, workers=4)
    shop.confirm(shop.orders(2))
    shop.network.partition("pricing")
    shop.confirm(shop.orders(1), degraded=True, deadline=800)
    shop.network.heal("pricing")
    shop.confirm(shop.orders(1))
    for failures in (1, 2):
        shop.network.script("pricing", [503] * 100)
        for order in shop.orders(failures):
            shop.confirm([order], degraded=True)
        shop.network.script("pricing", [])
        shop.confirm(shop.orders(1))
    shop.network.script("pricing", [503] * 100)
    before = len(shop.calls("pricing"))
    shop.network.delay("pricing", 0.2)
    shop.confirm(shop.orders(18, customer="ann", coupon="SAVE20"), every=0.05, degraded=True)
    calls = sorted((hop for hop in shop.calls("pricing")[before:] if hop.ended), key=lambda hop: hop.ended)
    later = [hop for hop in calls[3:] if hop.began > calls[2].ended + 0.05]
    assert kit.waits.max_overlap(later) <= 1
    shop.network.script("pricing", [])
    shop.network.delay("pricing", 0)
    shop.confirm_soon(1)
    shop.confirm(shop.orders(2))


def test_a_repeated_order_is_the_same(sut):
    """Copies of an order, at once, later, and after a restart, get its outcome."""
    shop = Shop(sut, workers=2)
    copied, plain, cheap = shop.orders(3)
    shop.confirm([copied, copied, copied, plain])
    shop.network.script("pricing", [503] * 9)
    shop.confirm([cheap], degraded=True)
    shop.network.script("pricing", [])
    sut.kill()
    shop.serve()
    shop.expect_stock()
    shop.confirm([copied, plain])
    shop.confirm([cheap], degraded=True)
    shop.expect_stock()


def test_a_silent_stock_leaves_room(sut):
    """While stock is cut off, /health is answered; when it is back, the shop is not full of old orders."""
    shop = Shop(sut, workers=1)
    shop.network.partition("stock")
    orders, look = shop.orders(9), kit.load.Arrival(0.1, ("GET", "/health", {}), 1 + LATE)
    *answers, health = shop.place(orders, deadline=1_400, also=[look])
    sut.in_time(health.status is not None, "/health has no answer while stock is cut off", late=LATE)
    assert health.status == 200
    shop.network.heal("stock")
    shop.outcomes(orders, answers)
    shop.confirm_soon(4)


def test_all_workers_work(sut):
    """Eight workers who need 0.05 s for an order in each service confirm 16 orders a second."""
    shop = Shop(sut, workers=8, service_time=0.05)
    began = time.monotonic()
    shop.confirm(shop.orders(16), deadline=2_800)
    late = time.monotonic() - began - 1
    sut.in_time(late <= 0, f"16 orders take {late + 1:.1f} s", within=1, late=late)


def test_four_orders_per_worker_are_confirmed(sut):
    """As many orders as the shop must take, at once or on one trace, get their own prices, with few calls at once."""
    shop = Shop(sut, workers=2)
    shop.confirm(shop.orders(8), deadline=2_000)
    shop.network.delay("stock", 0.05)
    shop.confirm(shop.orders(8), every=0.01, trace="5a1e" * 8)
    shop.expect_stock()
    for caller, callee in permutations(SERVICES, 2):
        assert kit.waits.most_open(shop.calls(), caller, callee) <= 2
    assert shop.database.peak_connections <= 2


def test_overload_is_refused_at_once(sut):
    """Orders beyond 8 for each worker are refused within 1 s, a confirmed one is not, and a refusal is no failure."""
    shop = Shop(sut, workers=2)
    (known,) = shop.orders(1)
    shop.confirm([known])
    shop.network.delay("stock", 0.3)
    orders, counted = shop.orders(60), shop.failed()
    again = kit.load.Arrival(0.2, ("POST", "/orders", {"json": known, "headers": {"X-Deadline-Ms": "500"}}), 4)
    *answers, repeated = shop.place(orders, deadline=1_000, also=[again])
    assert repeated.status not in REFUSED
    assert sum(answer.status in REFUSED for answer in answers) >= 60 - 8 * 2 - 2 * 4
    shop.network.delay("stock", 0)
    assert shop.failed() - counted == [status for status, _ in shop.outcomes(orders, answers)].count(409)
