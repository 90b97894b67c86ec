"""The morning of the 2nd of March: at 09:10 a flyer for pens goes out."""

import functools

from drill_katas import kit
from drill_katas.kit.rules import Rule, gauge

from .shop import Shop, total_of

RULES = (
    Rule("BasketsTooCheap", gauge("basket_cents") < 900, "2m", "page", "Baskets cost less than 9.00 each."),
    Rule("PriceImportSlow", gauge("price_import_seconds") > 30, "1m", "ticket", "The price import takes over 30 s."),
)
WITHOUT = {"repeats": "no article is added twice", "looks": "no total is shown early", "import": "no price import"}
TOTAL = "GET /baskets/{id}/total"
INCIDENT = kit.Incident("2026-03-02T09:00:00Z", 20, TOTAL, since=10, rules=RULES, ablations=WITHOUT)


def replay(scene: kit.Scene) -> None:
    shop = Shop(scene.sut)
    shop.prices |= {f"pen-{number}": 250 for number in range(4)}
    scene.watch("network", shop.network)
    for number, minute in enumerate(scene.ticks(seconds=30)):
        pens = 0 if minute < 10 else 1 if scene.variant == "orchard" else 4
        skus = [f"pen-{each if scene.without('repeats') else 0}" for each in range(pens)] or ["lamp"]
        additions = [(sku, scene.chance.randint(1, 3)) for sku in skus]
        due = shop.fill(f"b{number}", additions, looks=not scene.without("looks"))
        good = functools.partial(compare, scene, due)
        scene.send(shop.network, "basket", TOTAL, patience=2, good=good, path=f"/baskets/b{number}/total")
        scene.gauge("price_import_seconds", 0 if scene.without("import") or minute < 5 else 45, "Time of an import.")


def compare(scene: kit.Scene, due: int, answer: kit.HttpResponse) -> bool:
    total = total_of(answer)
    scene.log("finance", "info", "basket compared", due=due, total=total)
    scene.gauge("basket_cents", total or 0, "Cost of the last basket.")
    return bool(total == due)
