"""Output, answers, and exceptions of a program are attributed to it, shown as text, and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.deeds import FAIL, GO_AND_NEXT, judge, judge_body, module_of
from tests.support.toy import Toy

if TYPE_CHECKING:
    from drill_katas.verdict import CheckResult


def printed(check: CheckResult) -> list[str]:
    """Return the program's output in the report."""
    title = "What the program printed:"
    assert title in check.details, check.details
    return [line.removeprefix("  ") for line in check.details[check.details.index(title) + 1 :]]


def test_printed_output_is_attributed_to_the_program(toy):
    check = judge_body(toy, 'print("to stdout")', 'print("to stderr", file=sys.stderr)', 'os.write(1, b"raw\\n")')
    assert check.message == "it should be gone"
    assert printed(check) == ["to stdout", "to stderr", "raw"]


def test_of_much_output_the_end_is_shown(toy):
    check = judge_body(toy, "for number in range(20_000):", "    print(number, '.' * 40)")
    shown = printed(check)
    assert shown[-1].startswith("19999 ...")
    assert len(shown) <= 20


def test_very_long_line_is_shown_in_part(toy):
    check = judge_body(toy, 'print("x" * 1_000_000)')
    assert len("\n".join(printed(check))) < 40_000
    assert any("bytes left out" in line for line in printed(check))


TRICKS = """
TRICK = chr(27) + "[31mred" + chr(27) + "[2J" + chr(155) + "1m" + chr(13) + chr(7) + chr(8238) + (
    chr(10) + "::notice::trick" + chr(10) + "  ::error::trick" + chr(10)
)

class Thing:
    def fine(self):
        return "fine"

    def prints(self):
        print(TRICK)
        raise ValueError("a plain one")

    def raises(self):
        raise ValueError(TRICK)

    def returns(self):
        return [TRICK]

    def has_a_repr(self):
        return type("Text", (), {"__repr__": lambda self: TRICK})()

    def names_a_class(self):
        return type(TRICK, (), {})()

    def raises_a_class_it_names(self):
        raise type(TRICK, (Exception,), {})
"""
TRICKSTERS = ["prints", "raises", "returns", "has_a_repr", "names_a_class", "raises_a_class_it_names"]


@pytest.fixture(scope="module")
def tricks(tmp_path_factory) -> tuple[tuple[CheckResult, ...], str]:
    toy = Toy(tmp_path_factory.mktemp("tricks"))
    toy.module(TRICKS)
    toy.checks(f'''
@pytest.mark.stage("symptom")
@pytest.mark.parametrize("method", {TRICKSTERS})
def test_call(sut, method):
    """It answers."""
    with sut.open("Thing") as thing:
        answer = getattr(thing, method)()
        assert answer is None, f"it answered {{answer[0]}}"
''')
    return judge(toy)


def plays_tricks(text: str) -> list[str]:
    """Return the lines that a terminal, or GitHub's runner, would take for more than text."""
    return [
        line
        for line in text.split("\n")
        # the runner also reads a line as a command if blanks precede its colons
        if line.lstrip().startswith("::") or not line.replace("\t", "").isprintable()
    ]


@pytest.mark.parametrize("method", TRICKSTERS)
def test_program_output_is_reported_as_text(tricks, method):
    checks, _ = tricks
    (check,) = [check for check in checks if method == check.name[len("test_call[") : -1]]
    assert check.outcome is FAIL
    output = "\n".join((check.message, *check.details))
    assert "red" in output
    assert not plays_tricks(output)


def test_program_output_cannot_control_terminals(tricks):
    """It cannot control a CI log either."""
    _, terminal = tricks
    assert "red" in terminal
    assert not plays_tricks(terminal)


def test_exceptions_show_the_learners_frames(toy):
    toy.checks(GO_AND_NEXT)
    toy.module(module_of('return json.loads("{")'))
    (check, _), terminal = judge(toy)
    assert check.outcome is FAIL
    assert check.message.startswith("thing.go() raised JSONDecodeError: Expecting property name")
    where = check.details[check.details.index("Where it was:") + 1 :]
    assert where == ('  katas/toy/toy.py:9 in go: return json.loads("{")',)
    assert "Traceback" not in terminal
    assert "kata-run-" not in terminal
