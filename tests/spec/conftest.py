"""A workspace of a team with one kata."""

from __future__ import annotations

import pytest

from drill_katas.catalog.scaffold import scaffold
from tests.support.team import Team


@pytest.fixture
def team(tmp_path):
    """A workspace with the new kata `cart`, solved, whose guardrail has two tests and cites no rule."""
    (tmp_path / "katas").mkdir()
    scaffold(tmp_path, "cart", "calls")
    made = Team(tmp_path)
    made.solve()
    made.guardrail(made.reference)
    return made


@pytest.fixture
def agreed(team):
    """The same, with a spec that has no finding."""
    team.guardrail(team.citing("R1", "R2"))
    team.write(team.rows("R1", "R2"))
    return team
