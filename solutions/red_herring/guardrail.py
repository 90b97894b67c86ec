"""Checkout and export keep their contract, whatever the orders are and whatever fails."""

import contextlib
from itertools import count

import pytest

from drill_katas import kit

PRICE = 1200  # cents
DECLINED = 1313  # the provider declines multiples of this amount
DAY = "2026-03-13"
ANSWERS = ["paid", "sold out", "repriced", "declined", "unavailable", "invalid", "unknown"]
RAISED = "raised"
numbers = count(1)


class Shop:
    """A shop with 1000 mugs; its provider charges a key once."""

    def __init__(self, sut):
        self.sut = sut
        self.database = kit.database(connections=20, client="Database")
        self.payments = kit.upstream(self, client="Payments")
        self.charged = {}  # amounts by key
        self.open()
        self.checkout.restock("mug", 1000, PRICE)

    def open(self):
        self.checkout = self.sut.open("Checkout", self.database, self.payments)

    def charge(self, key, amount):
        if amount % DECLINED:
            self.charged.setdefault(key, amount)
            return "charged"
        return "declined"

    def order(self, **more):
        order = {"id": f"order-{next(numbers)}", "day": DAY, "sku": "mug", "quantity": 1, "price": PRICE}
        return order | {"delivery": 1} | more

    def order_for(self, right):
        """Return an order that should get this answer, of an item of its own with one unit in stock."""
        price = DECLINED if right == "declined" else PRICE
        order = self.order(price=price)
        order["sku"] = f"lamp {order['id']}"
        if right != "unknown":
            self.checkout.restock(order["sku"], 1, price + (right == "repriced"))
        return order | {"sold out": {"quantity": 2}, "invalid": {"quantity": 21}}.get(right, {})

    def deliver(self, right, order):
        """Check out an order; payments answer unless `right` is "unavailable"."""
        self.payments.script([kit.Fault.REPLY_LOST] * 9 if right == "unavailable" else [])
        return self.checkout.checkout(order)


def again(order):
    return order | {"delivery": order["delivery"] + 1}


def report(order, reason):
    line = {"event": "checkout failed", "level": "error", "order": order["id"], "reason": reason}
    return kit.ErrorReport("checkout_failure_total", {"reason": reason}, line)


def expect_whole_orders(sut, trouble, right):
    """Expect that an order with trouble at any step has its whole effect or none, and is settled once later."""
    shop = Shop(sut)
    for step in count(1):
        sut.begin_example()
        order, answer, asked = shop.order_for(right), RAISED, len(shop.payments.received)
        sku, charged = order["sku"], dict(shop.charged)
        left = shop.checkout.stock(sku)
        with contextlib.suppress(kit.Killed, kit.SutError), trouble(step) as met:
            answer = shop.deliver(right, order)
        if met.request is None:
            return
        if trouble == sut.killed_before_step:
            shop.open()
        else:
            assert shop.database.checked_out() == []
        if answer == "unavailable":
            assert shop.checkout.stock(sku) == left - 1
        elif answer != RAISED:
            assert answer == right
            assert shop.checkout.stock(sku) == left - (right == "paid")
            assert bool(shop.checkout.receipt(order["id"])) == (right == "paid")
        if answer != RAISED or len(shop.payments.received) > asked:
            shop.checkout.restock(sku, 5, order["price"] + 1)
            left += 5
        assert shop.deliver(right, again(order)) == right
        assert shop.checkout.stock(sku) == left - (right == "paid")
        assert shop.charged == charged | ({order["id"]: PRICE} if right == "paid" else {})
        report(order, right).expect_at_most(sut, f"{right}, {trouble.__name__} {step}:", times=int(right != "paid"))


@pytest.mark.parametrize("right", ["paid", "declined"])
def test_a_failed_statement_leaves_orders_whole(sut, right):
    expect_whole_orders(sut, sut.failing_at_step, right)


