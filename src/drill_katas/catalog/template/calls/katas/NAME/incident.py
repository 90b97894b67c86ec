"""The morning of the 2nd of March: at 09:10 a flyer for pens goes out."""

import functools
import operator

from drill_katas import kit
from drill_katas.kit.rules import Rule, gauge

RULES = (
    Rule("BasketsTooCheap", gauge("basket_cents") < 900, "2m", "page", "Baskets cost less than 9.00 each."),
    Rule("PriceImportSlow", gauge("price_import_seconds") > 30, "1m", "ticket", "The price import takes over 30 s."),
)
WITHOUT = {"repeats": "no article is added twice", "looks": "no total is shown early", "import": "no price import"}
INCIDENT = kit.Incident("2026-03-02T09:00:00Z", 20, "total", since=10, rules=RULES, ablations=WITHOUT)


def replay(scene: kit.Scene) -> None:
    for minute in scene.ticks(seconds=30):
        pens = 0 if minute < 10 else 1 if scene.variant == "orchard" else 4
        skus = [f"pen-{number if scene.without('repeats') else 0}" for number in range(pens)] or ["lamp"]
        additions = [(sku, 250 if pens else 2900, scene.chance.randint(1, 3)) for sku in skus]
        due = sum(price * quantity for _, price, quantity in additions)
        good = functools.partial(operator.eq, due)
        total = scene.call("basket", "total", functools.partial(buy, scene, additions), good)
        scene.log("finance", "info", "basket compared", additions=len(additions), due=due, total=total)
        scene.gauge("basket_cents", total or 0, "Cost of the last basket.")
        scene.gauge("price_import_seconds", 0 if scene.without("import") or minute < 5 else 45, "Time of an import.")


def buy(scene: kit.Scene, additions: list[tuple[str, int, int]]) -> int:
    with scene.sut.open("Basket") as basket:
        for addition in additions:
            basket.add(*addition)
            if not scene.without("looks"):
                basket.total()
        total: int = basket.total()
    return total
