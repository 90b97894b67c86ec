"""Checks of the basket; BRIEFING.md has the contract."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill_katas import kit

LINES = st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 99)), max_size=6)


def expect_total(basket, lines):
    total, exact = basket.total(), sum(price * quantity for price, quantity in lines)
    assert total == exact, f"after {kit.plural(len(lines), 'line')} the total is {total}; it should be {exact}"


@pytest.mark.stage("symptom")
def test_two_of_a_kind_cost_twice_as_much(sut: kit.Sut):
    """Two of a kind cost twice as much as one."""
    with sut.open("Basket") as basket:
        basket.add(250, 2)
        expect_total(basket, [(250, 2)])


@pytest.mark.stage("cause")
@given(lines=LINES)
def test_the_total_is_the_sum_of_its_lines(sut: kit.Sut, lines):
    """The total is the sum of price × quantity over all lines."""
    with sut.open("Basket") as basket:
        for price, quantity in lines:
            basket.add(price, quantity)
        expect_total(basket, lines)
