"""Amounts and rates for checks of money."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from drill_katas.kit import money

CURRENCIES = st.sampled_from(sorted(money.PLACES))


@given(currency=CURRENCIES, data=st.data())
def test_products_lie_on_or_beside_ties(currency, data):
    amount, rate = data.draw(money.near_ties(currency))
    beside = money.minor(amount, currency) * money.exact(rate) % 1 - Fraction(1, 2)
    assert abs(beside) <= Fraction(1, 10**6)
    assert 0 < money.exact(rate) < 1
    assert 0 < money.exact(amount) <= 10**14


@pytest.mark.parametrize("places", [2, 4])
def test_products_show_a_fee_rounded_twice(places):
    def is_wrong(pair):
        product = money.minor(pair[0], "USD") * money.exact(pair[1])
        return round(round(product * 10**places) / Fraction(10**places)) != round(product)

    find(money.near_ties("USD"), is_wrong)


def test_products_show_a_fee_of_floats():
    find(
        money.near_ties("USD"),
        lambda pair: (
            round(money.minor(pair[0], "USD") * float(pair[1]))
            != round(money.minor(pair[0], "USD") * money.exact(pair[1]))
        ),
    )
