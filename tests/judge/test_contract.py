"""A module that breaks the contract gets a message of one sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.deeds import FAIL, GO_AND_NEXT, PASS, called_one_by_one, judge, module_of
from tests.support.toy import Toy

if TYPE_CHECKING:
    from drill_katas.verdict import CheckResult

ASKED_FOR = "the contract in BRIEFING.md asks for it"
OTHERWISE = "the contract in BRIEFING.md calls it with other arguments"


def contract_broken(toy: Toy) -> CheckResult:
    """Judge the toy; see that its only check fails with one sentence and no traceback, and return it."""
    (check,), terminal = judge(toy)
    assert check.outcome is FAIL
    assert len(check.message.splitlines()) == 1
    assert "Traceback" not in terminal
    assert "kata-run-" not in terminal, "a path in the judge's temporary folder is shown"
    return check


@pytest.mark.parametrize(
    ("source", "says", "line"),
    [
        ("class Thing:\n    def go(self):\n        return (\n", "SyntaxError: line 3: '(' was never closed", 3),
        ("class Thing:\n    def go(self):\n    return 1\n", "IndentationError: line 3: expected an indented block", 3),
        ("class Thing:\n\n    name = 'é'\n", "SyntaxError: line 3: (unicode error)", 3),
        ("\nimport no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'", 2),
        ("from toy.toy import nothing\n", "ImportError: cannot import name 'nothing'", 1),
        ("one = 1\ntwo = one / 0\n", "ZeroDivisionError: division by zero", 2),
    ],
    ids=["syntax", "indentation", "not UTF-8", "no such module", "no such name", "an exception"],
)
def test_import_errors_show_the_learners_line(toy, source, says, line):
    (toy.folder / "toy.py").write_text(source, encoding="latin-1")
    check = contract_broken(toy)
    assert check.message.startswith(f"toy.py cannot be imported: {says}")
    assert any(shown.startswith(f"  katas/toy/toy.py:{line} in <module>") for shown in check.details)


def test_null_bytes_are_reported_without_a_line(toy):
    toy.module("class Thing:\n    name = '\0'\n")
    message = contract_broken(toy).message
    assert re.match(
        "toy.py cannot be imported: (SyntaxError|ValueError): .*null bytes", message
    )  # ValueError: Python 3.11.2
    assert "None" not in message


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class Think:\n    pass\n", f"Thing is missing in toy.py; {ASKED_FOR}"),
        ("class Thing:\n    pass\n", f"Thing.go is missing in toy.py; {ASKED_FOR}"),
        ("class Thing:\n    go = 5\n", f"Thing.go is missing in toy.py; {ASKED_FOR}"),
        (
            "class Thing:\n    def __init__(self, name):\n        pass\n",
            f"Thing(name): missing a required argument: 'name'; {OTHERWISE}",
        ),
        (
            "class Thing:\n    def go(self, where):\n        pass\n",
            f"Thing.go(where): missing a required argument: 'where'; {OTHERWISE}",
        ),
        ("class Thing:\n    @property\n    def go(self):\n        raise ValueError('no way')\n", "ValueError: no way"),
    ],
    ids=["no class", "no method", "a method that is none", "a constructor", "a method", "a property that raises"],
)
def test_broken_contracts_name_the_contract(toy, source, says):
    toy.module(source)
    assert says in contract_broken(toy).message


ANSWERS = """
import decimal, sys

class Text(str):
    pass

class Thing:
    def fine(self):
        return [None, True, 1, "text", {"key": [-1]}]

    def a_decimal(self):
        return decimal.Decimal("1.50")

    def a_float(self):
        return 1.5

    def a_nan(self):
        return float("nan")

    def a_set(self):
        return {1}

    def a_tuple_in_a_dict_in_a_list(self):
        return [0, {"key": (1, 2)}]

    def a_str_subclass(self):
        return Text("text")

    def a_dict_with_an_int_key(self):
        return {"key": {7: "seven"}}

    def a_dict_that_holds_itself(self):
        answer = {}
        answer["self"] = answer
        return answer

    async def a_coroutine(self):
        return 1

    def more_than_1_mb(self):
        return "x" * 1_500_000

    def a_surrogate(self):
        return ["fine", chr(0xD800)]

    def a_number_of_10_000_digits(self):
        return 10**10_000

    def an_exception_of_2_mb(self):
        raise ValueError("x" * 2_000_000)

    def a_syntax_error_of_its_own(self):
        return eval("1 +")

    def a_lock_that_is_taken(self):
        import fcntl
        first, second = open(__file__), open(__file__)
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""
SAID = {
    "a_decimal": "Thing.a_decimal returned a Decimal (Decimal('1.50'))",
    "a_float": "Thing.a_float returned a float (1.5)",
    "a_nan": "Thing.a_nan returned a float (nan)",
    "a_set": "Thing.a_set returned a set ({1})",
    "a_tuple_in_a_dict_in_a_list": "Thing.a_tuple_in_a_dict_in_a_list returned at [1]['key'] a tuple ((1, 2))",
    "a_str_subclass": "Thing.a_str_subclass returned a Text ('text')",
    "a_dict_with_an_int_key": "returned at ['key'] a dict key of type int (7)",
    "a_dict_that_holds_itself": "nesting deeper than 32 levels",
    "a_coroutine": "Thing.a_coroutine returned a coroutine (",
    "more_than_1_mb": "thing.more_than_1_mb(): the answer is larger than 1 MB",
    "a_surrogate": "Thing.a_surrogate returned at [1] ",
    "a_number_of_10_000_digits": "Thing.a_number_of_10_000_digits returned ",
    "an_exception_of_2_mb": "thing.an_exception_of_2_mb() raised ValueError: xxx",
    "a_syntax_error_of_its_own": "thing.a_syntax_error_of_its_own() raised SyntaxError: ",
    "a_lock_that_is_taken": "thing.a_lock_that_is_taken() raised BlockingIOError: ",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, tuple[CheckResult, CheckResult]]:
    toy = Toy(tmp_path_factory.mktemp("answers"))
    toy.module(ANSWERS)
    return called_one_by_one(toy, list(SAID))


@pytest.mark.parametrize("method", SAID)
def test_a_refused_answer_gets_one_sentence(answers, method):
    check, after = answers[method]
    assert check.outcome is FAIL, check.message
    assert SAID[method] in check.message
    assert len(check.message.splitlines()) == 1
    assert len(check.message) < 2_000
    assert after.outcome is PASS, after.message


def test_unplain_answers_get_the_plain_types(answers):
    check, _ = answers["a_decimal"]
    assert check.message.endswith("; the contract asks for plain data: str, int, bool, None, list, dict")


def test_refused_answers_are_among_the_calls(answers):
    check, _ = answers["a_decimal"]
    assert "  thing.a_decimal() -> Thing.a_decimal returned a Decimal (Decimal('1.50'))" in check.details


def test_integers_beyond_64_bits_return_exactly(toy):
    toy.checks(GO_AND_NEXT.replace('"gone"', "[2**63, 2**64, -(2**70), 10**30]"))
    toy.module(module_of("return [2**63, 2**64, -(2**70), 10**30]"))
    (check, _), _ = judge(toy)
    assert check.outcome is PASS, check.message
