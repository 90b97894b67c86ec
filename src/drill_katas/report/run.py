"""The text of a run: the header, the details of failed checks, and the summary."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from drill_katas.catalog.arms import WORKSPACE
from drill_katas.catalog.katas import LEVELS, ORIGINAL
from drill_katas.practice.attempts import NoAttempt
from drill_katas.report.text import Style, TextLine, clock, fit, folded, judging, line, plain, shown, wrapped
from drill_katas.text import plural
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.progress import KataProgress
    from drill_katas.practice.workspace import Workspace
    from drill_katas.verdict import CheckResult, Stage, Verdict

MAX_LINES: Final = 25
LABEL: Final = 11  # columns of a stage's name
TAIL: Final = 14  # columns of outcome and seconds
MESSAGE_LINES: Final = 8
HELP_LINES: Final = 4
SECONDS: Final = re.compile(r"\d+\.\d s\b")
FEW: Final = 3  # most katas that the header names
MARKS: Final[dict[Outcome, tuple[str, Style]]] = {
    Outcome.PASS: ("✓", "good"),
    Outcome.NOT_REACHED: ("·", "dim"),
    Outcome.NOT_JUDGED: ("?", "note"),
}

Judged = tuple["Kata", "Verdict", "KataProgress"]


def header_lines(katas: Sequence[Kata], source: str, seed: int, *, inline: bool) -> list[str]:
    """Return the lines for pytest's header: katas, source, seed."""
    names = ", ".join(f"{kata.name} (level {kata.manifest.level}, {LEVELS[kata.manifest.level]})" for kata in katas)
    lines = [f"kata: {names if len(katas) <= FEW else f'{len(katas)} katas'}; judging {source}, seed {seed}"]
    if inline:
        lines.append("kata: --kata-inline runs your code in this process, for a debugger; this run does not count")
    return lines


def details_of(check: CheckResult, width: int) -> str:
    """Return the text of a failed check in pytest's list of failures."""
    sections = "\n".join(each if each.startswith(" ") else f"\n{each}" for each in check.details)
    title = folded(f"{check.title}.", width, "")
    return "\n".join((title, folded(check.message, width, "  "), folded(sections, width, ""))).rstrip()


def fits_summary(check: CheckResult, width: int) -> bool:
    """Return whether the summary has room for the whole message of a failed check."""
    return len(folded(check.message, width, "  ").splitlines()) <= MESSAGE_LINES


def details_below(check: CheckResult, width: int) -> str:
    """Return the details of a failed check without its message, because the summary shows the message."""
    title = f'"{check.title}" failed. The message is at the end.'
    return details_of(replace(check, title=title.removesuffix("."), message=""), width).replace("\n\n\n", "\n\n", 1)


def summary_lines(
    kata: Kata, verdict: Verdict, standing: KataProgress, workspace: Workspace, width: int, at: datetime
) -> list[TextLine]:
    """Return the summary of a run of one kata."""
    failing = [check for check in verdict.checks if check.failed]
    foot = [*_finding(failing, width), *_not_judged_reasons(verdict, width), line()]
    for each in _standing_lines(kata, verdict, standing, at):
        foot += wrapped(plain(each), width, "")
    foot += wrapped(f"next: {_next_step(kata, verdict, standing, workspace)}", width, "")
    return [*_stage_lines(verdict, width, MAX_LINES - len(foot) - 1), *foot]


def overview_lines(judged: Sequence[Judged], all_katas: Sequence[TextLine], width: int) -> list[TextLine]:
    """Return the summary of a run of several katas: a short block for each, then the progress in all katas."""
    why = [_no_attempt(reason) for reason in sorted({verdict.no_attempt for _, verdict, _ in judged} - {""})]
    room = MAX_LINES - len(all_katas) - 2 - len(why)
    lines: list[TextLine] = []
    for index, (kata, verdict, standing) in enumerate(judged):
        block = _in_short(kata, verdict, standing, width)
        if len(lines) + len(block) > room:
            left = len(judged) - index
            lines.append(line((f"… {left} more kata{'s' * (left > 1)}: `kata status` shows them", "dim")))
            break
        lines += block
    return [*lines, *why, line(), *all_katas]


