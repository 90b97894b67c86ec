"""Checkout and export keep their contract, whatever the orders are and whatever fails."""

import contextlib
from itertools import count

import pytest

from drill_katas import kit

PRICE = 1200  # cents
DECLINED = 1313  # the provider declines multiples of this amount
DAY = "2026-03-13"
ANSWERS = ["paid", "sold out", "repriced", "declined", "unavailable", "invalid", "unknown"]
LATE = {"COMMIT", "ROLLBACK", "the ROLLBACK as the connection returns to its pool"}


class Shop:
    """A shop with mugs, caps that the provider declines, and one lamp."""

    def __init__(self, sut):
        self.sut = sut
        self.database = kit.database(connections=20, client="Database")
        self.payments = kit.upstream(self, client="Payments")
        self.charged = {}
        self.numbers = count(1)
        self.open()
        for sku, units, price in (("mug", 1000, PRICE), ("cap", 1000, DECLINED), ("lamp", 1, PRICE)):
            self.checkout.restock(sku, units, price)

    def open(self):
        self.checkout = self.sut.open("Checkout", self.database, self.payments)

    def charge(self, key, amount):
        if amount % DECLINED:
            self.charged.setdefault(key, amount)
            return "charged"
        return "declined"

    def order(self, right="paid", **more):
        special = {
            "sold out": {"sku": "lamp", "quantity": 2},
            "repriced": {"price": PRICE - 1},
            "declined": {"sku": "cap", "price": DECLINED},
            "invalid": {"quantity": 21},
            "unknown": {"sku": "vase"},
        }.get(right, {})
        order = {"id": f"order-{next(self.numbers)}", "day": DAY, "sku": "mug", "quantity": 1, "price": PRICE}
        return order | {"delivery": 1} | special | more

    def deliver(self, right, order=None):
        self.payments.script([kit.Fault.REPLY_LOST] * 9 if right == "unavailable" else [])
        return self.checkout.checkout(order or self.order(right))


def again(order):
    return order | {"delivery": order["delivery"] + 1}


@pytest.mark.parametrize("right", ANSWERS)
def test_orders_leave_no_connection(sut, right):
    """After any number of orders no connection is out, few were opened, and a good order is paid."""
    shop = Shop(sut)
    for _ in range(25):
        assert shop.deliver(right, shop.order(right, sku="lamp", quantity=2) if right == "sold out" else None) == right
        assert shop.database.checked_out() == []
    assert len({statement.connection for statement in shop.database.statements}) <= 10
    assert shop.deliver("paid") == "paid"


def test_the_first_answer_that_applies(sut):
    shop = Shop(sut)
    for right, more in (
        ("invalid", {"quantity": 0, "sku": "vase"}),
        ("unknown", {"sku": "Mug", "price": 1}),
        ("repriced", {"sku": "lamp", "quantity": 2, "price": 1}),
        ("sold out", {"sku": "lamp", "quantity": 2}),
        ("paid", {"sku": "lamp"}),
        ("paid", {"quantity": 20}),
    ):
        assert shop.deliver(right, shop.order(**more)) == right


def test_settled_orders_stay_settled(sut):
    """Each order gets its answer again, without another charge, unit, or report, also after a restart."""
    shop = Shop(sut)
    orders = [(right, shop.order(right)) for right in ANSWERS if right != "unavailable"]
    for right, order in orders:
        with sut.observe() as seen:
            assert shop.deliver(right, order) == right
        assert seen.increase("checkout_failure_total", reason=right) == (right != "paid")
    for restart in (False, True):
        if restart:
            sut.kill()
            shop.open()
        for sku in ("mug", "lamp", "vase"):
            shop.checkout.restock(sku, 5, PRICE + 100)
        left, charged = shop.checkout.stock("mug"), dict(shop.charged)
        for right, order in orders:
            with sut.observe() as seen:
                assert shop.deliver(right, again(order)) == right
            assert seen.increase("checkout_failure_total", reason=right) == 0
        assert (shop.checkout.stock("mug"), shop.charged) == (left, charged)


@pytest.mark.parametrize(("right", "sku", "price"), [("paid", "mug", PRICE), ("declined", "cap", DECLINED)])
def test_an_open_order_is_settled_later(sut, right, sku, price):
    shop = Shop(sut)
    order = shop.order(sku=sku, price=price)
    for _ in range(8):
        assert shop.deliver("unavailable", order) == "unavailable"
        assert shop.checkout.stock(sku) == 999
        order = again(order)
    shop.checkout.restock(sku, 1, price + 1)
    assert shop.deliver(right, order) == right
    assert shop.checkout.stock(sku) == (1000 if right == "paid" else 1001)
    assert set(shop.charged) <= {order["id"]}
    assert all(amount == price for amount in shop.charged.values())


