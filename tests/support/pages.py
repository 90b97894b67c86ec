"""Pages of incidents, for the tests that look at them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.evidence.html import Shown, page_of, to_html
from tests.support.replays import incident

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.evidence.html import Page

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="chromium is not installed; .ci/run installs it"
)

FIRST = {  # the charts at the top; noise of the machine may choose one of them
    "fp_drift": {"reconciliation_difference"},
    "red_herring": {"requests", "slo_requests"},
    "n_plus_one": {"requests", "calls", "slo_requests", "db_rows"},
    "circular_deadlock": {"requests", "calls", "slo_requests"},
}


def shown(name: str, **folders: Path) -> list[Shown]:
    """The replays of a kata in these folders, with their labels."""
    return [
        Shown(label.replace("_", " "), f"the files of {label}", incident(folder, name))
        for label, folder in folders.items()
    ]


def data_of(name: str, **folders: Path) -> Page:
    """The data of a page."""
    return page_of(shipped().get(name), shown(name, **folders))


def written(tmp_path: Path, name: str, replays: Sequence[Shown]) -> Path:
    """The file of a page."""
    file = tmp_path / f"{name}.html"
    file.write_text(to_html(shipped().get(name), replays), encoding="utf-8")
    return file
