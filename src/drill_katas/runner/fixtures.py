"""The fixture that a kata's checks take."""

from __future__ import annotations

import pytest

from drill_katas.judge.sut import Sut

SUT = pytest.StashKey[Sut]()


@pytest.fixture(scope="session")
def sut(pytestconfig: pytest.Config) -> Sut:
    """Return the system under test of the check that is running; a fresh process for each."""
    return pytestconfig.stash[SUT]
