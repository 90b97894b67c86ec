"""Records a run: journal entry, report file, summary. Not active in workers of pytest-xdist."""

from __future__ import annotations

import math
import platform
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import pytest
from msgspec.structs import replace

from drill_katas import __version__
from drill_katas.catalog.answer import read_answer, with_help
from drill_katas.catalog.arms import WORKSPACE
from drill_katas.errors import UserError
from drill_katas.files import write_json
from drill_katas.practice.attempts import NoAttempt, Way, why_no_attempt
from drill_katas.practice.journal import Checked, Ran, now
from drill_katas.practice.progress import KataStanding, standings
from drill_katas.report.catalog import overall_lines
from drill_katas.report.run import details_below, fits_summary, header_lines, overview_lines, summary_lines
from drill_katas.report.text import MARKUP, encodable
from drill_katas.runner.results import not_judged
from drill_katas.verdict import CheckResult, Outcome, Report, Verdict

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Kata
    from drill_katas.report.text import TextLine
    from drill_katas.runner.settings import Settings

MISTAKE: Final = "kata_mistake"
"""The key under which a worker of pytest-xdist reports a mistake in a kata."""
UNRECORDED: Final = "latency was measured, but pytest-benchmark is off in this session and keeps no record of it"


TestStatus: TypeAlias = tuple[str, str, tuple[str, dict[str, bool]]]
"""Category, letter, and word with markup, of a test's status in pytest."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One result with its run: `selected` is the number of selected checks, `partial` means not all were selected."""

    selected: int
    partial: bool
    result: CheckResult


