"""The results of `kata spec` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.report.text import TextLine, line, wrapped
from drill_katas.spec.document import FILE
from drill_katas.text import plural, terminal_safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.report.text import Style
    from drill_katas.spec.result import GuardrailRun, SpecReview, SpecUpdate

MOST: Final = 100  # findings that are shown


def kept_lines(kept: SpecUpdate, guardrail: str, width: int) -> Iterator[TextLine]:
    """Yield the new rows, the decorators to add to the file `guardrail`, and the next step."""
    if kept.added:
        added = f"{plural(len(kept.added), 'new row')}: {', '.join(kept.added)}"
        yield from wrapped(f"{FILE}: {added}", width, "")
    else:
        reason = "each test has a row" if kept.citations else f"each test of {guardrail} cites a rule"
        yield from wrapped(f"{FILE} is unchanged: {reason}", width, "")
    if kept.citations:
        yield line()
        also = "" if kept.imports_pytest else " Add `import pytest` at the top of the file, too."
        yield from wrapped(f"Add these lines to {guardrail}, each above its test.{also}", width, "")
    for citation in kept.citations:
        yield line(f"  {guardrail}:{citation.line} {citation.test}")
        yield line((f"    {citation.decorator}", "bold"))
    yield line()
    check = f"kata spec {kept.kata} --check"
    if kept.untouched:
        cells = plural(kept.untouched, "placeholder")
        yield from wrapped(f"Next: replace {cells} of {kept.kata} in {FILE}, then run `{check}`.", width, "")
    else:
        yield from wrapped(f"Next: run `{check}`.", width, "")


def review_lines(review: SpecReview, width: int) -> Iterator[TextLine]:
    """Yield the findings, each with its file and lines, the guardrails that ran, and the number of findings."""
    alike: dict[tuple[str, str], list[int]] = {}
    for finding in review.findings:
        alike.setdefault((finding.file, finding.message), []).append(finding.line)
    for (file, message), lines in list(alike.items())[:MOST]:
        text = terminal_safe(f"{file}:{', '.join(map(str, lines))}: {message}")
        yield from wrapped(text, width, "", "note")
    if hidden := sum(map(len, list(alike.values())[MOST:])):
        yield line((f"... and {plural(hidden, 'more finding')}", "note"))
    if review.findings:
        yield line()
    room = max((len(each.kata) for each in review.ran), default=0)
    for ran in review.ran:
        yield from _ran(ran, room, width)
    if review.ran:
        yield line()
    style: Style = "bad" if review.findings else "note" if review.not_judged else "good"
    findings = plural(len(review.findings), "finding") if review.findings else "no finding"
    yield line((plural(len(review.rules), "rule"), "bold"), "; ", (findings, style))
    if review.not_judged:
        yield line("Run the check again, because a test was not judged.")


def _ran(ran: GuardrailRun, room: int, width: int) -> Iterator[TextLine]:
    """Yield the number of tests that passed, and the tests that were not judged."""
    of = len(ran.passed) + len(ran.failed) + len(ran.not_judged)
    style: Style = "bad" if ran.failed else "note" if ran.not_judged else "good"
    yield line(f"  {ran.kata:<{room}}  ", (f"{len(ran.passed)} of {plural(of, 'test')} passed on your module", style))
    for name, message in ran.not_judged.items():
        yield from wrapped(terminal_safe(f"{name}: {message}"), width, "    ", "note")
