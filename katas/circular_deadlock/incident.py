"""The afternoon of the sale: a quiet hour, then more orders at once, by customers in a hurry."""

from drill_katas import kit
from drill_katas.kit.rules import Rule, gauge, rate

from .customers import SERVICES
from .shop import Shop

SALE = 20  # minute
WORKERS = 4
PATIENCE = 60.0  # seconds until a customer closes the window
HURRY = 0.008  # seconds until a customer in a hurry closes it

INCIDENT = kit.Incident(
    begins="2026-05-07T14:40:00Z",
    minutes=30,
    request="POST /orders",
    since=20,
    rules=(
        Rule(
            "NoOrderConfirmed",
            rate("requests_total", "4m", request="POST /orders", status="200|202")
            / rate("requests_total", "4m", request="POST /orders")
            < 0.05,
            wait="1m",
            severity="page",
            summary="Less than 5 % of the orders of the last 4 minutes are confirmed or accepted.",
        ),
        Rule(
            "StockDatabaseSlow",
            gauge("db_statement_seconds") > 0.0015,
            wait="2m",
            severity="ticket",
            summary="A statement on stock's database takes more than 1.5 ms; on the old host it took less than 1 ms.",
        ),
        Rule(
            "CustomersGone",
            rate("requests_total", "4m", request="POST /orders", status="none")
            / rate("requests_total", "4m", request="POST /orders")
            > 0.03,
            wait="1m",
            severity="ticket",
            summary="More than 3 % of the customers close the window without an answer.",
        ),
    ),
    ablations={
        "no_sale": "the order rate stays the same after 15:00",
        "nobody_hurries": "no customer closes the window within the first minute",
        "pricing_off": "pricing answers 503 immediately, so orders get the list price",
        "more_workers": "every service has twice as many workers",
        "database_near": "stock's database is on its old host",
    },
    buckets=(0.01, 0.02, 0.04, 0.08, 0.16, 0.5, 1, 3, 10, 30, 60, 90),
)


def replay(scene: kit.Scene):
    """Play the afternoon."""
    afternoon = Afternoon(scene)
    for minute in scene.ticks(seconds=20):
        afternoon.go_on(minute)


class Afternoon:
    """The events of the afternoon."""

    def __init__(self, scene):
        self.scene, self.chance = scene, scene.chance
        workers = WORKERS * 2 if scene.without("more_workers") else WORKERS
        round_trip = 0.0 if scene.without("database_near") else 0.002
        self.shop = Shop(scene.sut, workers, service_time=0.002, round_trip=round_trip)
        scene.watch("network", self.shop.network)
        scene.watch("stock-db", self.shop.database, owner="stock")
        self.statements = 0

    def go_on(self, minute):
        """Play the next 20 seconds."""
        sale = minute >= SALE
        if sale and self.scene.without("pricing_off"):
            self.shop.network.script("pricing", [503] * 50)
        many = self.chance.randint(1, 2)
        rush = self.chance.randint(WORKERS, WORKERS + 2)
        if sale:
            self.place(PATIENCE if self.scene.without("nobody_hurries") else HURRY, good=None)
        for _ in range(rush if sale and not self.scene.without("no_sale") else many):
            self.place(PATIENCE)
        for service in SERVICES:
            self.scene.send(self.shop.network, service, "GET /health", patience=1)
        self.measure()

    def place(self, patience, **good):
        order = self.shop.order(quantity=1)
        self.scene.send(self.shop.network, "checkout", "POST /orders", patience=patience, json=order, **good)

    def measure(self):
        seen = self.shop.database.statements[self.statements :]
        self.statements += len(seen)
        if seen:
            mean = sum(statement.seconds for statement in seen) / len(seen)
            self.scene.gauge("db_statement_seconds", mean, "Mean time of a statement on stock's database.")
