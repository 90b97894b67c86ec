"""Money for oracles and strategies: integers in minor units, and decimal strings."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACES: Final[Mapping[str, int]] = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}
"""Decimal places of a currency's minor unit (ISO 4217)."""

_DECIMAL: Final = re.compile(r"-?\d+(\.\d+)?")


def exact(text: str) -> Fraction:
    """Return the exact value of a decimal string such as "-12.50".

    Raises `AssertionError` for anything else: "1e3", "NaN", " 1".
    """
    assert _DECIMAL.fullmatch(text), f"{text!r} is not a plain decimal number"
    return Fraction(text)


def minor(text: str, currency: str) -> int:
    """Return the amount in the currency's minor unit: `minor("12.5", "USD")` is 1250.

    Raises `AssertionError` if the amount has more places than the currency, and `KeyError` for a currency that is not
    in `PLACES`.
    """
    units = exact(text) * 10 ** PLACES[currency]
    assert units.denominator == 1, f"{text} is finer than the {PLACES[currency]} places of {currency}"
    return int(units)


def text(minor_units: int, currency: str) -> str:
    """Return minor units as a decimal string with the places of the currency: `text(-5, "USD")` is "-0.05"."""
    places = PLACES[currency]
    sign = "-" if minor_units < 0 else ""
    digits = str(abs(minor_units)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


def amounts(currency: str, *, up_to: int = 10_000, at_least: int = 0) -> st.SearchStrategy[str]:
    """Return a strategy for amounts above 0 as decimal strings, from `at_least` up to `up_to` major units."""
    unit = 10 ** PLACES[currency]
    return st.integers(max(1, at_least * unit), up_to * unit).map(lambda units: text(units, currency))


@st.composite
def near_ties(draw: st.DrawFn, currency: str, *, up_to: int = 10**14) -> tuple[str, str]:
    """Return a strategy for pairs of an amount and a rate whose product is hard to round to the currency's places.

    In minor units the product is n + 0.5 for a whole number n, or it differs from n + 0.5 by a millionth. Rates are
    above 0 and below 1, with six places. Amounts are decimal strings of all magnitudes up to `up_to` major units.
    """
    per_one = 10**6
    rate = draw(st.integers(1, per_one - 1).filter(lambda each: math.gcd(each, 10) == 1))
    half = per_one // 2 + draw(st.sampled_from([0, -1, 1]))
    least = half * pow(rate, -1, per_one) % per_one  # the smallest amount for which the product ends on `half`
    most = max(0, (up_to * 10 ** PLACES[currency] - least) // per_one)
    magnitude = draw(st.integers(0, most.bit_length()))
    more = draw(st.integers(0, min(most, 2**magnitude - 1)))
    return text(least + more * per_one, currency), f"0.{rate:06}"
