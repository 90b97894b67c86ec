"""An object in the system under test, as a check holds it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

from drill_katas.failures import CheckEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill_katas.judge.running import Running
    from drill_katas.judge.sut import Sut


class Handle:
    """An object of the learner's, in the SUT. Its methods are called like any object's."""

    def __init__(self, sut: Sut, running: Running, number: int, name: str) -> None:
        self.running = running
        self.number = number
        self.name = name
        self._sut = sut

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a function that calls the object's `method`; arguments and result are plain data."""
        return lambda *args: self._sut.call(self, method, args)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_details: object) -> None:
        """Let go of the object; when the block has failed, whatever goes wrong with that is not the news."""
        with contextlib.suppress(*([Exception, CheckEnded] if failure else [])):
            self._sut.release(self)
