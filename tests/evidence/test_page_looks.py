"""The look of an incident's page in a real browser: on a phone, in light and dark mode, and its marks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drill_katas.evidence.html import Shown
from tests.support.pages import FIRST, data_of, needs_chromium, shown, written
from tests.support.replays import NAMES, incident

pytestmark = needs_chromium
# Labels of the graph that overlap a line, a box, or another label.
COVERED = """() => [...document.querySelectorAll("svg.graph")].flatMap(svg => {
  const box = node => { const b = node.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; };
  const over = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const labels = [...svg.querySelectorAll("text.label")];
  const points = [...svg.querySelectorAll("path.call, path.cycle")].flatMap(path => {
    const long = path.getTotalLength();
    return [...Array(200).keys()].map(n => path.getPointAtLength(long * n / 199));
  });
  const boxes = [...svg.querySelectorAll("rect")].map(box);
  return labels.filter(label => {
    const b = box(label);
    return points.some(p => over(b, [p.x, p.y, p.x + .1, p.y + .1])) || boxes.some(each => over(b, each))
      || labels.some(other => other !== label && other.textContent !== "" && over(b.map((v, n) => n === 3 ? v - 3 : v),
        box(other).map((v, n) => n === 3 ? v - 3 : v)));
  }).map(label => label.textContent);
})"""

# Names in a legend without a square of their color.
COLORLESS = """() => [...document.querySelectorAll(".u-legend .u-series")].filter(series => {
  const mark = series.querySelector(".u-marker");
  return mark && series.offsetHeight && !parseFloat(getComputedStyle(mark).borderTopWidth);
}).map(series => series.textContent)"""


@pytest.fixture
def page_of(opened, drills, tmp_path):
    def page_of(name, width=1280, change=lambda incident: incident):
        replays = [Shown("your code", "the files in katas", change(incident(drills, name)))]
        return opened(written(tmp_path, name, replays), width)

    return page_of


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_needs_no_sideways_scrolling(page_of, name):
    page = page_of(name, 420)
    page.wait_for_function("drawn.size >= 4")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


@pytest.mark.long
def test_two_columns_fit_a_phone_too(opened, drills, mended, tmp_path):
    page = opened(written(tmp_path, "red_herring", shown("red_herring", before=drills, your_code=mended)), 420)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_it_is_dark_or_light_by_preference(page_of):
    page = page_of("red_herring")
    brightness, pictures = {}, {}
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        brightness[scheme] = sum(color) / 3
        page.wait_for_function(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        )
        pictures[scheme] = page.evaluate("document.querySelector('canvas').toDataURL()")
    assert brightness["dark"] < 40
    assert brightness["light"] > 220
    assert pictures["dark"] != pictures["light"], "the charts change their colors, too"


@pytest.mark.parametrize("name", NAMES)
def test_alerts_and_deploys_are_marked_on_charts(page_of, drills, name):
    page = page_of(name)
    titles = "\n".join(
        page.locator(".top .plot").first.locator(".moment b").evaluate_all("all => all.map(each => each.title)")
    )
    for alert in incident(drills, name).alerts:
        assert f"{alert.name} fires" in titles
    expected = {"red_herring": "drop on sale 02:45", "fp_drift": "deployed ledger 2026.11 02:54:00"}
    assert expected.get(name, "") in titles


def test_routine_lines_are_no_marks(drills):
    """The books are compared every five minutes, and six lines on every chart would hide the data."""
    assert [mark.name for mark in data_of("fp_drift", your_code=drills).incidents[0].marks] == [
        "deployed ledger 2026.11"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_chart_changed_most(page_of, drills, name):
    charts = data_of(name, your_code=drills).metrics
    scores = [chart.score for chart in charts]
    assert scores == sorted(scores, reverse=True)
    heading = page_of(name).locator(".top h2").first.inner_text()
    assert heading == charts[0].title
    assert heading in FIRST[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_has_a_title(page_of, drills, name):
    page = page_of(name)
    assert page.evaluate("[...drawn].every(plot => plot.axes.every(axis => axis.label))")
    data = data_of(name, your_code=drills)
    for chart in [*data.metrics, *data.pictures]:
        assert chart.y, chart.title
    units = {chart.title: chart.y for chart in data.metrics}
    assert units["p95 of request_duration_seconds"] == "p95, seconds"
    assert units["requests"] == "requests per minute"


@pytest.mark.parametrize("name", NAMES)
def test_legends_are_short_and_telling(drills, name):
    for chart in data_of(name, your_code=drills).metrics:
        names = [line.name for line in chart.lines]
        assert len(set(names)) == len(names), names
        assert all(len(each) <= 36 and "{" not in each and "=" not in each for each in names), names


@pytest.mark.parametrize("name", NAMES)
def test_every_legend_shows_its_colors(page_of, name):
    page = page_of(name)
    assert page.locator(".u-legend .u-marker").count() > 0
    assert page.evaluate(COLORLESS) == []


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_the_graph_lie_on_nothing(page_of, name):
    assert page_of(name).evaluate(COVERED) == []


def test_an_empty_log_says_why(page_of):
    page = page_of("circular_deadlock", change=lambda found: replace(found, logs=()))
    message = page.locator(".empty").inner_text()
    assert message.startswith(
        "No service wrote a line from 14:40 to 15:10. A request that hangs or ends quietly leaves none"
    )
    assert page.locator(".lines").is_hidden()


def test_a_filter_without_lines_says_why(page_of):
    page = page_of("red_herring")
    page.select_option("select.level", "critical")
    page.fill("input.grep", "refund")
    message = page.locator(".empty").inner_text()
    assert message.startswith('No line matches level critical or worse, text "refund". The log has ')
    page.select_option("select.level", "")
    page.fill("input.grep", "")
    assert page.locator(".empty").is_hidden()


def test_one_span_is_one_span(page_of):
    page = page_of("red_herring")
    page.select_option("select.order", "all, by time")
    message = page.locator(".traces .spans").all_inner_texts()
    assert "1 span" in message
    assert "1 spans" not in message


def test_a_replay_that_ran_late_says_so(page_of):
    page = page_of("fp_drift", change=lambda found: replace(found, summary=replace(found.summary, late=1.5)))
    message = page.locator(".banner").inner_text()
    assert message.startswith("The replay of your code ran late: it waited 1.5 s for a processor")
    assert "`kata incident fp_drift` replays your code again." in message


def test_a_replay_in_time_has_no_banner(page_of):
    page = page_of("fp_drift", change=lambda found: replace(found, summary=replace(found.summary, late=None)))
    assert page.locator(".banner").count() == 0
