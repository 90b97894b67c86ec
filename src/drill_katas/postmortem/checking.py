"""The check of a post-mortem: its findings, and its score from 0 to 100.

| part | points | for |
| --- | --- | --- |
| factors | 40 | the share of the author's factors in your table, each with the right kind and with evidence |
| evidence | 10 | the share of your factors with evidence, if there are three and both gaps |
| whys | 12 | three paths through the table |
| alerts | 12 | the share of alerts with the right label, and an experiment for noise |
| actions | 14 | the share of actions without a problem, if there is one of each kind |
| impact | 4 | words with a figure of the incident |
| timeline | 4 | a row of your own with evidence |
| learning | 4 | what went well, and where you were lucky, each with evidence |

All points but those for factors grow with the share of factors: a fifth of them counts without any, all of them from
half of the factors on. Each finding on blame or hindsight costs 4 points, at most 20.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.answer import read_answer
from drill_katas.postmortem import actions, alerts
from drill_katas.postmortem.blocks import layout_of, refreshed
from drill_katas.postmortem.citing import cell_findings, citations, id_findings
from drill_katas.postmortem.document import LUCKY, SECTIONS, TIMELINE, WELL, parse
from drill_katas.postmortem.factors import factor_findings, graph_of
from drill_katas.postmortem.figures import has_impact, impact_findings, own_rows, timeline_findings
from drill_katas.postmortem.files import NAMES, expect_variant
from drill_katas.postmortem.finding import Finding
from drill_katas.postmortem.generated import contents
from drill_katas.postmortem.language import word_findings
from drill_katas.postmortem.result import POINTS, Review

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.catalog.answer import Answer, Factor
    from drill_katas.postmortem.document import Document
    from drill_katas.postmortem.factors import Graph, Listed
    from drill_katas.postmortem.facts import Facts

STATUSES: Final = ("draft", "in review", "final")
CAUSES: Final = frozenset({"trigger", "condition", "amplifier"})  # kinds that count as one in the score
FIRST_SHARE: Final = 0.2  # of the points for form that count without any factor
LEAST_FACTORS: Final = 3
LONGEST_ROW: Final = 60  # words of a row that can match a factor, because a list of all words would match each
WORD_COST, MOST_WORD_COST = 4, 20
MOST_FINDINGS: Final = 50  # of one rule


def review(text: str, facts: Facts) -> Review:
    """Return the findings and the score of a post-mortem. Raises `UserError` if it is about another variant."""
    expect_variant(text, facts)
    layout = layout_of(text, NAMES)
    written = layout.written()
    document = parse(written)
    graph = graph_of(document, facts)
    _, edited = refreshed(layout, contents(facts))
    marks = (Finding(problem.line, "file", problem.message) for problem in (*layout.problems, *edited))
    rules = (
        marks,
        _file_findings(document, facts),
        id_findings(written, facts),
        impact_findings(document, facts),
        timeline_findings(document, facts),
        alerts.alert_findings(document, facts),
        factor_findings(graph, document),
        _evidence_findings(graph, facts),
        word_findings(document),
        actions.action_findings(document, facts),
    )
    findings = {finding for rule in rules for finding in islice(rule, MOST_FINDINGS)}
    answer = read_answer(facts.kata.solutions)
    declared = [factor for factor in answer.factors if facts.variant in factor.variants]
    missing = _missing(declared, graph.factors)
    share = 1 - len(missing) / len(declared) if declared else 0.0
    parts = _parts(document, graph, facts, answer, share)
    cost = min(MOST_WORD_COST, WORD_COST * sum(finding.rule == "words" for finding in findings))
    return Review(
        kata=facts.kata.name,
        variant=facts.variant,
        findings=tuple(sorted(findings)),
        score=max(0, int(sum(parts.values()) - cost + 1e-6)),
        parts=parts,
        named=len(declared) - len(missing),
        of=len(declared),
        missing=tuple(factor.kind for factor in missing),
    )


def _parts(document: Document, graph: Graph, facts: Facts, answer: Answer, share: float) -> dict[str, float]:
    """Return the points of each part; those for form grow with the share of factors."""
    kinds = {factor.kind for factor in graph.factors if factor.supported}
    complete = len(graph.factors) >= LEAST_FACTORS and {"detection gap", "mitigation gap"} <= kinds
    supported = sum(factor.supported for factor in graph.factors)
    rows = actions.rows_of(document)
    done = [row for row in rows if actions.sound(row, facts)]
    every_kind = {row.cell("kind").strip("`* ").lower() for row in done} >= set(actions.KINDS)
    diagnosis = answer.diagnosis.get(facts.variant)
    labels: dict[str, str] = dict(diagnosis.alerts) if diagnosis else {}
    form = {
        "evidence": supported / len(graph.factors) if complete else 0.0,
        "whys": sum(graph.holds(why) and _supported(why.path, graph) for why in graph.whys) / 3,
        "alerts": alerts.labelled_right(document, facts, labels),
        "actions": len(done) / len(rows) * (1.0 if every_kind else 0.5) if rows else 0.0,
        "impact": float(has_impact(document, facts)),
        "timeline": float(bool(own_rows(document.sections.get(TIMELINE), facts))),
        "learning": sum(_learned(document, name, facts) for name in (WELL, LUCKY)) / 2,
    }
    counts = FIRST_SHARE + (1 - FIRST_SHARE) * min(1.0, 2 * share)
    parts = {name: round(POINTS[name] * part * counts, 1) for name, part in form.items()}
    return {"factors": round(POINTS["factors"] * share, 1), **parts}


def _supported(path: Sequence[str], graph: Graph) -> bool:
    return all(graph.by_id[step].supported for step in path if step in graph.by_id)


def _learned(document: Document, name: str, facts: Facts) -> bool:
    """Return whether a section has words with an id or a name that exists."""
    section = document.sections.get(name)
    return any(
        facts.exists(word) for passage in (section.passages if section else ()) for word in citations(passage.raw)
    )


def _missing(declared: Sequence[Factor], listed: Sequence[Listed]) -> list[Factor]:
    """Return the declared factors that no row names; each row names at most one of them."""
    able = [[row for row, factor in enumerate(listed) if _matches(factor, each)] for each in declared]
    taken: dict[int, int] = {}

    def place(index: int, tried: set[int]) -> bool:
        for row in able[index]:
            if row not in tried:
                tried.add(row)
                if row not in taken or place(taken[row], tried):
                    taken[row] = index
                    return True
        return False

    return [factor for index, factor in enumerate(declared) if not place(index, set())]


def _matches(listed: Listed, factor: Factor) -> bool:
    same = listed.kind == factor.kind or {listed.kind, factor.kind} <= CAUSES
    if not same or not listed.supported or len(listed.text.split()) > LONGEST_ROW:
        return False
    return all(re.search(term, listed.text, re.IGNORECASE) for term in factor.terms)


def _file_findings(document: Document, facts: Facts) -> Iterator[Finding]:
    """Yield problems of the front matter and of the headings."""
    if not document.meta:
        yield Finding(
            1, "file", "the front matter is missing; begin the file with --- and kata, variant, author, status"
        )
    for key, right in (("kata", facts.kata.name), ("variant", facts.variant)):
        line, value = document.meta.get(key, (1, ""))
        if document.meta and value != right:
            yield Finding(line, "file", f"{key} is {value[:40]!r}; it should be {right!r}")
    line, author = document.meta.get("author", (1, ""))
    if document.meta and not author:
        yield Finding(line, "file", "author is empty; write your name or your team's")
    line, status = document.meta.get("status", (1, ""))
    if document.meta and status.lower() not in STATUSES:
        yield Finding(line, "file", f"status is {status[:40]!r}; write draft, in review, or final")
    for name in SECTIONS:
        if name not in document.sections:
            yield Finding(0, "file", f"the section {name} is missing; write `## {name}` on a line of its own")
    for name, section in document.sections.items():
        if name in {WELL, LUCKY} and not section.passages:
            yield Finding(section.line, "file", f"{name}: nothing is written; one sentence with its evidence is enough")


def _evidence_findings(graph: Graph, facts: Facts) -> Iterator[Finding]:
    """Yield the ids in the table of factors that do not exist."""
    for factor in graph.factors:
        yield from cell_findings(factor.evidence, factor.line, facts)