def _stage_lines(verdict: Verdict, width: int, room: int) -> list[TextLine]:
    """Return one line per check, at most `room` lines.

    Without enough room, passed checks are folded into one line per stage: first in stages without a failure, the
    largest first.
    """
    stages = list(verdict.stages())
    blocks = [_block(stage, checks, width, folded=False) for stage, checks in stages]
    order = sorted(range(len(stages)), key=lambda index: (_fails(stages[index][1]), -len(blocks[index])))
    for index in order:
        if sum(map(len, blocks)) > room:
            blocks[index] = _block(*stages[index], width, folded=True)
    lines = [each for block in blocks for each in block]
    return lines if len(lines) <= room else [*lines[: room - 1], line((f"… {len(lines) - room + 1} more lines", "dim"))]


def _fails(checks: Sequence[CheckResult]) -> bool:
    return any(check.failed for check in checks)


def _block(stage: Stage, checks: Sequence[CheckResult], width: int, *, folded: bool) -> list[TextLine]:
    """Return the lines of a stage. Checks that were not reached share one line; with `folded`, so do passed checks."""
    foldable = {Outcome.NOT_REACHED, Outcome.PASS} if folded else {Outcome.NOT_REACHED}
    rows = [(check.title, check.outcome, check.seconds) for check in checks if check.outcome not in foldable]
    for outcome in Outcome:
        seconds = [check.seconds for check in checks if check.outcome is outcome]
        if seconds and outcome in foldable:
            rows.append((plural(len(seconds), "check"), outcome, sum(seconds)))
    labels = [stage.value, *[""] * len(rows)]
    return [_result_line(label, *row, width) for label, row in zip(labels, rows, strict=False)]


def _result_line(label: str, text: str, outcome: Outcome, seconds: float, width: int) -> TextLine:
    room = width - LABEL - 2 - TAIL
    mark, style = MARKS.get(outcome, ("✗", "bad"))
    reached = outcome not in {Outcome.NOT_REACHED, Outcome.NOT_JUDGED}
    tail = f"{outcome.value:>5}{f'{seconds:.2f} s':>{TAIL - 5}}" if reached else f"{outcome.value:>{TAIL}}"
    return line((label.ljust(LABEL), "bold"), (f"{mark} ", style), fit(text, room).ljust(room), (tail, style))


def _finding(failing: Sequence[CheckResult], width: int) -> list[TextLine]:
    """Return the message of the first failed check, and the help text of the first known wrong fix."""
    if not failing:
        return []
    first = failing[0]
    message = [line((each, "bad")) for each in folded(first.message, width, "  ").splitlines()]
    helped = next((check.help for check in failing if check.help), "")
    help_lines = wrapped(" ".join(helped.split()), width, "  ", "note")
    return [line(), *_first_of(message, MESSAGE_LINES), *_first_of(help_lines, HELP_LINES)]


def _first_of(lines: list[TextLine], most: int) -> list[TextLine]:
    """Return at most `most` lines; an ellipsis marks that lines are left out."""
    if len(lines) <= most:
        return lines
    *others, last = lines[:most]
    return [*others, line(*((span.text, span.style) for span in last), ("…", "dim"))]


def _not_judged_reasons(verdict: Verdict, width: int) -> list[TextLine]:
    """Return why checks were not judged; reasons that differ only in seconds are shown once."""
    reasons: dict[str, str] = {}
    for check in verdict.not_judged:
        reasons.setdefault(SECONDS.sub("", check.message), check.message)
    lines = [each for message in reasons.values() for each in wrapped(message, width, "  ", "note")]
    return [line(), *lines[:MESSAGE_LINES]] if lines else []


