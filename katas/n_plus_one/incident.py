"""The morning of the 2nd of June: at nine, as every day, the desk opens its list of customers."""

from collections import Counter

from drill_katas import kit
from drill_katas.kit.rules import Rule, rate

from .oracle import Shop, path_of

NINE, QUIET = 10, 13  # minutes
IMPORT = range(8, 16)  # minutes in which orders are imported
CUSTOMERS = 40
PAGE = 10  # customers on a page of the list
PATIENCE = 3.0  # seconds

INCIDENT = kit.Incident(
    begins="2026-06-02T08:50:00Z",
    minutes=30,
    request="GET /dashboard",
    since=NINE,
    until=QUIET,
    scale=10,
    rules=(
        Rule(
            "DashboardUnavailable",
            rate("requests_total", "3m", request="GET /dashboard", status="none")
            / rate("requests_total", "3m", request="GET /dashboard")
            > 0.2,
            wait="1m",
            severity="page",
            summary="More than 20 % of the dashboards have no answer within 3 s.",
        ),
        Rule(
            "OrderImportBusy",
            rate("requests_total", "3m", request="POST /orders") > 0.01,
            wait="1m",
            severity="ticket",
            summary="Orders are imported during desk hours.",
        ),
        Rule(
            "InstanceUnhealthy",
            rate("requests_total", "3m", request="GET /health", status="none")
            / rate("requests_total", "3m", request="GET /health")
            > 0.2,
            wait="1m",
            severity="ticket",
            summary="More than 20 % of the health checks have no answer within 2 s.",
        ),
    ),
    ablations={
        "single_customers": "the desk opens single customers instead of pages of the list",
        "no_import": "no orders are imported before ten",
        "prices_near": "the price service is in its old, near data center",
        "database_near": "the database is on the same host as the application",
        "one_reader": "one person opens the list at nine, instead of the whole desk",
    },
    buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6, 2, 2.4, 2.8, 3.2, 4, 6),
)


def replay(scene: kit.Scene):
    """Play the morning."""
    morning = Morning(scene)
    for minute in scene.ticks(seconds=30):
        morning.go_on(minute)


def pictures(seen):
    """Draw the calls and the time of each dashboard."""
    roots = {span.trace_id: span for span in seen.spans if span.name == "GET /dashboard" and span.ended}
    asked = {}
    for span in seen.spans:
        if span.trace_id in roots and span is not roots[span.trace_id]:
            asked.setdefault(f"calls to {span.service}", Counter())[span.trace_id] += 1
    dots = {name: sorted((roots[trace].seconds, number) for trace, number in of.items()) for name, of in asked.items()}
    about = "One dot for each dashboard: its statements or price calls, and its time."
    yield kit.Picture("Calls and time of each dashboard", about, dots, x="seconds", y="calls")


class Morning:
    """The events of the morning."""

    def __init__(self, scene):
        self.scene, self.chance = scene, scene.chance
        latency = 0.0001 if scene.without("prices_near") else 0.002
        round_trip = 0.0 if scene.without("database_near") else 0.001
        self.shop = Shop(scene.sut, round_trip=round_trip, latency=latency)
        self.customers = self.shop.fill(CUSTOMERS, orders=2, lines=2, addresses=1)
        self.shop.network.hops.clear()
        self.shop.database.statements.clear()
        scene.watch("network", self.shop.network)
        scene.watch("orders-db", self.shop.database, owner="dashboard")

    def go_on(self, minute):
        """Play the next 30 seconds."""
        rush = NINE <= minute < QUIET
        many = 1 if self.scene.without("single_customers") else PAGE
        if int(minute) in IMPORT and not self.scene.without("no_import"):
            self.import_orders()
        for _ in range(1 if self.scene.without("one_reader") or not rush else 4):
            self.open_list(many if rush else 1)
        self.scene.send(self.shop.network, "dashboard", "GET /health", patience=2)

    def open_list(self, many):
        ids = self.chance.sample(self.customers, many)

        def good(answer):
            try:
                self.shop.expect(answer, ids, "")
            except AssertionError:
                return False
            return True

        self.scene.send(
            self.shop.network, "dashboard", "GET /dashboard", patience=PATIENCE, good=good, path=path_of(ids)
        )

    def import_orders(self):
        """Import an order of a customer who is on no dashboard."""
        line = {"sku": min(self.shop.service.prices), "quantity": self.chance.randint(1, 9)}
        orders = [{"user": CUSTOMERS + 1, "lines": [line]}]
        self.scene.send(self.shop.network, "dashboard", "POST /orders", patience=30, json={"orders": orders})
