"""A first guardrail. Add tests that fail on the broken basket, and pass on every basket that keeps the contract.

`sut` runs the module under test in a process of its own.
"""

from drill_katas import kit


def test_an_article_has_its_price(sut: kit.Sut) -> None:
    with sut.open("Basket") as basket:
        basket.add("pen", 250, 1)
        assert basket.total() == 250
