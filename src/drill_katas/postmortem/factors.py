"""The contributing factors of a post-mortem: the table, its graph, and the Five Whys, which are paths through it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from drill_katas.catalog.answer import FactorKind
from drill_katas.errors import nearest
from drill_katas.postmortem.citing import citations, has_unknown
from drill_katas.postmortem.document import FACTORS
from drill_katas.postmortem.finding import Finding
from drill_katas.text import plural, printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.markdown import Row
    from drill_katas.postmortem.document import Document
    from drill_katas.postmortem.facts import Facts

KINDS: Final = get_args(FactorKind)
HARM: Final = "harm"
EFFECTS: Final = ("made possible", "hid", "prolonged")
EDGE: Final = re.compile(r"(made possible|hid|prolonged)\s+(?:the\s+)?(F\d+|harm)", re.IGNORECASE)
ID: Final = re.compile(r"F[1-9]\d?")
WHY: Final = re.compile(r"why (it happened|it was noticed late|it took long to mend)\s*:?(.*)", re.IGNORECASE)
STEP: Final = re.compile(r"\bF\d+\b|\bharm\b", re.IGNORECASE)
WHYS: Final = ("it happened", "it was noticed late", "it took long to mend")
NEEDED: Final[dict[str, frozenset[str]]] = {
    "it happened": frozenset({"trigger", "condition", "amplifier"}),
    "it was noticed late": frozenset({"detection gap"}),
    "it took long to mend": frozenset({"mitigation gap"}),
}
"""For each why, the kinds of which its path has at least one factor."""
MOST: Final = 12  # factors
MOST_READ: Final = 100  # factors of a hostile file
COLUMNS: Final = ("id", "kind", "factor", "evidence", "leads to")


class Edge(msgspec.Struct, frozen=True):
    """An arrow of the graph: what a factor did to another one, or to the harm."""

    source: str
    effect: str
    target: str


class Listed(msgspec.Struct, frozen=True):
    """A row of the table of factors; `cited` has the known evidence of it."""

    line: int
    id: str
    kind: str
    text: str
    evidence: str
    cited: tuple[str, ...]
    edges: tuple[Edge, ...]

    @property
    def supported(self) -> bool:
        """Whether known evidence is cited."""
        return bool(self.cited)


class Why(msgspec.Struct, frozen=True):
    """One of the Five Whys: its question, its line, and the factors on its path."""

    name: str
    line: int
    path: tuple[str, ...]


class Graph(msgspec.Struct, frozen=True):
    """The factors and the paths of a post-mortem."""

    factors: tuple[Listed, ...]
    whys: tuple[Why, ...]

    @property
    def by_id(self) -> dict[str, Listed]:
        """The factors by id; the first of several with one id."""
        return {factor.id: factor for factor in reversed(self.factors)}

    @property
    def edges(self) -> frozenset[tuple[str, str]]:
        """The ends of all arrows."""
        return frozenset((edge.source, edge.target) for factor in self.factors for edge in factor.edges)

    def holds(self, why: Why) -> bool:
        """Return whether a why is a path of the table with a factor of the needed kind."""
        return not list(_path_problems(self, why))


def graph_of(document: Document, facts: Facts) -> Graph:
    """Return the factors and paths of a post-mortem."""
    section = document.sections.get(FACTORS)
    table = section.table("id", "kind", "factor") if section else None
    factors = tuple(_listed(row, facts) for row in table.rows[:MOST_READ]) if table else ()
    found: dict[str, Why] = {}
    for passage in section.passages if section else ():
        match = WHY.match(" ".join(passage.text.split()))
        if match and match[1].lower() not in found:
            steps = [step.upper() if step[0] in "fF" else HARM for step in STEP.findall(match[2])]
            found[match[1].lower()] = Why(match[1].lower(), passage.line, tuple(steps))
    return Graph(factors, tuple(found.values()))


def _listed(row: Row, facts: Facts) -> Listed:
    name = row.cell("id").strip("`* ").upper()
    edges = tuple(
        Edge(name, effect.lower(), target.upper() if target[0] in "fF" else HARM)
        for effect, target in EDGE.findall(row.cell("leads to"))
    )
    cited = tuple(each for each in citations(row.cell("evidence")) if facts.exists(each))
    kind = " ".join(row.cell("kind").strip("`* ").lower().replace("-", " ").split())
    return Listed(row.line, name, kind, row.cell("factor"), row.cell("evidence"), cited, edges)


def factor_findings(graph: Graph, document: Document) -> Iterator[Finding]:
    """Yield the problems of the table of factors and of the whys."""
    section = document.sections.get(FACTORS)
    if section is None:
        return
    if section.table(*COLUMNS) is None:
        columns = " | ".join(COLUMNS)
        yield Finding(section.line, "factors", f"there is no table of factors; its columns are | {columns} |")
    seen: set[str] = set()
    for factor in graph.factors:
        yield from _row_findings(factor, graph, seen)
        seen.add(factor.id)
    yield from _missing_kinds(graph, section.line)
    yield from _why_findings(graph, section.line)


def _row_findings(factor: Listed, graph: Graph, seen: set[str]) -> Iterator[Finding]:
    name = truncate(printable(factor.id), 20) or "this row"
    if not ID.fullmatch(factor.id):
        yield Finding(factor.line, "factors", f"{name} is no id of a factor; write F1, F2, and so on")
    elif factor.id in seen:
        yield Finding(factor.line, "factors", f"{name} has two rows; give each factor its own id")
    if factor.kind not in KINDS:
        kind = truncate(printable(factor.kind), 30)
        yield Finding(factor.line, "factors", f"{name} has the kind {kind!r}{nearest(kind, KINDS)}")
    if not factor.cited and not has_unknown(factor.evidence):
        yield Finding(
            factor.line, "factors", f"{name} has no evidence; cite an id of the tables above, or write: unknown"
        )
    if not factor.edges:
        yield Finding(
            factor.line, "factors", f"{name} leads to nothing; write what it did, such as: made possible {HARM}"
        )
    for edge in factor.edges:
        if edge.target != HARM and edge.target not in graph.by_id:
            yield Finding(factor.line, "factors", f"{name} leads to {edge.target}, which has no row in the table")
        elif edge.target == factor.id:
            yield Finding(factor.line, "factors", f"{name} leads to itself; write what it did to another factor")


def _missing_kinds(graph: Graph, line: int) -> Iterator[Finding]:
    kinds = {factor.kind for factor in graph.factors}
    if not graph.factors:
        yield Finding(line, "factors", "no contributing factor is listed; begin with what set the incident off")
        return
    if len(graph.factors) > MOST:
        yield Finding(
            line, "factors", f"{plural(len(graph.factors), 'factor')} are too many; keep at most {MOST} that mattered"
        )
    if sum(factor.kind in {"trigger", "condition", "amplifier"} for factor in graph.factors) < 2:  # noqa: PLR2004
        yield Finding(
            line, "factors", "one single cause is listed; add the conditions that let it do harm, with their evidence"
        )
    if "detection gap" not in kinds:
        yield Finding(line, "factors", "nothing is listed on detection; add a detection gap: what showed it too late?")
    if "mitigation gap" not in kinds:
        yield Finding(
            line, "factors", "nothing is listed on the response; add a mitigation gap: what took long to mend?"
        )


def _why_findings(graph: Graph, line: int) -> Iterator[Finding]:
    found = {why.name: why for why in graph.whys}
    for name in WHYS:
        if name not in found or not found[name].path:
            at = found[name].line if name in found else line
            yield Finding(at, "whys", f"there is no path for: Why {name}; write `- Why {name}: F1 -> F2 -> {HARM}`")
            continue
        for problem in _path_problems(graph, found[name]):
            yield Finding(found[name].line, "whys", problem)


def _path_problems(graph: Graph, why: Why) -> Iterator[str]:
    known = graph.by_id
    for step in _unique(why.path):
        if step != HARM and step not in known:
            yield f"{step} is on this path, and has no row in the table of factors"
        elif step != HARM and not known[step].cited and not has_unknown(known[step].evidence):
            yield f"{step} is on this path, and has no evidence; cite an id, or write: unknown"
    for before, after in zip(why.path, why.path[1:], strict=False):
        if (before, after) not in graph.edges and before in known:
            yield f"{before} -> {after} is no arrow of the table; {before} should lead to {after}"
    if len(why.path) < 2 or why.path[-1] != HARM:  # noqa: PLR2004
        yield f"this path does not end at {HARM}; go on with -> {HARM}"
    elif not any(known[step].kind in NEEDED[why.name] for step in why.path if step in known):
        kinds = " or ".join(sorted(NEEDED[why.name], reverse=True))
        yield f"this path has no {kinds}; a path for `Why {why.name}` goes through one"


def _unique(steps: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(steps))
