"""The interactive questions of `kata diagnose`."""

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
    from drill_katas.investigation.hypothesis import DiagnoseOptions, Reader
    from drill_katas.report.text import TextLine

BACK: Final = "b"
YES: Final = "y"
NONE: Final = "none"
ERROR: Final = "Error: "  # click prints this prefix before the message of an invalid reply


@dataclass(frozen=True)
class Question:
    """One question: `part` names the part of the diagnosis, `lines` are printed above `text`.

    `read` checks a reply and returns it in the form of the option. `applies` decides from the earlier replies whether
    to ask.
    """

    part: str
    text: str
    read: Callable[[str], str]
    lines: Callable[[], Sequence[TextLine]] = tuple
    default: str | None = None
    applies: Callable[[Mapping[str, str]], bool] = lambda _: True


def complete(
    reader: Reader, incident: IncidentRecord, options: DiagnoseOptions, outcomes: Mapping[str, Effect]
) -> DiagnoseOptions:
    """Ask at the terminal for each missing option, and return all options. Raises `click.Abort`."""
    from drill_katas.report.diagnosis import hypothesis_lines

    answers = _answers_of(reader, options)
    questions = [each for each in _questions(reader, incident, outcomes) if each.part not in answers]
    if all(each.part == "outcome" for each in questions):
        return options
    click.echo(f"{BACK} goes back one question, Ctrl-C leaves. Only a confirmed diagnosis counts.")
    answers |= dialogue(questions, lambda replies: hypothesis_lines(answers | replies, reader.fired, outcomes, width()))
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
    """Ask each question, with a way back, until the summary of the replies is confirmed; return the replies."""
    replies: dict[str, str] = {}
    answered: list[int] = []
    at = 0
    while True:
        if at == len(questions):
            now = {each.part: replies[each.part] for each in questions if each.applies(replies)}
            show(summary(now))
            if _reply(f"Submit this diagnosis? ({YES} submits it, {BACK} goes back)", _confirmed) == YES:
                return now
            at = answered.pop()
        elif not questions[at].applies(replies):
            at += 1
        elif (reply := _ask(questions[at], replies)) != BACK:
            replies[questions[at].part] = reply
            answered.append(at)
            at += 1
        elif answered:
            at = answered.pop()
        else:
            click.echo("This is the first question.")


def _questions(reader: Reader, incident: IncidentRecord, outcomes: Mapping[str, Effect]) -> Iterator[Question]:
    from drill_katas.report import diagnosis as text

    listed = functools.partial(text.numbered_lines, width=width())
    yield Question("component", "Which component", reader.component, lambda: listed(dict.fromkeys(reader.places, "")))
    yield Question(
        "mechanism",
        "Which mechanism (numbers or names, separated by commas)",
        lambda reply: ",".join(reader.mechanisms(reply)),
        lambda: list(text.mechanism_lines(width(), numbered=True)),
    )
    yield Question("onset", "When were customers first hurt (HH:MM, or never)", _checked(reader.onset))
    yield Question(
        "evidence",
        "Which log lines or traces show the cause (ids, separated by commas)",
        _checked(reader.evidence),
        default=NONE,
    )
    for number, name in enumerate(reader.fired):
        yield Question(
            name,
            f"Was {name} 1 caused by the fault, or 2 noise",
            reader.label,
            (lambda: list(text.alert_lines(incident.alerts, width()))) if number == 0 else tuple,
        )
    yield Question(
        "experiment",
        "Which experiment supports your diagnosis",
        reader.ablation,
        lambda: listed(text.experiments(reader.ablations, outcomes)),
        default=NONE,
    )
    yield Question(
        "outcome",
        "Which outcome does it have if you are right",
        reader.outcome,
        lambda: listed({each: text.OUTCOMES[each] for each in reader.outcomes}),
        applies=lambda replies: replies.get("experiment", NONE) != NONE,
    )


def _answers_of(reader: Reader, options: DiagnoseOptions) -> dict[str, str]:
    """Return the answers in the options. Raises `UserError` for an invalid option, before the first question."""
    answers = {}
    if options["component"]:
        answers["component"] = reader.component(options["component"])
    if options["mechanism"]:
        answers["mechanism"] = ",".join(reader.mechanisms(",".join(options["mechanism"])))
    if options["onset"]:
        answers["onset"] = _checked(reader.onset)(options["onset"])
    if options["evidence"]:
        answers["evidence"] = ",".join(reader.evidence(",".join(options["evidence"])))
    answers |= dict(reader.alert(each) for each in options["alert"])
    if options["experiment"]:
        prediction = reader.experiment(options["experiment"])
        answers |= (
            {"experiment": NONE} if prediction is None else {"experiment": prediction[0], "outcome": prediction[1]}
        )
    return answers


def _ask(question: Question, replies: Mapping[str, str]) -> str:
    """Ask one question; an earlier reply to it is the default."""
    click.echo()
    show(question.lines())
    return _reply(question.text, question.read, replies.get(question.part, question.default))


def _reply(text: str, read: Callable[[str], str], default: str | None = None) -> str:
    """Prompt until the reply is valid, and return it."""
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
        raise UserError(f"{YES} submits the diagnosis, {BACK} goes back one question, and Ctrl-C leaves without one")
    return YES


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """Return a reader that checks a text with `read` and returns it unchanged."""

    def checked(text: str) -> str:
        read(text)
        return text

    return checked
