"""Checks of the basket; BRIEFING.md has the contract."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill_katas import kit

PRICES = {"pen": 250, "book": 1999, "lamp": 4900}
LINES = st.lists(st.tuples(st.sampled_from(sorted(PRICES)), st.integers(1, 99)), max_size=4)


async def prices(hop):
    return 200, {"price": PRICES[hop.path.rpartition("/")[2]]}


def open_basket(sut, lines):
    network = kit.network("basket", "prices")
    network.play("prices", prices)
    sut.serve("make_app", network.node("basket"))
    for sku, quantity in lines:
        answer = network.ask("basket", "POST", "/lines", within=2, json={"sku": sku, "quantity": quantity})
        assert answer.status == 204, f"a line of {quantity} x {sku} is answered {answer.status}; it should be 204"
    return network


def expect_total(sut, lines):
    network = open_basket(sut, lines)
    answer = network.ask("basket", "GET", "/total", within=2)
    assert answer.status == 200, f"the total is answered {answer.status}; it should be 200"
    total = answer.json().get("total")
    exact = sum(PRICES[sku] * quantity for sku, quantity in lines)
    assert total == exact, f"after {kit.plural(len(lines), 'line')} the total is {total}; it should be {exact}"
    assert network.peak["prices"] <= 1, f"the price service had {network.peak['prices']} calls at once; it takes one"


@pytest.mark.stage("symptom")
def test_two_of_a_kind_cost_twice_as_much(sut: kit.Sut):
    """Two of a kind cost twice as much as one."""
    expect_total(sut, [("pen", 2)])


@pytest.mark.stage("cause")
@given(lines=LINES)
def test_the_total_is_the_sum_of_its_lines(sut: kit.Sut, lines):
    """The total is the sum of price × quantity over all lines."""
    expect_total(sut, lines)
