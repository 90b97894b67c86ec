"""The page of a post-mortem, in a real browser."""

from __future__ import annotations

import re

import pytest

from tests.support.commands import done
from tests.support.pages import needs_chromium
from tests.support.studied import edit

HOSTILE = """\
<script>document.title = "run"</script> <img src="http://example.com/a.png" onerror="document.title='run'">
![picture](http://example.com/b.png) [link](javascript:document.title='run') <style>body { display: none }</style>
"""


@pytest.fixture
def page_of(browser, tmp_path):
    """Draws the post-mortem and opens the page; its requests and errors are in `page.seen`."""
    seen = []

    def page_of(width=1280):
        done(tmp_path, "postmortem", "red_herring", "--html", "page.html")
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("request", lambda request: seen.append(request.url))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("console", lambda message: seen.append(message.text))
        page.goto((tmp_path / "page.html").as_uri())
        assert seen == [(tmp_path / "page.html").as_uri()]
        return page

    return page_of


@needs_chromium
def test_page_draws_factors_and_whys(reference, page_of):
    page = page_of()
    assert page.locator("svg .node").count() == len(re.findall(r"^\| F\d ", reference.read_text(), re.MULTILINE)) + 1
    for why in range(3):
        assert page.locator(f"svg path.arrow.w{why}").count() >= 1
        assert page.locator(f".why.w{why} li b").last.inner_text() == "harm"
    assert "ExportWorkerCpuHigh: noise" in page.locator(".label.noise").all_inner_texts()
    assert page.locator(".lane.incident .page").count() == 1
    assert page.locator(".lane.response i.experiment").count() == 3


@needs_chromium
def test_hostile_words_stay_text(reference, page_of):
    edit(reference, "## What went well\n", f"## What went well\n\n{HOSTILE}\n")
    edit(reference, "| F1 | trigger | The drop", "| F1 | trigger | <svg onload=alert(1)></text> The drop")
    page = page_of()
    assert page.title() == "Post-mortem: The loudest alert in the room"
    assert "<script>" in page.locator("main").inner_text()
    assert page.locator("main script, main img, main style").count() == 0


@needs_chromium
def test_a_circle_of_factors_is_drawn(reference, page_of):
    edit(reference, "| made possible harm |", "| made possible F1, made possible F3 |")
    assert page_of().locator("svg .node").count() == 7
    assert reference.is_file()


@needs_chromium
def test_a_draft_is_drawn_on_a_phone(herring, page_of):
    done(herring, "postmortem", "red_herring")
    page = page_of(420)
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    assert page.locator("svg .node").count() == 1
