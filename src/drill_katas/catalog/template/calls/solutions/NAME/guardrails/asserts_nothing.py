"""Wrong: it asserts nothing."""

from drill_katas import kit


def test_the_basket_works(sut: kit.Sut) -> None:
    assert sut is not None
