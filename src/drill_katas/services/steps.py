"""The exceptions with which a step of the SUT ends otherwise than the SUT asked, and what a step needs."""

from __future__ import annotations

from typing import Protocol


class Closable(Protocol):
    """Something that holds resources."""

    def close(self) -> None:
        """Let go of everything; the check is over."""


class SutKilled(Exception):
    """The SUT is being killed in place of this request: it must not get an answer, not even a closed connection."""


class StepRefused(Exception):
    """This one request fails: the service says so in its own way (a database with this message), and goes on."""


class AnswerLost(StepRefused):
    """This one request is carried out, but its answer is lost: to who asked it has failed."""
