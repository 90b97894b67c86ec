"""An object in the system under test, as a check uses it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

from drill_katas.failures import CheckEnded, KataMistake

if TYPE_CHECKING:
    from collections.abc import Callable


class Handle:
    """A proxy for one of the learner's objects in the SUT: a check calls its methods, `thing.method(...)`.

    Arguments and results are plain data, and arguments are positional. A `with` block closes the object at its end, and
    its database connections with it.
    """

    def __init__(self, call: Callable[[str, tuple[Any, ...]], Any], release: Callable[[], None]) -> None:
        self._call = call
        self._release = release
        self._closed = False

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a function that calls the object's `method`; its arguments and its result are plain data."""

        def call(*args: Any, **named: Any) -> Any:
            if named:
                raise KataMistake(f"{method}(...) takes its arguments by position, and not {min(named)}=...")
            if self._closed:
                raise KataMistake(
                    f"{method}(...) is called after the `with` block of its object, which closed it; "
                    f"call it in the block, or open another object"
                )
            return self._call(method, args)

        return call

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_details: object) -> None:
        """Close the object for good. After a failure in the block, a failure to close is ignored."""
        self._closed = True
        with contextlib.suppress(*([Exception, CheckEnded] if failure else [])):
            self._release()
