"""The first difference between two answers, as a failing check names it."""

from __future__ import annotations

import pytest

from drill_katas.kit import difference

ORDER = {"id": "a", "lines": [{"sku": "mug", "price": "1.50"}, {"sku": "cap", "price": "2.00"}], "total": "3.50"}


@pytest.mark.parametrize(
    ("seen", "right", "says"),
    [
        ({"price": "1.5", "id": 1}, {"id": 1, "price": "1.50"}, 'price is "1.5"; it should be "1.50"'),
        ({"id": 1}, {"id": 1, "price": "1.50"}, 'price is missing; it should be "1.50"'),
        ({"id": 1, "price": None}, {"id": 1}, "price is null; it should not be there"),
        ({"id": "1"}, {"id": 1}, 'id is "1"; it should be 1'),
        ([1, 2, 4], [1, 2, 3], "item 3 is 4; it should be 3"),
        ([1], [1, 2], "it has 1 item; it should have 2"),
        ({"users": [1, 2]}, {"users": [1]}, "users has 2 items; it should have 1"),
        (True, 1, "it is true; it should be 1"),
        ((200, {"a": 1}), (200, {"a": 2}), "item 2, a is 1; it should be 2"),
        ("x" * 99, "y", f'it is "{"x" * 56}...; it should be "y"'),
        (ORDER, ORDER | {"lines": ORDER["lines"][:1]}, "lines has 2 items; it should have 1"),
        (ORDER, ORDER, ""),
    ],
)
def test_the_first_difference_is_named(seen, right, says):
    assert difference(seen, right) == says
