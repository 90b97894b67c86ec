"""Arguments that a check may pass to the SUT: plain data and resources."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from drill_katas.failures import KataMistake
from drill_katas.services.attachment import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def plain(call: str, *values: object) -> Iterator[None]:
    """Raise `KataMistake` in place of the `TypeError` of a value that cannot be sent to the SUT."""
    try:
        yield
    except TypeError:
        for value in values:
            if not isinstance(value, Resource):
                _expect_plain(call, value)
        raise


def kind(value: object) -> str:
    """Name the type of a value for a message."""
    return f"the class {value.__name__}" if isinstance(value, type) else f"a value of type {type(value).__name__}"


def _expect_plain(call: str, value: object) -> None:
    try:
        msgspec.json.encode(value)
    except TypeError as error:
        raise KataMistake(
            f"{call} cannot take {kind(value)}: pass plain data (str, int, bool, None, list, dict), "
            f"a kit.database(...) or a kit.upstream(...); a network's nodes go to sut.serve"
        ) from error
