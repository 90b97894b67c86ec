"""Stateful checks: Hypothesis's rule-based state machines as part of one check."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import hypothesis
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from drill_katas.failures import KataMistake

if TYPE_CHECKING:
    from drill_katas.judge.sut import Sut


class Machine(RuleBasedStateMachine):
    """A state machine for the system under test, `self.sut`; write rules and invariants as usual.

    `at_end` runs at the end of every walk. Check final conditions there and not in a rule, because in many walks a
    given rule never runs.
    """

    _sut: Sut | None = None

    @property
    def sut(self) -> Sut:
        """The system under test. Raises `KataMistake` if `kit.explore` did not start this machine."""
        if self._sut is None:
            raise KataMistake("a kit.Machine has a SUT only when kit.explore(MACHINE, sut) runs it")
        return self._sut

    @sut.setter
    def sut(self, sut: Sut) -> None:
        self._sut = sut

    def at_end(self) -> None:
        """Check the final conditions of a walk."""

    def teardown(self) -> None:
        """Finish a walk, and record a failure; Hypothesis calls this while a failure propagates, too."""
        failure = sys.exc_info()[1]
        if failure is not None:
            self.sut.check.note_failure(failure)
            return
        try:
            self.at_end()
        except Exception as error:
            self.sut.check.note_failure(error)
            raise


def explore(machine: type[Machine], sut: Sut, *, examples: int = 25, steps: int = 10) -> None:
    """Run `examples` random walks of up to `steps` rules each; raise the exception of the smallest failing walk."""
    if not isinstance(machine, type):
        raise KataMistake("kit.explore takes the class of a machine, because each walk gets a new one")

    @hypothesis.seed(sut.seed)
    def begin() -> Machine:
        sut.begin_example()
        walk = machine()
        walk.sut = sut
        return walk

    settings = hypothesis.settings(max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(begin, settings=settings)  # type: ignore[arg-type] # it takes any factory
