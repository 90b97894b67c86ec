"""An object in the system under test, as a check uses it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

from drill_katas.failures import CheckEnded

if TYPE_CHECKING:
    from collections.abc import Callable


class Handle:
    """A proxy for one of the learner's objects in the SUT: a check calls its methods directly.

    `call(method, arguments)` calls a method, `release()` closes the object.
    """

    def __init__(self, call: Callable[[str, tuple[Any, ...]], Any], release: Callable[[], None]) -> None:
        self._call = call
        self._release = release

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a function that calls the object's `method`; its arguments and its result are plain data."""
        return lambda *args: self._call(method, args)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_details: object) -> None:
        """Close the object. After a failure in the block, a failure to close is ignored."""
        with contextlib.suppress(*([Exception, CheckEnded] if failure else [])):
            self._release()
