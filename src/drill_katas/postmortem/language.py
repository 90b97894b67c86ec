"""Blame and hindsight in a post-mortem, each with a sentence to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from drill_katas.postmortem.document import ACTIONS, LUCKY, Passage
from drill_katas.postmortem.finding import Finding
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.postmortem.document import Document

ROLE: Final = (
    r"(?:the|our|an?|some)\s+(?:\w+\s+){0,2}?"
    r"(?:engineer|developer|operator|on-call|colleague|intern|team|admin|author|reviewer|person|user|customer|who)s?"
)
PERSON: Final = rf"(?:{ROLE}|he|she|they|we|I|on-call|somebody|someone|nobody|(?-i:[A-Z][a-z]+(?:\s[A-Z][a-z]+)?))"
FAULT: Final = (
    r"(?:forgot|neglected|overlooked|messed up|screwed up|(?:was|were) (?:careless|negligent|sloppy|lazy)|"
    r"didn'?t bother|did not bother|made (?:a|the) mistake|(?:has|have|had) forgotten)"
)
SAW: Final = "(?:check|test|notice|read|look)"
ACTED: Final = rf"(?:failed to|ignored|missed|broke|caused|did not {SAW}|didn'?t {SAW})"


class Wording(NamedTuple):
    """A pattern, why it does not belong here, and an example of what to write instead."""

    pattern: re.Pattern[str]
    problem: str
    instead: str
    everywhere: bool = True


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern whose spaces match line breaks, too."""
    return re.compile(text.replace(" ", r"\s+"), re.IGNORECASE)


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
        _pattern(
            r"\b(?:is|are|was|were|be) (?:to blame|at fault)\b|"
            r"\b(?:fault|mistake)s? of (?-i:[A-Z])|'s (?:fault|mistake)\b"
        ),
        "blames instead of explaining",
        "The review of the change had no test that fails without the fix.",
    ),
    Wording(
        _pattern(r"\b(?:careless(?:ness)?|negligen(?:t|ce)|incompetent|stupid|sloppy)\b"),
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
        places = list(section.passages)
        for row in (row for table in section.tables for row in table.rows):
            places += [Passage(row.line, re.sub(r"`[^`]*`", " ", text), text) for text in row.cells.values()]
        wordings = [each for each in (*WORDINGS, *people) if each.everywhere or name not in FREE]
        for passage in places:
            yield from _findings(passage, wordings)


def _findings(passage: Passage, wordings: Sequence[Wording]) -> Iterator[Finding]:
    """Yield the first wording that each line has."""
    lines = set()
    for wording in wordings:
        for found in wording.pattern.finditer(passage.text):
            line = passage.line_of(found.start())
            if line not in lines:
                lines.add(line)
                quoted = truncate(printable(" ".join(found[0].split())), 60)
                yield Finding(line, "words", f'"{quoted}" {wording.problem}; write instead: "{wording.instead}"')


def _people(document: Document) -> list[Wording]:
    """Return a pattern for the people named in the file, followed by what they are blamed for; none without people."""
    names = {document.meta.get("author", (0, ""))[1]}
    section = document.sections.get(ACTIONS)
    for table in section.tables if section else ():
        names |= {row.cell("owner") for row in table.rows}
    words = sorted({word for name in names for word in re.findall(r"\b[A-Z]\w{2,20}\b", name)})[:50]
    pattern = _pattern(rf"\b(?:{'|'.join(words)})\b.{{0,20}}?\b{ACTED}\b")
    return [Wording(pattern, "names a person with blame", "On-call saw X at 02:58 and did Y.")] if words else []
