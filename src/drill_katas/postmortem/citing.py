"""Ids in the text of a post-mortem: which there are, and which of them do not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drill_katas.errors import nearest
from drill_katas.postmortem.facts import CITED
from drill_katas.postmortem.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.postmortem.facts import Facts

WORD: Final = re.compile(r"[A-Za-z0-9][\w.-]*\w|\w")
UNKNOWN: Final = re.compile(r"\bunknown\b", re.IGNORECASE)
LIKE_AN_ID: Final = re.compile(
    r"log-\w+|j-\w+|deploy-\w+|[a-z0-9]+(?:_[a-z0-9]+)+|(?:[A-Z][a-z0-9]+){2,}|(?=[a-f]*\d)[0-9a-f]{8,}"
)


def citations(text: str) -> list[str]:
    """Return the words of a cell, which may be ids."""
    return [word.strip("._") for word in WORD.findall(text)]


def has_unknown(text: str) -> bool:
    """Return whether a cell admits that something is unknown."""
    return bool(UNKNOWN.search(text))


def without_comments(text: str) -> str:
    """Return a text with empty lines in place of HTML comments."""
    kept, at = [], 0
    while (begin := text.find("<!--", at)) >= 0 and (end := text.find("-->", begin)) >= 0:
        kept += [text[at:begin], "\n" * text.count("\n", begin, end)]
        at = end + len("-->")
    return "".join([*kept, text[at:]])


def id_findings(text: str, facts: Facts) -> Iterator[Finding]:
    """Yield the ids of log lines and journal events, anywhere in the text, that do not exist."""
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        for found in dict.fromkeys(CITED.findall(line)):
            if not facts.exists(found):
                yield Finding(number, "ids", _no_such(found, facts))


def cell_findings(cell: str, line: int, facts: Facts) -> Iterator[Finding]:
    """Yield the words of a cell of evidence that look like ids and do not exist."""
    for word in dict.fromkeys(citations(cell)):
        if facts.exists(word) or CITED.fullmatch(word):  # the latter is reported by `id_findings`
            continue
        if word in facts.ablations:
            name = facts.kata.name
            yield Finding(line, "ids", f"the experiment {word} did not run; run `kata experiment {name} {word}`")
        elif LIKE_AN_ID.fullmatch(word):
            yield Finding(line, "ids", _no_such(word, facts))


def _no_such(found: str, facts: Facts) -> str:
    similar = "" if CITED.fullmatch(found) else nearest(found, facts.known)
    hint = similar if "did you mean" in similar else "; copy an id from a generated table, or from a query"
    what = "log line" if found.startswith("log-") else "journal event" if found.startswith("j-") else "evidence"
    return f"there is no {what} {found}{hint}"
