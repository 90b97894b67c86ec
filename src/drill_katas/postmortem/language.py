"""Blame and hindsight in a post-mortem, each with a sentence to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from drill_katas.postmortem.document import ACTIONS, LUCKY
from drill_katas.postmortem.finding import Finding
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.postmortem.document import Document

ROLE: Final = (
    r"(?:the|our|an?|some)\s+(?:\w+\s+){0,2}?"
    r"(?:engineer|developer|operator|on-call|colleague|intern|team|admin|author|reviewer|person|user|customer|who)s?"
)
PERSON: Final = rf"(?:{ROLE}|he|she|they|we|I|on-call|somebody|someone|nobody|(?-i:[A-Z][a-z]+(?:\s[A-Z][a-z]+)?))"
FAULT: Final = (
    r"(?:forgot|neglected|overlooked|messed up|screwed up|was (?:careless|negligent|sloppy|lazy)|"
    r"were (?:careless|negligent|sloppy|lazy)|didn'?t bother|did not bother|made (?:a|the) mistake|(?:has|have|had) forgotten)"
)
ACTED: Final = (
    r"(?:failed to|ignored|missed|broke|caused|did not (?:check|test|notice|read|look)|didn'?t (?:check|test|notice|read|look))"
)


class Wording(NamedTuple):
    """A pattern, why it does not belong here, and an example of what to write instead."""

    pattern: re.Pattern[str]
    problem: str
    instead: str
    everywhere: bool = True


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


WORDINGS: Final = (
    Wording(
        _pattern(r"\b(?:human|operator|user|pilot) errors?\b"),
        "explains nothing, because everybody errs",
        "The tool accepted X without a warning, so the slip went through.",
    ),
    Wording(
        _pattern(rf"\b{PERSON}\s+(?:\w+\s+)?{FAULT}\b"),
        "blames a person",
        "Nothing in the process showed that the step was missing.",
    ),
    Wording(
        _pattern(rf"\b(?:{ROLE}|he|she|they|we|I|somebody|someone|nobody|on-call)\s+(?:\w+ly\s+)?{ACTED}\b"),
        "describes a person by what did not happen",
        "On-call saw X at 02:58 and did Y, because Y had helped before.",
    ),
    Wording(
        _pattern(r"\b(?:is|are|was|were|be)\s+(?:to blame|at fault)\b|\b(?:fault|mistake)s? of\s+[A-Z]|'s\s+(?:fault|mistake)\b"),
        "blames instead of explaining",
        "The review of the change had no test that fails without the fix.",
    ),
    Wording(
        _pattern(r"\b(?:careless(?:ness)?|negligen(?:t|ce)|incompetent|stupid|sloppy|lazy)\b"),
        "judges a person",
        "The page names one alert, so it was read first.",
    ),
    Wording(
        _pattern(r"\b(?:should|could|would|ought to|must|might) (?:not )?have\b|\bshouldn'?t have\b"),
        "describes what did not happen",
        "On-call did X, because the page showed Y.",
        everywhere=False,
    ),
    Wording(
        _pattern(r"\bif (?:only )?(?:\w+\s){1,4}?had\b|\bhad (?:we|they|he|she|someone|the \w+) \w+ed\b|\bif only\b"),
        "describes what did not happen",
        "X was not in place; it is action N below.",
        everywhere=False,
    ),
)
FREE: Final = frozenset({ACTIONS, LUCKY})  # sections that may describe what did not happen


def word_findings(document: Document) -> Iterator[Finding]:
    """Yield the passages and table rows with blame or hindsight, once for each wording."""
    people = _people(document)
    for name, section in document.sections.items():
        places = [(passage.line, passage.text) for passage in section.passages]
        places += [(row.line, _prose(text)) for table in section.tables for row in table.rows for text in row.cells.values()]
        for line, text in places:
            yield from _findings(line, text, people, free=name in FREE)


def _findings(line: int, text: str, people: re.Pattern[str] | None, *, free: bool) -> Iterator[Finding]:
    for wording in WORDINGS:
        found = wording.pattern.search(text)
        if found and (wording.everywhere or not free):
            quoted = truncate(printable(found[0]), 60)
            yield Finding(line, "words", f'"{quoted}" {wording.problem}; write instead: "{wording.instead}"')
            return
    found = people.search(text) if people else None
    if found:
        quoted = truncate(printable(found[0]), 60)
        yield Finding(line, "words", f'"{quoted}" names a person with blame; write the role and what it saw: "On-call saw X."')


def _people(document: Document) -> re.Pattern[str] | None:
    """Return a pattern for the people named in the file, followed by what they are blamed for."""
    names = {document.meta.get("author", (0, ""))[1]}
    section = document.sections.get(ACTIONS)
    for table in section.tables if section else ():
        names |= {row.cell("owner") for row in table.rows}
    words = sorted({word for name in names for word in re.findall(r"\b[A-Z]\w{2,20}\b", name)})[:50]
    return re.compile(rf"\b(?:{'|'.join(words)})\b.{{0,20}}?\b{ACTED}\b") if words else None


def _prose(cell: str) -> str:
    return re.sub(r"`[^`]*`", " ", cell)
