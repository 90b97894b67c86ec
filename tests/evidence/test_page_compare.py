"""The page that compares replays: equal colors, axes, and rows in all columns, and the differences."""

from __future__ import annotations

import pytest

from tests.support.pages import FIRST, data_of, needs_chromium, shown, written
from tests.support.replays import NAMES, incident

pytestmark = needs_chromium
# For each row with charts and each column: the ranges of the axes, the legend, and the colors.
CHARTS = """() => [...document.querySelectorAll(".row")].map(row => [...row.querySelectorAll(".plot")].map(into => {
  const plot = [...drawn].find(each => into.contains(each.root));
  const range = axis => [plot.scales[axis].min, plot.scales[axis].max];
  return JSON.stringify([range("x"), range("y"), plot.series.slice(1).map(each => [each.label, each.stroke()])]);
})).filter(columns => columns.length)"""
TOPS = """() => [...document.querySelectorAll(".card:not(.graphs) > .row")].map(row =>
  [...row.children].filter(cell => cell.offsetHeight).map(cell => Math.round(cell.getBoundingClientRect().top)))"""


@pytest.fixture
def compared(opened, drills, mended, tmp_path):
    def compared(name):
        page = opened(written(tmp_path, name, shown(name, before=drills, your_code=mended)), 1280)
        page.wait_for_function("drawn.size >= 8")
        return page

    return compared


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_both_sides_share_colours_and_axes(compared, name):
    rows = compared(name).evaluate(CHARTS)
    assert len(rows) >= 4
    assert all(len(columns) == 2 and columns[0] == columns[1] for columns in rows), rows


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_the_first_chart_changed_most(compared, drills, mended, name):
    """In any of the replays: what was broken before is what the fix is about."""
    charts = data_of(name, before=drills, your_code=mended).metrics
    scores = [chart.score for chart in charts]
    assert scores == sorted(scores, reverse=True)
    assert charts[0].title in FIRST[name]
    assert compared(name).locator(".top h2").first.inner_text() == charts[0].title


@pytest.mark.long
def test_rows_are_aligned(compared):
    rows = compared("red_herring").evaluate(TOPS)
    assert len(rows) >= 8
    for tops in rows:
        assert len(tops) in {2, 3}
        assert max(tops) - min(tops) <= 1, rows


@pytest.mark.long
def test_differences_have_figures_and_their_change(compared, drills, mended):
    page = compared("red_herring")
    message = page.locator(".differences").first.inner_text().split()
    before, after = (incident(folder, "red_herring").summary.after for folder in (drills, mended))
    assert (before.share, after.share) == (0, 1)
    assert " ".join(message).startswith("Change good, 02:56\u201303:05 before 0 % your code 100 % + 100 points")
    alerts = page.locator(".differences .alert").all_inner_texts()
    assert any("CheckoutErrors" in text and "your code: does not fire" in text for text in alerts), alerts


@pytest.mark.long
def test_every_chart_has_its_differences(compared):
    page = compared("n_plus_one")
    for chart in page.locator(".top, .metrics").all():
        assert chart.locator(".differences .figure").count() >= 2
        assert chart.locator(".differences .change").count() >= 2


@pytest.mark.long
def test_the_head_says_what_was_replayed(compared):
    page = compared("fp_drift")
    message = page.locator("#how").inner_text()
    assert "The same customers came twice (seed 0), once to each of these programs" in message
    assert page.locator("#how li").all_inner_texts() == [
        "before: the files of before",
        "your code: the files of your_code",
    ]


@pytest.mark.long
def test_one_filter_is_for_all_columns(compared):
    page = compared("red_herring")
    page.fill("input.grep", "sold out")
    counts = page.locator(".count").all_inner_texts()
    assert len(counts) == 2
    assert all(int(text.split()[0]) < int(text.split()[2]) for text in counts), counts
