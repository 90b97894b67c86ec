"""What checkout, stock and pricing owe their customers. The contract these checks hold them to is in BRIEFING.md."""

import pytest

from drill_katas import kit

from .oracle import SERVICES, Shop, some


@pytest.mark.stage("symptom")
def test_as_many_orders_at_once_as_workers_are_all_answered(sut):
    """As many orders at once as workers: all are answered."""
    shop = Shop(sut, workers=4)
    for many in (3, 4):
        shop.place_all(shop.orders(many), f"{many} orders at once for 4 workers")


@pytest.mark.stage("cause")
def test_orders_at_once_are_confirmed_at_their_customers_prices(sut):
    """Orders at once are confirmed at their customers' prices."""
    for workers in (1, 2, 4):
        shop = Shop(sut, workers)
        for times in (1, 2, 4):
            told = f"{some(workers * times, 'order')} at once for {some(workers, 'worker')}"
            orders = shop.orders(workers * times)
            outcomes = shop.placed(orders, told)
            shop.expect_confirmed(orders, outcomes, told)
            shop.expect_one_outcome(orders, outcomes, told)
