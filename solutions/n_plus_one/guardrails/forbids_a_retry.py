"""Wrong: it forbids a second price call after a failed one, which the contract allows."""

from drill_katas import kit


async def prices(hop):
    return 200, {"price": "2"} if hop.path == "/price" else {"prices": {"mug": "2"}}


def test_prices_are_asked_once(sut):
    network = kit.network("prices", "dashboard")
    network.play("prices", prices)
    sut.serve("make_app", network.node("dashboard"), engine=kit.database())
    for path, value in (
        ("/users", {"users": [{"id": 1, "name": "Ada", "addresses": []}]}),
        ("/orders", {"orders": [{"user": 1, "lines": [{"sku": "mug", "quantity": 1}]}]}),
    ):
        assert network.ask("dashboard", "POST", path, json=value, within=5).status == 201
    network.script("prices", [503] * 9)
    network.ask("dashboard", "GET", "/dashboard?user=1", within=5)
    assert sum(hop.callee == "prices" for hop in network.hops) == 1
