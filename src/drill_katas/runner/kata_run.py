"""Pytest hooks that collect, order and judge the checks of a run."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pytest
from msgspec.structs import replace

from drill_katas.catalog.arms import Overlay
from drill_katas.errors import UserError
from drill_katas.judge.check_context import CheckContext
from drill_katas.judge.program import Program
from drill_katas.judge.session import SutSession
from drill_katas.judge.sut import Sut
from drill_katas.report.run import details_of
from drill_katas.runner.benchmark import is_left_out, is_unrecorded, need_not_measure
from drill_katas.runner.checks import (
    WATCHDOG_SECONDS,
    Check,
    add_watchdog,
    read_check,
    seeded,
    start_watchdog,
    stop_watchdog,
    track_examples,
)
from drill_katas.runner.context import arms_of
from drill_katas.runner.culprits import culprit_of
from drill_katas.runner.other_plugins import keep_others_out, use_our_sut
from drill_katas.runner.recorder import MISTAKE, Finding
from drill_katas.runner.results import failure_result, not_judged, with_fault
from drill_katas.verdict import CheckResult, Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Generator

    from drill_katas.batch.judge_client import JudgeRequest
    from drill_katas.catalog.katas import Kata
    from drill_katas.judge.inline import InlineSpawner
    from drill_katas.judge.zygote_link import AlternatingLinks
    from drill_katas.runner.context import RunContext
    from drill_katas.runner.settings import Settings

CHECK: Final = pytest.StashKey[Check]()
NOT_REACHED: Final = pytest.StashKey[bool]()


class KataRun:
    """Runs the checks, in the session itself or in each worker of pytest-xdist."""

    def __init__(self, context: RunContext, spawner: InlineSpawner | AlternatingLinks) -> None:
        self._settings = context.settings
        self._arms = context.arms
        self._thresholds = context.thresholds
        self._session = SutSession(spawner, seed=context.settings.seed)
        self.sut = Sut(self._session)
        self.seconds = 0.0  # the budgets of all checks together
        self._at_end = contextlib.ExitStack()
        self._at_end.callback(spawner.close)
        self._at_end.callback(self._session.close)
        self._overlays: dict[str, Overlay] = {}
        self._collected: list[pytest.Item] = []
        self._totals: Counter[str] = Counter()
        self._selected: Counter[str] = Counter()
        self._failed: set[tuple[str, int]] = set()  # kata and position of a stage that did not pass
        self._reported: set[tuple[str, str]] = set()  # kata and message of a broken contract

    def retarget(self, items: list[pytest.Item], request: JudgeRequest) -> Settings:
        """Switch to the source, seed and report of a request. Raises `UserError` if files are missing."""
        report = Path(request.report) if request.report else None
        self._settings = dataclasses.replace(self._settings, source=request.source, seed=request.seed, report=report)
        self._arms = arms_of(self._settings)
        self._session.seed = request.seed
        for item in items:
            seeded(item, request.seed)
        items[:] = self._in_order(self._requested(request.checks))
        self._select(items)
        return self._settings

    def _requested(self, checks: tuple[str, ...]) -> list[pytest.Item]:
        """Return the collected checks with these names; all if there are no names."""
        return [item for item in self._collected if not checks or (CHECK in item.stash and item.name in checks)]

    def _overlay(self, kata: Kata) -> Overlay:
        """Return the files to judge; the first check of a run copies them for all katas."""
        if not self._overlays:
            for each in self._settings.katas:
                self._overlays[each.name] = Overlay(each, self._arms[each.name])
                self._at_end.callback(self._overlays[each.name].close)
        return self._overlays[kata.name]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Read the checks, and order the selected ones after all other plugins."""
        self._read_or_refuse(config, items)
        place = {item: number for number, item in enumerate(items)}
        result = yield
        self._collected = sorted(dict.fromkeys(items), key=lambda item: place.get(item, len(place)))
        items[:] = self._in_order(self._collected)
        return result

    def _read_or_refuse(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        try:
            self._read_checks(items)
        except UserError as mistake:
            if not hasattr(config, "workeroutput"):
                raise pytest.UsageError(str(mistake)) from None
            config.workeroutput[MISTAKE] = str(mistake)  # because a worker's exception is lost; the recorder shows this
            items.clear()
        dropped = [item for item in items if CHECK in item.stash and is_left_out(item)]
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = [item for item in items if item not in dropped]

    def _in_order(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """Return the items in the order of katas and stages; a seed other than 0 shuffles each stage."""
        items = list(items)
        if self._settings.seed:
            random.Random(self._settings.seed).shuffle(items)  # noqa: S311 - an order, not a secret
        return sorted(items, key=self._position)

    def _read_checks(self, items: list[pytest.Item]) -> None:
        for item in items:
            kata = self._settings.kata_at(item.path)
            if kata is None:
                continue
            check = read_check(item, kata, self._settings.guardrail)
            item.stash[CHECK] = check
            self._totals[kata.name] += 1
            self.seconds += check.budget + WATCHDOG_SECONDS
            seeded(item, self._settings.seed)
            track_examples(item, self.sut)
            add_watchdog(item, check.budget)
            need_not_measure(item)
            use_our_sut(item)
            keep_others_out(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the checks that `-k` and similar options left."""
        self._select(session.items)

    def _select(self, items: list[pytest.Item]) -> None:
        checks = (item.stash.get(CHECK, None) for item in items)
        self._selected = Counter(check.kata.name for check in checks if check)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a check with a new SUT; skip it if an earlier stage of its kata failed."""
        check = item.stash.get(CHECK, None)
        if check is None:
            return
        item.user_properties += [("kata", check.kata.name), ("stage", check.stage.value)]
        closed = [stage for kata, stage in self._failed if kata == check.kata.name and stage < check.stage.position]
        if closed and not self._settings.all_stages:
            item.stash[NOT_REACHED] = True
            pytest.skip("not reached: an earlier stage fails")
        limits, thresholds = check.kata.manifest.limits, self._thresholds[check.kata.name]
        program = Program.of(check.kata, self._overlay(check.kata))
        self._session.begin_check(CheckContext(program, limits, check.budget, thresholds))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Raise the reason if the check's database was ended, because it explains any other failure."""
        try:
            return (yield)
        finally:
            if CHECK in item.stash:
                self._session.raise_end()

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """Start the watchdog for a check; leave other tests to pytest-timeout."""
        check = item.stash.get(CHECK, None)
        return (check is not None and start_watchdog(check, self.sut)) or None

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self, item: pytest.Item) -> bool | None:
        """Stop the watchdog of a check."""
        if CHECK not in item.stash:
            return None
        stop_watchdog()
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn pytest's outcome into a check result and attach it to the report."""
        report = yield
        check = item.stash.get(CHECK, None)
        if check is None:
            return report
        report.kata = check.kata.name  # type: ignore[attr-defined] # pytest-xdist transfers it
        report.unrecorded = call.when == "call" and is_unrecorded(item)  # type: ignore[attr-defined]
        if call.when == "call" or (call.when == "setup" and not report.passed):
            result = self._judge(check, item, call, report)
            item.user_properties.append(("seconds", result.seconds))
            self._attach(report, check, result)
        if call.when == "teardown":
            report.culprit = call.excinfo and culprit_of(call.excinfo.value, self._checks_at(check), item.config)  # type: ignore[attr-defined]
            self._session.end_check()
        return report

    def pytest_unconfigure(self) -> None:
        """End every process and remove the copied files."""
        self._at_end.close()

    def _checks_at(self, check: Check) -> Path:
        """Return the folder or file whose code acts for a check."""
        return self._settings.guardrail or check.kata.folder

    def _is_partial(self, kata: Kata) -> bool:
        """Return whether the user left out checks: by `-k` and similar options, by test ids, or for a guardrail."""
        narrowed = any("::" in target for target in self._settings.targets)
        return narrowed or self._settings.guardrail is not None or self._selected[kata.name] < self._totals[kata.name]

    def _position(self, item: pytest.Item) -> tuple[int, int]:
        check = item.stash.get(CHECK, None)
        if check is None:
            return len(self._settings.katas), 0
        return self._settings.katas.index(check.kata), check.stage.position

    def _judge(
        self, check: Check, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> CheckResult:
        passed = CheckResult(
            name=check.name,
            stage=check.stage,
            title=check.title,
            outcome=Outcome.PASS,
            seconds=round(call.duration, 3),
        )
        if item.stash.get(NOT_REACHED, False):
            return replace(passed, outcome=Outcome.NOT_REACHED)
        culprit = call.excinfo and culprit_of(call.excinfo.value, self._checks_at(check), item.config)
        if culprit is not None:
            return not_judged(passed, culprit)
        skipped = report.skipped or hasattr(report, "wasxfail")
        if skipped and check.stage is Stage.GUARDRAIL:
            return passed  # as in the CI of a team, where a skipped test rejects nothing
        if skipped or (report.failed and call.excinfo is None):
            why = "the check did not run to its end (skip or xfail), so it proves nothing"
            return replace(passed, outcome=Outcome.FAIL, message=why)
        context = self.sut.check
        passed = replace(passed, figures=context.figures, waited=round(context.meter.run_delay, 3))
        if call.excinfo is not None:
            context.note_busy_machine()
            return with_fault(failure_result(passed, call.excinfo.value, context), context)
        return passed

    def _details_once(self, kata: Kata, result: CheckResult) -> str:
        """Return the text for a failing check. A broken contract is shown in full only for the first check."""
        reported = (kata.name, result.message)
        if result.keeps_contract or reported not in self._reported:
            self._reported.add(reported)
            return details_of(result, shutil.get_terminal_size().columns)
        return f"{result.title}.\n  {result.message.splitlines()[0]} (as above)"

    def _attach(self, report: pytest.TestReport, check: Check, result: CheckResult) -> None:
        if result.failed or result.not_judged:
            if result.failed:
                self._failed.add((check.kata.name, check.stage.position))
            if report.skipped or hasattr(report, "wasxfail"):
                report.outcome = "failed"
                vars(report).pop("wasxfail", None)
            report.longrepr = self._details_once(check.kata, result)
        finding = Finding(
            selected=self._selected[check.kata.name],
            partial=self._is_partial(check.kata),
            result=result,
        )
        report.finding = msgspec.to_builtins(finding)  # type: ignore[attr-defined]
