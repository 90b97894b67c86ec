"""The page of an incident, in a real browser."""

from __future__ import annotations

import re

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.evidence import store
from drill_katas.evidence.html import Shown
from drill_katas.evidence.records import LogLine
from drill_katas.practice.journal import Checked, Journal, Ran
from drill_katas.verdict import Outcome, Stage
from tests.support.commands import done, kata, refused
from tests.support.night import commit
from tests.support.pages import needs_chromium, written

pytestmark = needs_chromium
NAMES = shipped().names()


def page_of(tmp_path, drills, name, change=lambda incident: incident):
    incident = change(store.read(drills / ".kata" / "incidents" / name, name))
    return written(tmp_path, name, [Shown("your code", "the files in katas", incident)])


@pytest.mark.parametrize("name", NAMES)
def test_every_incident_page_is_complete_and_offline(opened, drills, tmp_path, name):
    page = opened(page_of(tmp_path, drills, name))
    headings = page.locator("section > h2").all_inner_texts()
    for part in ("Customers", "Timeline", "Metrics", "Logs", "Traces", "Service calls"):
        assert part in headings
    incident = store.read(drills / ".kata" / "incidents" / name, name)
    assert page.locator(".timeline .bar.page, .timeline .bar.ticket").count() == len(incident.alerts)
    assert page.locator(".traces tr").count() > 5
    assert page.locator("svg.graph rect").count() >= 3
    assert page.locator(".top .u-wrap").count() == 3
    assert page.locator(".picture .u-wrap").count() == {"circular_deadlock": 0, "fp_drift": 2}.get(name, 1)


def test_log_lines_filter_and_link_to_trace(opened, drills, tmp_path):
    page = opened(page_of(tmp_path, drills, "red_herring"))
    everything = page.locator(".count").inner_text()
    page.select_option("select.level", "error")
    page.fill("input.grep", "sold out")
    found = page.locator(".lines .line").all_inner_texts()
    assert found
    assert all("reason=sold out" in line for line in found)
    assert page.locator(".count").inner_text() != everything
    link = page.locator(".lines .line a").first
    trace = link.inner_text()
    link.click()
    assert page.locator(".waterfall").inner_text().startswith(f"trace {trace}")
    assert page.locator(".waterfall .span").count() > 3


def test_a_trace_is_drawn_as_a_waterfall(opened, drills, tmp_path):
    page = opened(page_of(tmp_path, drills, "circular_deadlock"))
    page.select_option("select.order", "failed")
    page.locator(".traces tr").first.click()
    assert page.locator(".waterfall .span.failed").count() > 0
    assert page.locator(".traces tr.chosen").count() == 1
    assert page.locator("svg.graph path.cycle").count() == 3


def test_plots_zoom_and_metrics_are_chosen(opened, drills, tmp_path):
    page = opened(page_of(tmp_path, drills, "red_herring"))
    page.select_option("select.metric", "db_connections_in_use")
    over = page.locator("section:has(select.metric) .u-over")
    before = page.locator("section:has(select.metric) canvas").screenshot()
    box = over.bounding_box()
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 40, steps=5)
    page.mouse.up()
    assert page.locator("section:has(select.metric) canvas").screenshot() != before


def test_a_hundred_thousand_log_lines_stay_usable(opened, drills, tmp_path):
    """Only what can be seen is in the page; to filter all of them takes less than a second."""

    def many(incident):
        lines = [
            LogLine(id=f"log-{n}", at=incident.summary.began + n / 60, service="shop", level="info", event=f"line {n}")
            for n in range(100_000)
        ]
        return type(incident)(
            **{name: getattr(incident, name) for name in incident.__struct_fields__ if name != "logs"},
            logs=tuple(lines),
        )

    page = opened(page_of(tmp_path, drills, "red_herring", many))
    assert page.locator(".count").inner_text() == "100000 of 100000 lines"
    assert page.locator(".lines .line").count() < 60
    page.fill("input.grep", "line 99999")
    assert page.locator(".count").inner_text() == "1 of 100000 lines"
    page.fill("input.grep", "")
    page.locator(".lines").evaluate("lines => lines.scrollTop = lines.scrollHeight")
    page.wait_for_function("document.querySelector('.lines').innerText.includes('line 99999')")
    spent = page.evaluate(
        "() => { const t = performance.now(); const i = document.querySelector('input.grep'); i.value = '7';"
        " i.dispatchEvent(new Event('input')); return performance.now() - t }"
    )
    assert spent < 1000


def test_log_line_is_text_and_never_markup(opened, drills, tmp_path):
    bad = "</script><script>document.title = 'owned'</script><img src=x onerror=alert(1)>"

    def hostile(incident):
        line = LogLine(id="log-1", at=incident.summary.began, service=bad, level="error", event=bad, fields={"a": bad})
        return type(incident)(
            **{name: getattr(incident, name) for name in incident.__struct_fields__ if name != "logs"}, logs=(line,)
        )

    page = opened(page_of(tmp_path, drills, "fp_drift", hostile))
    assert page.title() == "System green, numbers wrong"
    assert bad in page.locator(".lines .line").first.inner_text()


def test_replays_stand_side_by_side(opened, night):
    file = night / "page.html"
    result = kata(night, "incident", "night", "--html", file, "--compare", "half", "--compare", "solutions")
    assert result.returncode == 0, result.stderr
    assert f"{file}: open it in a browser" in result.stderr
    page = opened(file)
    assert page.locator(".row").first.locator(".column").all_inner_texts() == ["your code", "half", "solutions"]
    shares = [int(re.search(r"(\d+) %", text)[1]) for text in page.locator(".level b").all_inner_texts()]
    assert shares[1] < shares[3]
    assert shares[4:] == [100, 100]


def test_a_solved_kata_stands_beside_its_night(opened, quiet_night):
    """The page draws how it was before, too."""
    commit(quiet_night)
    shop = quiet_night / "katas" / "night" / "shop.py"
    shop.write_bytes((quiet_night / "solutions" / "night" / "shop.py").read_bytes())
    check = Checked("test_it", Stage.SYMPTOM, Outcome.PASS, 1.0)
    Journal(quiet_night / ".kata" / Journal.NAME).append(
        Ran(kata="night", variant="original", seed=0, seconds=1.0, checks=(check,), solved=True)
    )
    done(quiet_night, "incident", "night", "--html", quiet_night / "page.html")
    page = opened(quiet_night / "page.html")
    assert page.locator(".row").first.locator(".column").all_inner_texts() == ["before", "your code"]
    assert page.locator("#how li").all_inner_texts() == [
        "before: the broken files of the kata",
        "your code: the files in katas/night",
    ]


def test_comparing_needs_a_page(tmp_path):
    done(tmp_path, "init", ".")
    message = refused(kata(tmp_path, "incident", "fp_drift", "--compare", "solutions"))
    assert "--compare needs --html FILE" in message


def test_unwritable_page_is_reported(own):
    file = own / "no" / "page.html"
    assert f"cannot write {file}" in refused(kata(own, "incident", "fp_drift", "--html", file))
