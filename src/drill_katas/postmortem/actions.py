"""The actions of a post-mortem: each has a kind, an owner, a date, and a check that exists."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from drill_katas.errors import nearest
from drill_katas.markdown import PLACEHOLDERS
from drill_katas.postmortem.document import ACTIONS
from drill_katas.postmortem.finding import Finding
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.markdown import Row
    from drill_katas.postmortem.document import Document
    from drill_katas.postmortem.facts import Facts

KINDS: Final = ("prevent", "detect", "mitigate")
COLUMNS: Final = ("action", "kind", "owner", "date", "check")
NAMED: Final = re.compile(r"(alert|test)\s+(\w+)(?:::(\w+))?")
MOST_READ: Final = 100  # rows of a hostile file
LEAST_WORDS: Final = 3  # words of an action


def rows_of(document: Document) -> tuple[Row, ...]:
    """Return the rows of the table of actions."""
    section = document.sections.get(ACTIONS)
    table = section.table(*COLUMNS) if section else None
    return table.rows[:MOST_READ] if table else ()


def action_findings(document: Document, facts: Facts) -> Iterator[Finding]:
    """Yield the problems of each action, and the kinds that no action has."""
    section = document.sections.get(ACTIONS)
    if section is None:
        return
    rows = rows_of(document)
    for row in rows:
        for problem in _problems(row, facts):
            yield Finding(row.line, "actions", problem)
    kinds = {_kind(row) for row in rows}
    for kind, purpose in zip(KINDS, ("prevents it", "detects it earlier", "mends it faster"), strict=True):
        if kind not in kinds:
            yield Finding(section.line, "actions", f"no action of the kind {kind}; add one that {purpose}")


def sound(row: Row, facts: Facts) -> bool:
    """Return whether an action has no problem."""
    return not list(_problems(row, facts))


def _kind(row: Row) -> str:
    return row.cell("kind").strip("`* ").lower()


def _problems(row: Row, facts: Facts) -> Iterator[str]:
    kind, owner, day = _kind(row), row.cell("owner").strip("`* "), row.cell("date").strip("`* ")
    if len(row.cell("action").split()) < LEAST_WORDS:
        yield f"the action is not described; write a sentence with at least {LEAST_WORDS} words"
    if kind not in KINDS:
        yield f"the kind is {truncate(printable(kind), 30)!r}; write prevent, detect, or mitigate"
    if owner.lower() in PLACEHOLDERS:
        yield "the action has no owner; write one name or one team"
    if not _is_date(day):
        yield f"the date is {truncate(printable(day), 30)!r}; write it such as 2026-04-01"
    yield from _check_problems(row.cell("check").replace("`", ""), facts)


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text)) and len(text) == len("2026-04-01")
    except ValueError:
        return False


def _check_problems(check: str, facts: Facts) -> Iterator[str]:
    named = NAMED.findall(check)
    guarded = bool(re.search(r"\bguardrail\b", NAMED.sub("", check)))
    if not named and not guarded:
        yield "no check shows that the action is done; write guardrail, alert NAME, or test NAME"
    if guarded and not facts.guardrail_tests:
        name = facts.kata.name
        yield f"there is no guardrail with a test yet; `kata guardrail {name}` writes one to start from"
    for what, name, below in named:
        known = facts.rules if what == "alert" else facts.tests
        wanted = below or name
        if wanted not in known:
            yield f"there is no {what} {truncate(wanted, 60)}{nearest(wanted, known)}"
