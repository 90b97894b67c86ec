"""A journal in a folder of its own."""

from __future__ import annotations

import pytest

from drill_katas.practice.journal import Journal


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / ".kata" / Journal.NAME)
