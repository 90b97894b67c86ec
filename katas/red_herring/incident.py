"""The night to the 14th of March: the shop is open, a drop goes on sale at 02:45, and the export runs at 02:50."""

from drill_katas import kit
from drill_katas.kit.rules import Rule, gauge, quantile, rate

from .shop import DAY, PRICE, Shop

EVENING = 40  # orders paid before midnight, which the export writes
DROP, EXPORT, RESTART = 10, range(15, 30), 25  # minutes
SLICE = 0.01  # seconds of work for half a minute
RUSH = "quarry"  # the variant in which the drop has many more buyers

INCIDENT = kit.Incident(
    begins="2026-03-14T02:35:00Z",
    minutes=30,
    request="checkout",
    since=21,
    rules=(
        Rule(
            "ExportWorkerCpuHigh",
            gauge("export_worker_cpu_ratio") > 0.9,
            wait="1m",
            severity="ticket",
            summary="The nightly export worker uses more than 90 % of a processor.",
        ),
        Rule(
            "CheckoutErrors",
            rate("requests_total", "5m", service="shop-checkout", status="paid")
            / rate("requests_total", "5m", service="shop-checkout")
            < 0.4,
            wait="1m",
            severity="page",
            summary="Three of five checkouts do not end in a payment.",
        ),
        Rule(
            "CheckoutLatencyHigh",
            quantile(0.95, "request_duration_seconds", "5m", service="shop-checkout") > 0.2,
            wait="1m",
            severity="ticket",
            summary="Checkouts are slow.",
        ),
    ),
    ablations={
        "worker_off": "the export worker does not run",
        "no_drop": "no drop goes on sale at 02:45",
        "payments_well": "the payment provider answers every charge",
        "restart": "checkout is restarted at 03:00",
        "old_prices": "no price changes tonight",
    },
    buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.24, 0.32, 0.64),
)


def replay(scene: kit.Scene):
    """Play the night."""
    night = Night(scene)
    for minute in scene.ticks(seconds=15):
        night.go_on(minute)


def pictures(seen):
    """Draw the worker's processor use over all recorded nights, beside the failed checkouts."""
    about = "Fourteen recorded nights. The days between them are not recorded."
    nights = {
        "processor of the export worker": seen.recorded("export_worker_cpu_ratio"),
        "share of checkouts that failed": seen.recorded("checkout_error_ratio"),
    }
    yield kit.Picture("The last fourteen nights", about, nights, y="share")


class Night:
    """The events of the night."""

    def __init__(self, scene):
        self.scene, self.chance = scene, scene.chance
        self.shop = Shop(scene.sut)
        self.export = self.shop.open_export()
        scene.watch("orders-db", self.shop.database, owner="shop-checkout")
        scene.watch("payments", self.shop.payments, owner="shop-checkout")
        scene.expose("shop-checkout", lambda: self.shop.checkout)
        scene.expose("export-worker", lambda: self.export)
        for _ in range(EVENING):
            self.shop.deliver("paid")
        self.open = []  # orders without an answer from payments, and the minute of their next delivery
        self.lost = [] if scene.without("payments_well") else [16, 17, 19, 20]
        self.repriced = None if scene.without("old_prices") else 4 + self.chance.randrange(4)
        self.pieces = 5  # of the drop
        self.buyers = 0.25 if scene.variant == RUSH else 1.25  # minutes between two buyers of the drop
        self.busy = 0.02

    def go_on(self, minute):
        """Play the next 15 seconds."""
        if minute == DROP and not self.scene.without("no_drop"):
            self.shop.checkout.restock(self.shop.drop, self.pieces - 1, PRICE)
            self.scene.log("back-office", "info", "drop on sale", sku=self.shop.drop, units=self.pieces)
        if minute == RESTART and self.scene.without("restart"):
            self.restart()
        if minute % 1 == 0:
            self.scene.wait(self.chance.uniform(0, 3))
            self.order_comes(minute)
        if minute >= DROP and minute % self.buyers == 0 and not self.scene.without("no_drop"):
            self.scene.wait(self.chance.uniform(1, 4))
            sold_out = minute - DROP >= self.pieces * self.buyers
            self.place("sold out" if sold_out else "paid", sku=self.shop.drop, quantity=1)
        self.run_export(minute)

    def restart(self):
        self.scene.sut.kill()
        self.shop.reopen()
        self.export = self.shop.open_export()
        self.scene.log("platform", "warning", "restarted", what="shop-checkout")

    def order_comes(self, minute):
        again = [order for at, order in self.open if at <= minute]
        self.open = [(at, order) for at, order in self.open if at > minute]
        for order in again:
            self.check_out("paid", order | {"delivery": 2})
        if self.lost and minute >= self.lost[0]:
            self.lost.pop(0)
            self.open.append((minute + 1.5, self.place("unavailable")))
        elif minute == self.repriced:
            self.place("repriced")
        else:
            self.place("paid", quantity=self.chance.randint(1, 3))

    def place(self, right, **more):
        order = self.shop.order(right, **more)
        self.check_out(right, order)
        return order

    def check_out(self, right, order):
        lost = [kit.Fault.REQUEST_LOST] if right == "unavailable" else []
        self.shop.payments.script(lost)
        self.scene.call(
            "shop-checkout",
            "checkout",
            lambda: self.shop.checkout.checkout(order),
            good=lambda answer: answer == right,
            order=order["id"],
        )

    def run_export(self, minute):
        """Run the export's work of these 15 seconds, and measure its processor time."""
        runs = int(minute) in EXPORT and not self.scene.without("worker_off")
        if not runs:
            self.busy = 0.02 + self.chance.random() / 50
        elif minute % 0.5 == 0:
            used = self.scene.sut.cpu_seconds()
            self.scene.call("export-worker", "run", lambda: self.export.run(DAY))
            self.busy = (self.scene.sut.cpu_seconds() - used) / SLICE
        about = "Share of a processor that the export worker uses."
        self.scene.gauge("export_worker_cpu_ratio", min(self.busy, 0.97), about)
