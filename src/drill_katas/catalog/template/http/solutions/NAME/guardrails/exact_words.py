"""Wrong: it demands the exact words of an error, which the contract leaves open."""

from drill_katas import kit


def test_a_refusal_names_the_least_quantity(sut: kit.Sut) -> None:
    network = kit.network("basket", "prices")
    sut.serve("make_app", network.node("basket"))
    addition = {"sku": "pen", "quantity": 0}
    answer = network.ask("basket", "POST", "/baskets/b1/additions", within=2, json=addition)
    assert answer.status == 400
    assert b"a quantity is at least 1" in answer.body
