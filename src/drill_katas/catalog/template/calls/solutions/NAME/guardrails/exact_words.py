"""Wrong: it demands the exact words of an error, which the contract leaves open."""

import pytest

from drill_katas import kit


def test_a_refusal_names_the_least_quantity(sut: kit.Sut) -> None:
    with sut.open("Basket") as basket, pytest.raises(kit.SutError, match="a quantity is at least 1"):
        basket.add("lamp", 4900, 0)
