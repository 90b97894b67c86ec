"""The questions of `kata diagnose` at a terminal, with a way back."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from drill_katas.cli.base import show, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drill_katas.catalog.answer import Effect
    from drill_katas.evidence.records import IncidentRecord
    from drill_katas.investigation.hypothesis import Given, Reader
    from drill_katas.report.text import TextLine

BACK: Final = "b"
YES: Final = "y"
NONE: Final = "none"
ERROR: Final = "Error: "  # click's own, ahead of a reply that cannot be read


@dataclass(frozen=True)
class Question:
    """One question: the part of the answer that it is for, its text, the lines above it, and the reader of a reply.

    `read` returns the reply as an option would have it.
    """

    part: str
    text: str
    read: Callable[[str], str]
    lines: Callable[[], Sequence[TextLine]] = tuple
    default: str | None = None
    applies: Callable[[Mapping[str, str]], bool] = lambda _: True


def complete(reader: Reader, incident: IncidentRecord, given: Given, came: Mapping[str, Effect]) -> Given:
    """Ask at the terminal for what the options leave out, and return all options. Raises `click.Abort`."""
    from drill_katas.report.diagnosis import hypothesis_lines

    answers = _answers_of(reader, given)
    questions = [each for each in _questions(reader, incident, came) if each.part not in answers]
    if all(each.part == "outcome" for each in questions):
        return given
    click.echo(f"{BACK} goes back a question, Ctrl-C leaves. Nothing counts before you confirm it.")
    answers |= dialogue(questions, lambda asked: hypothesis_lines(answers | asked, reader.fired, came, width()))
    experiment = answers["experiment"] if "outcome" not in answers else f"{answers['experiment']}={answers['outcome']}"
    return {
        "component": answers["component"],
        "mechanism": (answers["mechanism"],),
        "onset": answers["onset"],
        "evidence": (answers["evidence"],),
        "alert": tuple(f"{name}={answers[name]}" for name in reader.fired),
        "experiment": experiment,
    }


def dialogue(questions: Sequence[Question], summary: Callable[[dict[str, str]], Sequence[TextLine]]) -> dict[str, str]:
    """Ask question after question, with a way back, until the summary of the replies is confirmed."""
    replies: dict[str, str] = {}
    asked: list[int] = []
    at = 0
    while True:
        if at == len(questions):
            now = {each.part: replies[each.part] for each in questions if each.applies(replies)}
            show(summary(now))
            if _reply(f"Does this count? ({YES} it does, {BACK} goes back)", _confirmed) == YES:
                return now
            at = asked.pop()
        elif not questions[at].applies(replies):
            at += 1
        elif (reply := _ask(questions[at], replies)) != BACK:
            replies[questions[at].part] = reply
            asked.append(at)
            at += 1
        elif asked:
            at = asked.pop()
        else:
            click.echo("This is the first question.")


def _questions(reader: Reader, incident: IncidentRecord, came: Mapping[str, Effect]) -> Iterator[Question]:
    from drill_katas.report import diagnosis as text

    listed = functools.partial(text.numbered_lines, width=width())
    yield Question("component", "Which component", reader.component, lambda: listed(dict.fromkeys(reader.places, "")))
    yield Question(
        "mechanism",
        "Which mechanism (numbers or names, with commas)",
        lambda reply: ",".join(reader.mechanisms(reply)),
        lambda: list(text.mechanism_lines(width(), numbered=True)),
    )
    yield Question("onset", "When did customers begin to be hurt (HH:MM, or never)", _checked(reader.onset))
    yield Question(
        "evidence",
        "Which log lines or traces show it (ids, with commas)",
        _checked(reader.evidence),
        default=NONE,
    )
    for number, name in enumerate(reader.fired):
        yield Question(
            name,
            f"Was {name} 1 caused by it, or 2 noise",
            reader.label,
            (lambda: list(text.alert_lines(incident.alerts, width()))) if number == 0 else tuple,
        )
    yield Question(
        "experiment",
        "Which experiment supports it",
        reader.ablation,
        lambda: listed(text.experiments(reader.ablations, came)),
        default=NONE,
    )
    yield Question(
        "outcome",
        "Which outcome does it have, if you are right",
        reader.outcome,
        lambda: listed({each: text.OUTCOMES[each] for each in reader.outcomes}),
        applies=lambda replies: replies.get("experiment", NONE) != NONE,
    )


def _answers_of(reader: Reader, given: Given) -> dict[str, str]:
    """Return the answers that the options give; a wrong one is met here, ahead of the first question."""
    answers = {}
    if given["component"]:
        answers["component"] = reader.component(given["component"])
    if given["mechanism"]:
        answers["mechanism"] = ",".join(reader.mechanisms(",".join(given["mechanism"])))
    if given["onset"]:
        answers["onset"] = _checked(reader.onset)(given["onset"])
    if given["evidence"]:
        answers["evidence"] = ",".join(reader.evidence(",".join(given["evidence"])))
    answers |= dict(reader.alert(each) for each in given["alert"])
    if given["experiment"]:
        made = reader.experiment(given["experiment"])
        answers |= {"experiment": NONE} if made is None else {"experiment": made[0], "outcome": made[1]}
    return answers


def _ask(question: Question, replies: Mapping[str, str]) -> str:
    """Ask one question; a reply from before is its default."""
    click.echo()
    show(question.lines())
    return _reply(question.text, question.read, replies.get(question.part, question.default))


def _reply(text: str, read: Callable[[str], str], default: str | None = None) -> str:
    """Ask until the reply can be read."""
    from drill_katas.report.text import plain, wrapped

    def checked(reply: str) -> str:
        try:
            return BACK if reply.strip() == BACK else read(reply.strip())
        except UserError as mistake:
            lines = "\n".join(plain(each) for each in wrapped(f"{ERROR}{mistake}", width(), ""))
            raise click.UsageError(lines.removeprefix(ERROR)) from None

    answer: str = click.prompt(text, value_proc=checked, default=default)
    return answer


def _confirmed(reply: str) -> str:
    if reply.lower() not in {YES, "yes"}:
        raise UserError(f"{YES} counts it, {BACK} goes back a question, and Ctrl-C leaves without a diagnosis")
    return YES


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """Return a reader that gives a text back as it is, once it can be read."""

    def checked(text: str) -> str:
        read(text)
        return text

    return checked
