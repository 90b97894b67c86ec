"""Runs the guardrails of a spec on the learner's own modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.catalog.arms import workspace_arm
from drill_katas.catalog.katas import find, packs
from drill_katas.errors import UserError
from drill_katas.guardrail.judging import checks_on
from drill_katas.spec.checking import Checked
from drill_katas.spec.result import GuardrailRun, SpecFinding, SpecReview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drill_katas.practice.workspace import Workspace
    from drill_katas.spec.citing import Guardrail


def review(workspace: Workspace, kata: str | None, report_progress: Callable[[int, int], None]) -> SpecReview:
    """Return the findings of a spec, with those of a run of its guardrails; with a `kata`, only those about it.

    `report_progress(done, of)` is called after each guardrail. Raises `UserError` without a readable `SPEC.md`.
    """
    checked = Checked(workspace, kata)
    findings = set(checked.findings())
    ran = []
    for done, guardrail in enumerate(checked.named):
        report_progress(done, len(checked.named))
        try:
            one = run(workspace, guardrail)
        except UserError as mistake:
            findings.add(SpecFinding(guardrail.shown, 1, str(mistake)))
            continue
        ran.append(one)
        findings.update(_findings(guardrail, one))
    return SpecReview(rules=tuple(rule.id for rule in checked.rules), findings=tuple(sorted(findings)), ran=tuple(ran))


def run(workspace: Workspace, guardrail: Guardrail) -> GuardrailRun:
    """Run a guardrail on the learner's own files. Raises `UserError` without a verdict, or if a file is missing."""
    kata = find(guardrail.kata, [workspace.library, *packs()])
    checks = checks_on(kata, guardrail.file, workspace_arm(kata).contents)
    return GuardrailRun(
        kata=kata.name,
        passed=tuple(check.name for check in checks if not check.failed and not check.not_judged),
        failed={check.name: check.message.partition("\n")[0] for check in checks if check.failed},
        not_judged={check.name: check.message.partition("\n")[0] for check in checks if check.not_judged},
    )


def _findings(guardrail: Guardrail, ran: GuardrailRun) -> Iterator[SpecFinding]:
    """Yield the tests that failed, and the tests that pytest did not find, which therefore enforce nothing."""
    for name, message in ran.failed.items():
        test = guardrail.test(_function(name))
        yield SpecFinding(guardrail.shown, test.line if test else 1, f"{name} fails on your module: {message}")
    found = {_function(name) for name in (*ran.passed, *ran.failed, *ran.not_judged)}
    for test in guardrail.tests:
        if _function(test.name) not in found:
            message = f"pytest does not collect {test.name}, so it enforces nothing"
            yield SpecFinding(guardrail.shown, test.line, message)


def _function(name: str) -> str:
    """Return the name of a test's function, without its classes and parameters."""
    return name.partition("[")[0].rpartition("::")[2]
