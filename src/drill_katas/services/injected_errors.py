"""Exceptions of injected faults: a fault raises one of them in place of a step of the SUT."""

from __future__ import annotations

from typing import Protocol


class Closable(Protocol):
    """A service with resources."""

    def close(self) -> None:
        """Release all resources at the end of the check."""


class SutKilled(Exception):
    """The judge kills the SUT instead of this request; the SUT must not see an answer or a closed connection."""


class StepRefused(Exception):
    """This request fails without an effect; a database raises an error with this message."""


class AnswerLost(StepRefused):
    """This request is executed and its answer is lost; to the SUT it looks like a failure."""
