"""Checks of the baskets; each names the row of the contract in BRIEFING.md that it follows from."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drill_katas import kit

from .shop import Shop

ARTICLES = ["book", "lamp", "pen"]
QUANTITIES = st.integers(1, 99)
ADDITIONS = st.lists(st.tuples(st.sampled_from(ARTICLES), QUANTITIES), max_size=6)


def add(shop, sku, quantity):
    """Add an article and return its cost."""
    status = shop.add(sku, quantity)
    assert status == 204, f"an addition of {kit.plural(quantity, 'piece')} is answered {status}; it should be 204"
    return shop.prices[sku] * quantity


def expect_total(shop, costs):
    total, due = shop.total(), sum(costs)
    assert total == due, f"after {kit.plural(len(costs), 'addition')} the total is {total}; it should be {due}"


@pytest.mark.stage("symptom")
def test_a_basket_filled_bit_by_bit_costs_all_of_it(sut: kit.Sut):
    """A basket that is filled bit by bit costs all that is in it (T1)."""
    shop, costs = Shop(sut), []
    for quantity in (1, 2):
        costs.append(add(shop, "pen", quantity))
        expect_total(shop, costs)


@pytest.mark.stage("cause")
@example(additions=[("pen", 1), ("pen", 1)])
@given(additions=ADDITIONS)
def test_an_article_added_again_counts_again(sut: kit.Sut, additions):
    """An article that is added again counts again (T1)."""
    shop = Shop(sut)
    expect_total(shop, [add(shop, sku, quantity) for sku, quantity in additions])


@pytest.mark.stage("cause")
@example(skus=["pen", "lamp"], quantity=1)
@given(skus=st.permutations(ARTICLES), quantity=QUANTITIES)
def test_the_total_follows_each_addition(sut: kit.Sut, skus, quantity):
    """The total follows each addition, also after it was shown (T1)."""
    shop, costs = Shop(sut), []
    for sku in skus:
        costs.append(add(shop, sku, quantity))
        expect_total(shop, costs)


@pytest.mark.stage("cause")
@example(prices=[100, 300], quantity=1)
@given(prices=st.lists(st.integers(1, 10_000), unique=True, max_size=4), quantity=QUANTITIES)
def test_an_addition_keeps_its_price(sut: kit.Sut, prices, quantity):
    """An addition keeps its price when the price changes (T2)."""
    shop, costs = Shop(sut), []
    for price in prices:
        shop.prices["pen"] = price
        costs.append(add(shop, "pen", quantity))
    expect_total(shop, costs)


@pytest.mark.stage("regression")
@example(quantity=-1)
@given(quantity=st.integers(-9, 0))
def test_a_refused_addition_changes_nothing(sut: kit.Sut, quantity):
    """An addition that cannot be served changes nothing (F1)."""
    shop = Shop(sut)
    costs = [add(shop, "pen", 2)]
    status = shop.add("lamp", quantity)
    assert status == 400, f"an addition of {quantity} lamps is answered {status}; it should be 400"
    shop.network.script("prices", [503])
    status = shop.add("book", 1)
    assert status == 502, f"an addition without a price is answered {status}; it should be 502"
    expect_total(shop, costs)
