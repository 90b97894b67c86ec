"""Output formats of `kata grade --format`, one module each.

A format yields pieces of text whose concatenation is the document, so only one piece is in memory at a time.
`cli/grading.py` repeats the names, so that `kata grade --help` loads no format; a test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.grading.formats.csv_table import to_csv
from drill_katas.grading.formats.ctrf import to_ctrf
from drill_katas.grading.formats.github import to_github
from drill_katas.grading.formats.gradescope import to_gradescope
from drill_katas.grading.formats.html_page import to_html
from drill_katas.grading.formats.junit import to_junit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drill_katas.grading.grades import Grades

FORMATS: Final[dict[str, Callable[[Grades], Iterator[str]]]] = {
    "gradescope": to_gradescope,
    "ctrf": to_ctrf,
    "junit": to_junit,
    "github": to_github,
    "csv": to_csv,
    "html": to_html,
}
