"""Checks of the basket; each names the row of the contract in BRIEFING.md that it follows from."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drill_katas import kit

PRICES = {"book": 1999, "lamp": 4900, "pen": 250}
QUANTITIES = st.integers(1, 99)
ADDITIONS = st.lists(st.tuples(st.sampled_from(sorted(PRICES)), QUANTITIES), max_size=6)


def expect_total(basket, additions):
    total, due = basket.total(), sum(price * quantity for _, price, quantity in additions)
    assert total == due, f"after {kit.plural(len(additions), 'addition')} the total is {total}; it should be {due}"


def error_of(call, *args):
    try:
        call(*args)
    except kit.SutError as error:
        return error.raised
    return ""


@pytest.mark.stage("symptom")
def test_a_basket_filled_bit_by_bit_costs_all_of_it(sut: kit.Sut):
    """A basket that is filled bit by bit costs all that is in it (T1)."""
    additions = [("pen", 250, 1), ("pen", 250, 2)]
    with sut.open("Basket") as basket:
        for number, addition in enumerate(additions, 1):
            basket.add(*addition)
            expect_total(basket, additions[:number])


@pytest.mark.stage("cause")
@example(drawn=[("pen", 1), ("pen", 1)])
@given(drawn=ADDITIONS)
def test_an_article_added_again_counts_again(sut: kit.Sut, drawn):
    """An article that is added again counts again (T1)."""
    additions = [(sku, PRICES[sku], quantity) for sku, quantity in drawn]
    with sut.open("Basket") as basket:
        for addition in additions:
            basket.add(*addition)
        expect_total(basket, additions)


@pytest.mark.stage("cause")
@example(drawn=["pen", "lamp"], quantity=1)
@given(drawn=st.permutations(sorted(PRICES)), quantity=QUANTITIES)
def test_the_total_follows_each_addition(sut: kit.Sut, drawn, quantity):
    """The total follows each addition, also after it was shown (T1)."""
    additions = [(sku, PRICES[sku], quantity) for sku in drawn]
    with sut.open("Basket") as basket:
        for number, addition in enumerate(additions, 1):
            basket.add(*addition)
            expect_total(basket, additions[:number])


@pytest.mark.stage("cause")
@example(prices=[100, 300], quantity=1)
@given(prices=st.lists(st.integers(1, 10_000), unique=True, max_size=4), quantity=QUANTITIES)
def test_an_addition_keeps_its_price(sut: kit.Sut, prices, quantity):
    """An addition keeps its price when the price changes (T2)."""
    additions = [("pen", price, quantity) for price in prices]
    with sut.open("Basket") as basket:
        for addition in additions:
            basket.add(*addition)
        expect_total(basket, additions)


@pytest.mark.stage("regression")
@example(quantity=-1)
@given(quantity=st.integers(-9, 0))
def test_a_refused_addition_changes_nothing(sut: kit.Sut, quantity):
    """A refused addition raises ValueError and changes nothing (F1)."""
    additions = [("pen", 250, 2)]
    with sut.open("Basket") as basket:
        basket.add(*additions[0])
        raised = error_of(basket.add, "lamp", 4900, quantity)
        assert raised.startswith("ValueError"), (
            f"an addition of {quantity} lamps raises {raised or 'nothing'}; it should raise ValueError"
        )
        expect_total(basket, additions)
