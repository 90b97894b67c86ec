"""Runs the guardrails of a spec on the learner's own modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.catalog.arms import workspace_arm
from drill_katas.catalog.katas import find, packs
from drill_katas.errors import UserError
from drill_katas.guardrail.judging import checks_on
from drill_katas.spec.checking import Checked
from drill_katas.spec.result import Finding, Ran, SpecReview

if TYPE_CHECKING:
    from collections.abc import Callable

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
            findings.add(Finding(guardrail.shown, 1, str(mistake)))
            continue
        ran.append(one)
        findings |= {_finding(guardrail, name, message) for name, message in one.failed.items()}
    return SpecReview(rules=tuple(rule.id for rule in checked.rules), findings=tuple(sorted(findings)), ran=tuple(ran))


def run(workspace: Workspace, guardrail: Guardrail) -> Ran:
    """Run a guardrail on the learner's own files. Raises `UserError` without a verdict, or if a file is missing."""
    kata = find(guardrail.kata, [workspace.library, *packs()])
    checks = checks_on(kata, guardrail.file, workspace_arm(kata).contents)
    return Ran(
        kata=kata.name,
        passed=tuple(check.name for check in checks if not check.failed and not check.not_judged),
        failed={check.name: check.message.partition("\n")[0] for check in checks if check.failed},
        not_judged={check.name: check.message.partition("\n")[0] for check in checks if check.not_judged},
    )


def _finding(guardrail: Guardrail, name: str, message: str) -> Finding:
    test = guardrail.test(name.partition("[")[0])
    return Finding(guardrail.shown, test.line if test else 1, f"{name} fails on your module: {message}")
