"""Wrong: it forbids a checkout that accepts an order with 202 and confirms it later, which the contract allows."""

from drill_katas import kit

OWN = {
    "checkout": {"customers": {"ann": "gold"}},
    "stock": {"on_hand": {"mug": 9}},
    "pricing": {"tiers": {"gold": 10}, "coupons": {}},
}


def test_an_order_is_confirmed_at_once(sut):
    network, database = kit.network(*OWN), kit.database(client="Database")
    for service, own in OWN.items():
        common = {"workers": 2, "service_time": 0.01, "list_prices": {"mug": "20"}}
        common |= {"database": database} if service == "stock" else {}
        sut.serve(f"{service}.make_app", network.node(service), **common, **own)
    order = {"id": "order-1", "customer": "ann", "sku": "mug", "quantity": 1, "coupon": None}
    assert network.ask("checkout", "POST", "/orders", json=order, within=4).status == 200