class Recorder:
    """Collects the results of all katas, and records each kata as soon as its last check is done."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._way = _way(config)
        self._settings = settings
        self._katas = {kata.name: kata for kata in settings.katas}
        self._findings: dict[str, dict[str, Finding]] = {}  # by kata and test id
        self._done: defaultdict[str, set[str]] = defaultdict(set)  # torn-down checks by kata
        self._interrupted = False
        self._mistake: str | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._notices = list(settings.workspace.journal.read().notices)
        self._failed: dict[str, pytest.TestReport] = {}  # by test id

    def retarget(self, settings: Settings) -> None:
        """Switch to the settings of a request."""
        self._settings = settings

    def pytest_report_header(self) -> list[str]:
        """Return the lines that name katas, source and seed."""
        return header_lines(self._settings.katas, self._source(), self._settings.seed, inline=self._settings.inline)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Run each kata on one worker, because its stages are judged in order."""
        from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - there only under -n

        class ByKata(LoadScopeScheduling):  # type: ignore[misc]
            def _split_scope(self, nodeid: str) -> str:
                return nodeid.partition("::")[0]

        return ByKata(config, log)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect a result; record the kata after its last one."""
        kata = getattr(report, "kata", None)
        if kata is None:
            return
        if report.when == "teardown" and (attempt := self._attempt(kata)):
            report.user_properties.append(("attempt", attempt))
        if getattr(report, "unrecorded", False) and UNRECORDED not in self._notices:
            self._notices.append(UNRECORDED)
        if hasattr(report, "finding"):
            self._take(kata, report.nodeid, msgspec.convert(report.finding, Finding))
            if report.failed:
                self._failed.setdefault(report.nodeid, report)
        if report.when == "teardown" and report.nodeid in self._findings.get(kata, ()):
            self._finish_check(kata, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> TestStatus | None:
        """Count a check that was not judged in a category of its own, neither passed nor failed."""
        finding = getattr(report, "finding", None)
        if getattr(report, "culprit", None) or (finding and finding["result"]["outcome"] == Outcome.NOT_JUDGED):
            return Outcome.NOT_JUDGED.value, "J", (Outcome.NOT_JUDGED.value.upper(), {"yellow": True})
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Read the mistake in a kata that a worker of pytest-xdist reported."""
        self._mistake = getattr(node, "workeroutput", {}).get(MISTAKE) or self._mistake

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note Ctrl-C, because a kata that it interrupts is not an attempt; `-x` under pytest-xdist is no Ctrl-C."""
        self._interrupted = excinfo.type is KeyboardInterrupt

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Record katas that `-x` cut short, set the exit status, and write the report file."""
        for kata in self._findings:
            if kata not in self._verdicts and not self._interrupted:
                self._conclude(kata)
        without = [name for name in self._katas if name not in self._findings]
        if self._mistake:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif not self._interrupted and any(verdict.not_judged for verdict in self._verdicts.values()):
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR  # 3
        elif without and session.exitstatus == pytest.ExitCode.OK and not session.config.option.collectonly:
            self._notices.append(f"not a pass: no check of {', '.join(without)} ran")
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
        elif session.exitstatus == pytest.ExitCode.OK and any(map(_has_failed, self._verdicts.values())):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED  # because another plugin hid a failed check
        if self._settings.report is not None:
            self._write_report()
        if len(self._verdicts) == 1:
            self._leave_to_summary(*self._verdicts)

    def _leave_to_summary(self, kata: str) -> None:
        """Shorten the failure in pytest's list of failures, because the summary shows its message."""
        for nodeid, finding in self._findings[kata].items():
            if finding.result.failed:
                width = self._config.get_terminal_writer().fullwidth
                if nodeid in self._failed and fits_summary(finding.result, width):
                    self._failed[nodeid].longrepr = details_below(finding.result, width)
                return

    def pytest_terminal_summary(self) -> None:
        """Show each kata's verdict and the next step."""
        writer = self._config.get_terminal_writer()
        if self._verdicts:
            writer.sep("=", encodable(" kata "), bold=True)
            for spans in self._summary(writer.fullwidth):
                for span in spans:
                    writer.write(encodable(span.text), **MARKUP[span.style])
                writer.line()
        for notice in self._notices:
            writer.line(encodable(f"note: {notice}"), yellow=True)
        if self._mistake:
            writer.line(encodable(f"ERROR: {self._mistake}"), red=True)

    def _summary(self, width: int) -> list[TextLine]:
        workspace = self._settings.workspace
        known = standings(workspace.journal.read().events)
        judged = [
            (self._katas[name], verdict, known.get(name, KataStanding(name)).current)
            for name, verdict in self._verdicts.items()
        ]
        if len(judged) == 1:
            return summary_lines(*judged[0], workspace, width, now())
        katas = dict(self._katas)
        try:
            katas |= {kata.name: kata for kata in workspace.library}
        except UserError as mistake:  # in a kata outside of this run
            self._notices.append(str(mistake))
        return overview_lines(judged, overall_lines(list(katas.values()), known, width), width)

    def _take(self, kata: str, check: str, finding: Finding) -> None:
        """Keep the finding, unless the check failed before: a rerun by another plugin cannot make it pass."""
        known = self._findings.setdefault(kata, {})
        if check not in known or known[check].result.passed:
            known[check] = finding

    def _finish_check(self, kata: str, report: pytest.TestReport) -> None:
        """Note the clean-up of a check; a failure in it fails the check."""
        finding = self._findings[kata][report.nodeid]
        if report.failed and finding.result.passed:
            self._findings[kata][report.nodeid] = replace(finding, result=_failed_in_clean_up(finding.result, report))
        self._done[kata].add(report.nodeid)
        if len(self._done[kata]) == finding.selected and kata not in self._verdicts:
            self._conclude(kata)

    def _source(self) -> str:
        source = self._settings.source
        return WORKSPACE if source is None else f"./{source}" if source == WORKSPACE else source

    def _no_attempt(self, kata: str) -> NoAttempt | None:
        """Return why this run of a kata is not an attempt, judged by the results so far."""
        findings = list(self._findings.get(kata, {}).values())
        results = [finding.result for finding in findings]
        narrowed = any(finding.partial for finding in findings)
        return why_no_attempt(self._way, results, inline=self._settings.inline, narrowed=narrowed)

    def _attempt(self, kata: str) -> int | None:
        """Return the number of this attempt since the last start or reset; None if this run is not an attempt."""
        if self._settings.source is not None or self._no_attempt(kata):
            return None
        done = self._settings.workspace.progress_of(self._katas[kata])  # read now, because another run may have ended
        return done.attempts + 1

    def _conclude(self, name: str) -> None:
        findings = list(self._findings[name].values())
        kata = self._katas[name]
        verdict = self._verdict(kata, findings)
        if verdict.source == WORKSPACE and not verdict.of_guardrail:
            try:
                notice = self._settings.workspace.journal.append(_event(verdict))
            except UserError as error:
                notice = str(error)
            self._notices += [notice] if notice else []
        self._verdicts[name] = verdict

    def _verdict(self, kata: Kata, findings: list[Finding]) -> Verdict:
        results = tuple(finding.result for finding in findings)
        return Verdict(
            kata=kata.name,
            variant=self._settings.workspace.progress_of(kata).variant,
            source=self._source(),
            seed=self._settings.seed,
            checks=self._with_help(kata, results),
            seconds=round(sum(result.seconds for result in results), 3),
            attempt=self._attempt(kata.name),
            no_attempt="" if self._settings.source is not None else self._no_attempt(kata.name) or "",
            inline=self._settings.inline,
            partial=findings[0].partial or len(results) < findings[0].selected,
        )

    def _with_help(self, kata: Kata, results: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
        """Add the help for known wrong fixes, if the kata's answer file is readable."""
        try:
            return with_help(results, read_answer(kata.solutions))
        except UserError:
            return results

    def _write_report(self) -> None:
        report = Report(
            version=__version__,
            python=platform.python_version(),
            katas=tuple(self._verdicts.values()),
        )
        assert self._settings.report is not None
        try:
            write_json(self._settings.report, report)
        except UserError as error:
            self._notices.append(f"--kata-report: {error}")


def _has_failed(verdict: Verdict) -> bool:
    return any(check.failed for check in verdict.checks)


def _way(config: pytest.Config) -> Way:
    if config.pluginmanager.has_plugin("kata-warm"):
        return Way.WATCH
    named = config.option.kata is not None or config.args_source is pytest.Config.ArgsSource.ARGS
    return Way.NAMED if named else Way.BARE


def _failed_in_clean_up(result: CheckResult, report: pytest.TestReport) -> CheckResult:
    culprit = getattr(report, "culprit", None)
    if culprit is not None:
        return not_judged(result, culprit)
    message = f"its clean-up failed: {str(report.longrepr).rpartition(chr(10))[2]}"
    return replace(result, outcome=Outcome.FAIL, message=message, in_words=False)


def _checked(check: CheckResult) -> Checked:
    figures = {name: value for name, value in check.figures.items() if math.isfinite(value)}  # JSON has no infinity
    return Checked(check.name, check.stage, check.outcome, check.seconds, figures)


def _event(verdict: Verdict) -> Ran:
    return Ran(
        kata=verdict.kata,
        variant=verdict.variant,
        seed=verdict.seed,
        seconds=verdict.seconds,
        checks=tuple(_checked(check) for check in verdict.checks),
        solved=verdict.solved,
        partial=verdict.partial,
        inline=verdict.inline,
        no_attempt=verdict.no_attempt,
    )
