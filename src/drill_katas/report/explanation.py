"""The explanation of a solved variant as text, and the difference between two versions of a module."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.answer import EFFECTS
from drill_katas.catalog.mechanisms import MECHANISMS
from drill_katas.guardrail.result import ENOUGH
from drill_katas.report.diagnosis import OUTCOMES
from drill_katas.report.text import filled, line, wrapped
from drill_katas.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.catalog.answer import AlertLabel, ExpectedDiagnosis
    from drill_katas.catalog.arms import Arm
    from drill_katas.explanation.explaining import Experiment, Explanation, WrongFix
    from drill_katas.report.text import Style, TextLine

LABELS: Final[dict[AlertLabel, Style]] = {"caused": "bad", "noise": "dim"}
SIGNS: Final[dict[str, Style]] = {"-": "bad", "+": "good", "@": "note"}
LEAVES: Final = "Wrong fixes that fail a check that failed before"
BREAKS: Final = "Wrong fixes that fail a check that passed before"
REFERENCE: Final = "the reference solution"


def explanation_lines(explanation: Explanation, width: int) -> Iterator[TextLine]:
    """Return the cause, the alerts, the experiments, the wrong fixes, the right designs, and the next commands."""
    kata, fixes = explanation.kata, explanation.wrong_fixes
    title = f"{kata.name}: {kata.manifest.title}; variant {explanation.variant}"
    yield from wrapped(title, width, "", "bold")
    yield from _cause(explanation, width)
    if explanation.expected:
        yield from _alerts(explanation.expected, width)
    yield from _experiments(explanation, width)
    yield from _wrong_fixes(LEAVES, [fix for fix in fixes if fix.leaves_fault], width)
    yield from _wrong_fixes(BREAKS, [fix for fix in fixes if not fix.leaves_fault], width)
    yield from _designs(explanation, width)
    yield from _guardrail(explanation, width)
    yield from _next(explanation, width)


def diff_lines(yours: Arm, other: Arm, name: str) -> list[TextLine]:
    """Return the unified difference of the editable files, from the learner's to those of the arm with this name."""
    lines: list[str] = []
    for file, content in yours.contents.items():
        before, after = (each.decode("utf-8", "replace").splitlines() for each in (content, other.contents[file]))
        lines += difflib.unified_diff(before, after, f"yours/{file}", f"{name}/{file}", lineterm="")
    if not lines:
        return [line(f"Your files have the same lines as {name}.")]
    return [line((printable(each.replace("\t", "    ")), _style(each))) for each in lines]


def _style(diff_line: str) -> Style:
    return "bold" if diff_line.startswith(("--- ", "+++ ")) else SIGNS.get(diff_line[:1], "")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _heading(text: str) -> Iterator[TextLine]:
    yield line()
    yield line((text, "bold"))


def _named(name: str, text: str, width: int, label: tuple[str, Style] | None = None) -> Iterator[TextLine]:
    """Yield a name, an optional label in its own style, and a text, wrapped together."""
    word, style = label or ("", "")
    first, *rest = filled(f"{name}: {word}{'. ' if word else ''}{text}", width, "  ", "    ")
    head = f"  {name}: {word}"
    if first.startswith(head):
        yield line("  ", (name, "bold"), ": ", (word, style), first[len(head) :])
    else:
        yield line(first)
    yield from map(line, rest)


def _cause(explanation: Explanation, width: int) -> Iterator[TextLine]:
    expected = explanation.expected
    yield from _heading("The cause")
    if explanation.is_healthy:
        yield from wrapped("Nothing was broken. The right answer is to change no code.", width, "  ", "good")
    if expected is None:
        if not explanation.is_healthy:
            yield from wrapped("The author did not explain the cause of this variant.", width, "  ")
        return
    yield from wrapped(_one_line(expected.cause), width, "  ")
    mechanisms = [f"{name} ({MECHANISMS[name]})" if name in MECHANISMS else name for name in expected.mechanisms]
    yield from _named("component", " or ".join(expected.components), width)
    yield from _named("mechanism", " and ".join(mechanisms), width)
    yield from _named("first harm", expected.onset[0] if expected.onset else "never", width)


def _alerts(expected: ExpectedDiagnosis, width: int) -> Iterator[TextLine]:
    if not expected.alerts:
        return
    yield from _heading("The alerts")
    for alert, label in expected.alerts.items():
        yield from _named(alert, _one_line(expected.why.get(alert, "")), width, (label, LABELS[label]))


def _experiments(explanation: Explanation, width: int) -> Iterator[TextLine]:
    if not explanation.experiments:
        return
    noun = "experiments that prove" if len(explanation.experiments) > 1 else "experiment that proves"
    yield from _heading(f"The {noun} it")
    for experiment in explanation.experiments:
        command = f"kata experiment {explanation.kata.name} {experiment.name}"
        yield from _named(command, _shows(experiment, is_healthy=explanation.is_healthy), width)


def _shows(experiment: Experiment, *, is_healthy: bool) -> str:
    """Return what an experiment shows."""
    given = f"if {experiment.about}, " if experiment.about else ""
    if is_healthy:
        return f"{given}nothing gets better, because customers got the right answers before."
    return f"{given}{EFFECTS[experiment.effect]}: {OUTCOMES[experiment.effect]}."


def _wrong_fixes(heading: str, fixes: Iterable[WrongFix], width: int) -> Iterator[TextLine]:
    shown = [each for fix in fixes for each in _named(fix.name, fix.lesson, width)]
    if shown:
        yield from _heading(heading)
        yield from shown


def _designs(explanation: Explanation, width: int) -> Iterator[TextLine]:
    yield from _heading("Right designs")
    yield from _named("reference", REFERENCE, width)
    for name, described in explanation.designs.items():
        if described is None:
            yield line("  ", (name, "bold"))
        else:
            yield from _named(name, described.design, width)
            yield from wrapped(f"Better when: {described.better_when}", width, "    ")


def _guardrail(explanation: Explanation, width: int) -> Iterator[TextLine]:
    score, command = explanation.guardrail, f"`kata guardrail {explanation.kata.name}`"
    yield from _heading("Your guardrail")
    if score is None:
        text = f"You have none yet. {command} writes a first one: tests that reject wrong versions of the module."
        yield from wrapped(text, width, "  ", "note")
    elif score < ENOUGH:
        text = f"The last one scored {score} of 100; {ENOUGH} is enough. {command} shows what it lets pass."
        yield from wrapped(text, width, "  ", "note")
    else:
        yield from wrapped(f"The last one scored {score} of 100: it is good.", width, "  ", "good")


def _next(explanation: Explanation, width: int) -> Iterator[TextLine]:
    name = explanation.kata.name
    solution = f"kata solution {name}{'' if explanation.is_solved else ' --give-up'}"
    yield from _heading("Next")
    texts = [
        f"`{solution} --arm reference` prints the files of a fix by its name above.",
        f"`{solution} --diff` compares the reference solution with your files; add --arm for another fix.",
        f"`kata postmortem {name}` writes the post-mortem.",
        *([f"`kata list {name}` lists the other variants."] if explanation.unsolved else []),
        "`kata next` suggests what to practice next.",
    ]
    for text in texts:
        first, *rest = filled(text, width, "  ", "    ")
        yield line(first)
        yield from map(line, rest)