def _standing_lines(kata: Kata, verdict: Verdict, standing: KataProgress, at: datetime) -> list[TextLine]:
    if verdict.not_judged:
        left = plural(len(verdict.not_judged), "check")
        return [line(f"{kata.name}: {left} not judged (the judge or the machine failed); not an attempt")]
    if verdict.source != WORKSPACE:
        judged = f"{kata.name}: judged {verdict.source} in {verdict.seconds:.1f} s"
        return [line(f"{judged}; only a run on your own files is an attempt")]
    if verdict.of_guardrail:
        return [line(f"{kata.name}: ran your guardrail on your files in {verdict.seconds:.1f} s; not an attempt")]
    limit = clock(timedelta(minutes=kata.manifest.minutes))
    best = clock(standing.best) if standing.best is not None else "none yet"
    variant = "" if verdict.variant == ORIGINAL else f" ({verdict.variant})"
    taken = f"clock {clock(standing.clock(at))} of {limit}"
    attempt = "not an attempt" if verdict.attempt is None else f"attempt {verdict.attempt}"
    lines = [line(f"{kata.name}{variant} · {attempt} · {taken} · best time {best}")]
    if verdict.no_attempt and verdict.no_attempt != NoAttempt.WATCH:  # under `kata watch` the reason is known
        lines.append(_no_attempt(verdict.no_attempt))
    change, before = standing.change(), standing.before_last
    if change is not None and before is not None:
        lines.append(line(f"since the last {'run' if before.no_attempt else 'attempt'}: {change}"))
    return lines


def _no_attempt(reason: str) -> TextLine:
    return line(f"not an attempt: {reason} (rule: `kata status --help`)")


def _next_step(kata: Kata, verdict: Verdict, standing: KataProgress, workspace: Workspace) -> str:
    files = " and ".join(shown(kata.folder / name, workspace.root) for name in kata.manifest.editable)
    again = judging(kata.name)
    judge = "save" if verdict.no_attempt == NoAttempt.WATCH else f"run `{again}` again"
    if verdict.not_judged or verdict.source != WORKSPACE:
        return f"{'remove the cause named above; ' if verdict.not_judged else ''}`{again}` judges your own files"
    if verdict.of_guardrail:
        return f"`kata guardrail {kata.name}` shows which wrong versions it rejects"
    if verdict.solved:
        return f"solved. {_after_solve(kata)}"
    if (verdict.inline and verdict.passed) or verdict.no_attempt == NoAttempt.NARROWED:
        what = "in a separate process, without --kata-inline," if verdict.inline else "of all checks"
        return f"run `{again}`; only a run {what} counts"
    if standing.before_last is None and not standing.page_shown:
        return (
            f"read {shown(kata.briefing, workspace.root)}, form one hypothesis, test it, then fix {files} and "
            f"{judge}; `kata hint {kata.name}` shows a hint"
        )
    return f"fix {files} and {judge}; `kata hint {kata.name}` shows a hint ({standing.hints} seen)"


def _after_solve(kata: Kata) -> str:
    steps = [f"`kata solution {kata.name}` explains it", f"`kata guardrail {kata.name}` tries a test of your own"]
    if kata.has_incident:
        steps.append(f"`kata postmortem {kata.name}` starts the post-mortem")
    if len(kata.variants) > 1:
        steps.append(f"`kata list {kata.name}` lists the other variants")
    return "; ".join(steps)


def _in_short(kata: Kata, verdict: Verdict, standing: KataProgress, width: int) -> list[TextLine]:
    passed = sum(check.passed for check in verdict.checks)
    seen = Outcome.PASS if verdict.passed else Outcome.NOT_JUDGED if verdict.not_judged else Outcome.FAIL
    mark, style = MARKS.get(seen, ("✗", "bad"))
    attempt = f" · attempt {verdict.attempt}" if verdict.attempt else " · not an attempt" if verdict.no_attempt else ""
    text = f"{kata.name} · {passed} of {len(verdict.checks)} checks pass · {verdict.seconds:.1f} s{attempt}"
    change = standing.change() if verdict.source == WORKSPACE else None
    if change:
        text += f" · {change}"
    lines = [line((f"{mark} ", style), fit(text, width - 2))]
    failing = next((check for check in verdict.checks if check.failed), None)
    if failing:
        lines.append(line("  ", (fit(f"{failing.stage}: {failing.message.partition(chr(10))[0]}", width - 2), "bad")))
    left = [f"{check.stage}: {check.message}" for check in verdict.not_judged[:1]]
    return [*lines, *(line("  ", (fit(text, width - 2), "note")) for text in left)]
