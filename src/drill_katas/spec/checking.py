"""The check of a spec: its rows, the citations in the guardrails, and the guardrails on the learner's own modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import packs, shipped
from drill_katas.errors import UserError, nearest
from drill_katas.markdown import read_markdown
from drill_katas.spec.citing import guardrails_of, rules_for
from drill_katas.spec.document import ENFORCED, FILE, INVARIANT, SINCE, WHY, parse
from drill_katas.spec.result import SpecFinding, decorator
from drill_katas.spec.writing import no_table
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from drill_katas.practice.workspace import Workspace
    from drill_katas.spec.citing import CitingTest, Guardrail
    from drill_katas.spec.document import Named, Rule, Spec

WANTED: Final = {INVARIANT: "a sentence that is true of every right module", WHY: "the harm that it prevents"}


class Checked:
    """The spec and the guardrails of a workspace; with a `kata`, only the rules and the guardrail of this kata."""

    def __init__(self, workspace: Workspace, kata: str | None) -> None:
        """Read all files. Raises `UserError` without a readable `SPEC.md`."""
        path = workspace.root / FILE
        text = read_markdown(path, "a spec")
        if text is None:
            raise UserError(f"there is no {FILE} in {workspace.root} yet; `kata spec {kata or 'NAME'}` writes it")
        self._spec: Spec = parse(text)
        self._all = guardrails_of(workspace)
        self._catalog = {name for each in (workspace.library, shipped(), *packs()) for name in each.names()}
        self.guardrails = [each for each in self._all.values() if kata in {None, each.kata}]
        self.rules = [rule for rule in self._spec.rules if kata is None or self._is_about(rule, kata)]

    def _is_about(self, rule: Rule, kata: str) -> bool:
        return kata in rule.katas or (kata in self._all and rule.id in self._all[kata].cited)

    @property
    def named(self) -> list[Guardrail]:
        """The guardrails with a test that a rule names or that cites a rule."""
        katas = {named.kata for rule in self.rules for named in rule.tests}
        ids = {rule.id for rule in self.rules}
        return [each for each in self.guardrails if each.tests and (each.kata in katas or each.cited & ids)]

    def findings(self) -> Iterator[SpecFinding]:
        """Yield the problems of all rows and of all citations."""
        if not self._spec.tables:
            yield SpecFinding(FILE, self._spec.broken or 1, no_table(self._spec))
        yield from self._id_findings()
        for rule in self.rules:
            for message in (*_cell_problems(rule, self._catalog), *self._test_problems(rule)):
                yield SpecFinding(FILE, rule.line, message)
        for guardrail in self.guardrails:
            yield from self._citation_findings(guardrail)

    def _id_findings(self) -> Iterator[SpecFinding]:
        """Yield the malformed and the duplicate ids of all rows, because a new row needs an id of its own."""
        free = f"R{1 + max((rule.number for rule in self._spec.rules), default=0)}"
        seen: dict[str, int] = {}
        for rule in self._spec.rules:
            if not rule.number:
                shown = truncate(printable(rule.id), 40)
                yield SpecFinding(FILE, rule.line, f"the id is {shown!r}; write R and a number, such as {free}")
            elif rule.id in seen:
                message = f"{rule.id} is also the id in line {seen[rule.id]}; use another id here, such as {free}"
                yield SpecFinding(FILE, rule.line, message)
            seen.setdefault(rule.id, rule.line)

    def _test_problems(self, rule: Rule) -> Iterator[str]:
        if not rule.tests:
            yield f"`{ENFORCED}` names no test; write the test as KATA::TEST, such as red_herring::test_failed_orders"
            return
        missing = [problem for named in rule.tests for problem in self._named_problems(named)]
        yield from missing
        if missing or not rule.number:
            return
        mark = decorator(rule.id)
        if not any(rule.id in each.cited for each in self._all.values()):
            yield f"no guardrail cites {rule.id}; add `{mark}` above {rule.tests[0]}"
            return
        for named in rule.tests:
            guardrail = self._all[named.kata]
            test = guardrail.test(named.test)
            if test and rule.id not in {each.id for each in test.cited}:
                yield f"{named} does not cite {rule.id}; add `{mark}` above it in {guardrail.shown}:{test.top}"

    def _named_problems(self, named: Named) -> Iterator[str]:
        """Yield why the named test does not exist; the problem of a whole guardrail is a finding of its own."""
        guardrail = self._all.get(named.kata)
        if named.kata not in self._catalog:
            yield f"{truncate(str(named), 80)}: there is no kata {named.kata!r}{nearest(named.kata, self._catalog)}"
        elif guardrail is None:
            yield f"{named}: there is no guardrail; `kata guardrail {named.kata}` writes one to start from"
        elif not guardrail.problem and guardrail.test(named.test) is None:
            known = [test.name for test in guardrail.tests]
            yield f"{guardrail.shown} has no test {truncate(named.test, 60)!r}{nearest(named.test, known)}"

    def _citation_findings(self, guardrail: Guardrail) -> Iterator[SpecFinding]:
        if guardrail.problem:
            yield SpecFinding(guardrail.shown, guardrail.line or 1, guardrail.problem)
        known = {rule.id for rule in self._spec.rules}
        for test in guardrail.tests:
            if not test.cited:
                message = f"{test.name} cites no rule; {self._advice(guardrail, test)}"
                yield SpecFinding(guardrail.shown, test.line, message)
            for cited in test.cited:
                if not cited.id:
                    message = f"a rule is cited by its id in quotes: `{decorator('R1')}`"
                    yield SpecFinding(guardrail.shown, cited.line, message)
                elif self._spec.tables and cited.id not in known:
                    shown = truncate(printable(cited.id), 40)
                    message = f"{test.name} cites {shown!r}, and {FILE} has no such id; correct it, or add a row"
                    yield SpecFinding(guardrail.shown, cited.line, message)

    def _advice(self, guardrail: Guardrail, test: CitingTest) -> str:
        """Return how a test gets a rule."""
        ids = rules_for(self._spec, guardrail, test)
        if ids:
            return f"add `{decorator(*ids)}` above it"
        return f"`kata spec {guardrail.kata}` adds a row and prints the decorator"


def _state(rule: Rule, column: str) -> str:
    return "still a placeholder" if rule.cells.get(column) else "empty"


def _cell_problems(rule: Rule, catalog: Collection[str]) -> Iterator[str]:
    if rule.extra:
        yield "this row has more cells than the table has columns; write a `|` inside of a cell as `\\|`"
    for column, wanted in WANTED.items():
        if rule.is_placeholder(column):
            yield f"`{column}` is {_state(rule, column)}; write {wanted}"
    if rule.is_placeholder(SINCE):
        yield f"`{SINCE}` is {_state(rule, SINCE)}; write the kata of the incident"
    elif rule.since not in catalog:
        shown = truncate(rule.since, 40)
        yield f"`{SINCE}` begins with {shown!r}, and there is no such kata{nearest(rule.since, catalog)}"
