"""The fixture `sut` of a kata's checks."""

from __future__ import annotations

import pytest

from drill_katas.judge.sut import Sut

SUT = pytest.StashKey[Sut]()


@pytest.fixture(scope="session")
def sut(pytestconfig: pytest.Config) -> Sut:
    """Return the system under test of the running check, a new process for every check."""
    return pytestconfig.stash[SUT]