def test_orders_leave_no_connection(sut):
    """After any number of orders no connection is out, few were opened, and a good order is paid."""
    shop = Shop(sut)
    for _ in range(5):
        for right in ANSWERS:
            assert shop.deliver(right, shop.order_for(right)) == right
            assert shop.database.checked_out() == [], f"after an order that is {right}"
    assert len({statement.connection for statement in shop.database.statements}) <= 10
    assert shop.deliver("paid", shop.order()) == "paid"


def test_many_payments_may_not_answer(sut):
    shop = Shop(sut)
    for _ in range(70):
        assert shop.deliver("unavailable", shop.order()) == "unavailable"
    assert shop.deliver("paid", shop.order()) == "paid"


def test_the_first_answer_that_applies(sut):
    shop = Shop(sut)
    shop.checkout.restock("lamp", 1, PRICE)
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
    orders = [(right, shop.order_for(right)) for right in ANSWERS if right != "unavailable"]
    for right, order in orders:
        with sut.observe() as seen:
            assert shop.deliver(right, order) == right
        report(order, right).expect(seen, f"{right}:", times=int(right != "paid"))
    for restart in (False, True):
        if restart:
            sut.kill()
            shop.open()
        for right, order in orders:
            shop.checkout.restock(order["sku"], 5, PRICE + 100)
            left, charged = shop.checkout.stock(order["sku"]), dict(shop.charged)
            with sut.observe() as seen:
                assert shop.deliver(right, again(order)) == right
            report(order, right).expect(seen, f"{right} again:", times=0)
            assert (shop.checkout.stock(order["sku"]), shop.charged) == (left, charged)


def test_receipts_and_export_are_exact(sut):
    shop = Shop(sut)
    for id_, quantity in (("b,1", 1), ('a"2', 3), ("x-10", 1), ("A", 1)):
        assert shop.deliver("paid", shop.order(id=id_, quantity=quantity)) == "paid"
    shop.deliver("declined", shop.order_for("declined"))
    assert shop.checkout.receipt('a"2') == f'{DAY} a"2: 3 x mug, 36.00 paid'
    assert shop.checkout.receipt("nothing") is None
    export = sut.open("Export", shop.database)
    lines = ['"a""2",mug,3,36.00', "A,mug,1,12.00", '"b,1",mug,1,12.00', "x-10,mug,1,12.00"]
    expected = ["order,sku,quantity,amount", *lines, "total,,6,72.00"]
    assert export.run(DAY) == "\n".join(expected) + "\n"


def test_exports_leave_connections(sut):
    """Any number of exports leave connections for checkout, and each has all orders so far, also after a drop."""
    shop = Shop(sut)
    export = sut.open("Export", shop.database)
    for _ in range(21):
        assert export.run(DAY).endswith("total,,0,0.00\n")
        assert shop.database.checked_out() == []
    for _ in range(100):
        assert shop.deliver("repriced", shop.order(price=1)) == "repriced"
    assert shop.deliver("paid", shop.order()) == "paid"
    assert export.run(DAY).endswith("total,,1,12.00\n")


def test_checkout_works_again_after_database_errors(sut):
    shop = Shop(sut)
    for _ in range(12):
        with contextlib.suppress(kit.SutError), sut.failing_at_step(1):
            shop.checkout.checkout(shop.order())
    assert shop.deliver("paid", shop.order()) == "paid"


def test_a_failed_restock_changes_nothing(sut):
    shop = Shop(sut)
    for step in count(1):
        sut.begin_example()
        left, price, done = shop.checkout.stock("mug"), PRICE + step, False
        with contextlib.suppress(kit.SutError), sut.failing_at_step(step) as met:
            shop.checkout.restock("mug", 1, price)
            done = True
        assert shop.checkout.stock("mug") == left + done
        assert shop.deliver("paid", shop.order(price=price if done else PRICE)) == "paid"
        shop.checkout.restock("mug", 1, PRICE)
        if met.request is None:
            return


def test_a_killed_worker_leaves_orders_whole(sut):
    for right in ("paid", "sold out"):
        expect_whole_orders(sut, sut.killed_before_step, right)
