"""What the dashboard owes its readers. The contract these checks hold it to is in BRIEFING.md."""

import pytest

from drill_katas import kit

from .oracle import Shop, spoken


@pytest.mark.stage("symptom")
def test_dashboards_asked_for_together_are_all_answered(sut):
    """Twenty dashboards asked for at nine are all answered."""
    shop = Shop(sut, round_trip=0.002)
    ids = shop.fill(users=10)
    answers = shop.ask_together([ids] * 20, within=3)
    good = [answer for answer in answers if answer.status == 200]
    bad = next((answer for answer in answers if answer.status != 200), None)
    assert bad is None, (
        f"of 20 dashboards asked for at nine o'clock {len(good)} were answered within 3 s; it should be all. "
        f"One of the others {spoken(bad)}"
    )
    for answer in answers:
        shop.expect(answer, ids, "at nine o'clock")
