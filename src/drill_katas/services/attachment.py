"""The life of a resource: a check makes it, passes it to the SUT, asks it, and ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from drill_katas.failures import KataMistake

if TYPE_CHECKING:
    from drill_katas.services.broker import Services


class Attachment:
    """The part of a database, an upstream or a network that raises `KataMistake` for a question at the wrong time."""

    noun: ClassVar[str]
    passed_to: ClassVar[str]
    """The call that attaches it."""
    _attached = False
    _over = False

    def expect_attached(self) -> None:
        """Raise `KataMistake` before `sut.open` or `sut.serve` has attached this resource."""
        if not self._attached:
            raise KataMistake(f"this {self.noun} is not attached to the program yet; pass it to {self.passed_to} first")

    def _begin(self) -> None:
        """Note that the resource is attached. Raises `KataMistake` for a resource of an earlier check."""
        self._expect_current()
        self._attached = True

    def _end(self) -> None:
        self._over = True

    def _expect_current(self) -> None:
        if self._over:
            raise KataMistake(f"this {self.noun} belongs to a check that is over; make a new one in each check")


class Resource(Attachment, ABC):
    """A resource that can be an argument of `sut.open` or a setting of `sut.serve`."""

    passed_to = "sut.open(...) or a setting of sut.serve(...)"

    @abstractmethod
    def attach(self, services: Services) -> dict[str, Any]:
        """Get ready for the SUT, and return what it gets, as a JSON object."""
