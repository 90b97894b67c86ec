"""A basket costs the sum of its additions, whatever they are, and refuses bad ones."""

import pytest

from drill_katas import kit


def test_the_total_follows_each_addition(sut: kit.Sut) -> None:
    additions = [("pen", 250, 1), ("pen", 250, 1), ("lamp", 4900, 2), ("pen", 300, 1)]
    with sut.open("Basket") as basket:
        for number, addition in enumerate(additions, 1):
            basket.add(*addition)
            assert basket.total() == sum(price * quantity for _, price, quantity in additions[:number])


def test_a_refused_addition_changes_nothing(sut: kit.Sut) -> None:
    with sut.open("Basket") as basket:
        basket.add("pen", 250, 1)
        with pytest.raises(kit.SutError, match="ValueError"):
            basket.add("lamp", 4900, 0)
        with pytest.raises(kit.SutError, match="ValueError"):
            basket.add("lamp", 4900, -1)
        assert basket.total() == 250
