"""The exact export that finance expects of a day's paid orders."""

from hypothesis import strategies as st

from .shop import DAY, PLENTY, PRICE

PRICES = {"tray": PRICE, 'tray, "red"': 5}
IDS = ["order,8", 'order "9"', "Order-1", "order-1", "order-10", "order-2", "b", "A", "a", "B"]
TEXTS = st.text('abAB019-,"', min_size=1, max_size=4)


@st.composite
def paid_orders(draw):
    """Draw a day of paid orders, with ids that need quotes and with equal amounts."""
    ids = draw(st.lists(st.sampled_from(IDS) | TEXTS, max_size=9, unique=True))
    return [(each, draw(st.sampled_from(list(PRICES))), draw(st.integers(1, 3))) for each in ids]


def expect_export(export, day, orders):
    """Expect the export of a day to have exactly these orders, each (id, sku, quantity)."""
    got, right = export.run(day), export_of(orders)
    pairs = zip([*got.split("\n"), None], [*right.split("\n"), None], strict=False)
    line, wanted = next((pair for pair in pairs if pair[0] != pair[1]), (None, None))
    assert got == right, f"the export of {day} has the line {line!r}; it should be {wanted!r}"


def expect_busy_day_exported(shop):
    """Export a day of 130 orders, and again after one more; expect all of them."""
    export = None
    shop.checkout.restock("tray", PLENTY, PRICES["tray"])
    orders = [(f"order-{number}", "tray", 1) for number in range(131)]
    for done in (130, 131):
        for id_, sku, quantity in orders[done - 1 if export else 0 : done]:
            shop.deliver("paid", shop.order(id=id_, sku=sku, quantity=quantity, price=PRICES[sku]))
        export = export or shop.open_export()
        expect_export(export, DAY, orders[:done])


def export_of(orders):
    """Return the export of paid orders, each (id, sku, quantity)."""
    lines = ["order,sku,quantity,amount"]
    for id_, sku, quantity in sorted(orders, key=lambda order: (-order[2] * PRICES[order[1]], order[0])):
        lines.append(f"{_field(id_)},{_field(sku)},{quantity},{money(quantity * PRICES[sku])}")
    units = sum(quantity for _, _, quantity in orders)
    cents = sum(quantity * PRICES[sku] for _, sku, quantity in orders)
    return "".join(f"{line}\n" for line in (*lines, f"total,,{units},{money(cents)}"))


def money(cents):
    return f"{cents // 100}.{cents % 100:02}"


def _field(text):
    special = "," in text or '"' in text
    return '"' + text.replace('"', '""') + '"' if special else text