def tried(sut, right, trouble):
    """Deliver an order with trouble at each step in turn, and again; yield the shop and the order."""
    for step in count(1):
        sut.begin_example()
        shop = Shop(sut)
        order, answer = shop.order(right), None
        with contextlib.suppress(kit.Killed, kit.SutError), trouble(step) as met:
            answer = shop.deliver(right, order)
        if met.request is None:
            return
        if trouble == sut.killed_before_step:
            shop.open()
        elif met.request in LATE:
            continue
        yield shop, order, answer


@pytest.mark.parametrize("right", ["paid", "declined", "sold out", "unknown", "repriced"])
def test_a_failed_statement_leaves_orders_whole(sut, right):
    for shop, order, answer in tried(sut, right, sut.failing_at_step):
        assert answer in {None, right, "unavailable"}
        assert shop.database.checked_out() == []
        if answer == "unavailable":
            assert shop.checkout.stock(order["sku"]) == 999
        elif answer is not None:  # the effect is there before the order comes again
            assert shop.checkout.stock("lamp") == 1
            assert bool(shop.checkout.receipt(order["id"])) == (right == "paid")
            shop.checkout.restock("lamp", 5, PRICE)
            shop.checkout.restock("vase", 5, PRICE)
        shop.checkout.restock("mug", 1, PRICE if right != "paid" or not shop.charged else PRICE + 1)
        assert shop.deliver(right, again(order)) == right
        assert len(shop.charged) == (right == "paid")
        assert shop.checkout.stock("mug") == 1001 - (right == "paid")


@pytest.mark.parametrize("right", ["paid", "declined"])
def test_a_killed_worker_leaves_orders_whole(sut, right):
    for shop, order, _ in tried(sut, right, sut.killed_before_step):
        if shop.charged:
            shop.checkout.restock("mug", 1, PRICE + 1)
        left = shop.checkout.stock(order["sku"])
        assert left in {1001, 1000, 999}
        assert shop.deliver(right, again(order)) == right
        assert len(shop.charged) == (right == "paid")
        assert shop.checkout.stock(order["sku"]) in ({999, 1000} if right == "paid" else {1000, 1001})


@pytest.mark.parametrize("right", ["declined", "sold out"])
def test_a_failure_is_reported_once_despite_errors(sut, right):
    for step in count(1):
        sut.begin_example()
        shop = Shop(sut)
        order = shop.order(right)
        with sut.observe() as seen:
            with contextlib.suppress(kit.SutError), sut.failing_at_step(step) as met:
                shop.deliver(right, order)
            shop.deliver(right, again(order))
        if met.request is None:
            return
        assert met.request in LATE or seen.increase("checkout_failure_total", reason=right) <= 1


def test_a_failed_restock_changes_nothing(sut):
    for step in count(1):
        sut.begin_example()
        shop, done = Shop(sut), False
        with contextlib.suppress(kit.SutError), sut.failing_at_step(step) as met:
            shop.checkout.restock("mug", 1, PRICE + 1)
            done = True
        if met.request is None:
            return
        if met.request not in LATE:
            assert shop.checkout.stock("mug") == 1000 + done
            assert shop.deliver("paid", shop.order(price=PRICE + done)) == "paid"


def test_checkout_works_again_after_database_errors(sut):
    shop = Shop(sut)
    for _ in range(12):
        with contextlib.suppress(kit.SutError), sut.failing_at_step(1):
            shop.checkout.checkout(shop.order())
    assert shop.deliver("paid") == "paid"


def test_many_payments_may_not_answer(sut):
    shop = Shop(sut)
    for _ in range(250):
        assert shop.deliver("unavailable") == "unavailable"
    assert shop.deliver("paid") == "paid"


def test_receipts_and_export_are_exact(sut):
    shop = Shop(sut)
    for id_, quantity in (("b,1", 1), ('a"2', 3), ("order-10", 1), ("A", 1)):
        assert shop.deliver("paid", shop.order(id=id_, quantity=quantity)) == "paid"
    shop.deliver("declined")
    assert shop.checkout.receipt('a"2') == f'{DAY} a"2: 3 x mug, 36.00 paid'
    assert shop.checkout.receipt("nothing") is None
    export = sut.open("Export", shop.database)
    lines = ['"a""2",mug,3,36.00', "A,mug,1,12.00", '"b,1",mug,1,12.00', "order-10,mug,1,12.00"]
    expected = ["order,sku,quantity,amount", *lines, "total,,6,72.00"]
    assert export.run(DAY) == "\n".join(expected) + "\n"
    assert shop.deliver("paid", shop.order(id="z")) == "paid"
    assert "z,mug,1,12.00" in export.run(DAY)


def test_exports_of_busy_days_leave_connections(sut):
    shop = Shop(sut)
    for _ in range(130):
        shop.deliver("paid")
    export = sut.open("Export", shop.database)
    for _ in range(25):
        assert export.run(DAY).count("\n") == 132
        assert shop.database.checked_out() == []
    assert shop.deliver("paid") == "paid"
