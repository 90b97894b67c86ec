"""A fix gains nothing by hiding calls from the trace: other stages judge every call, with any trace id."""

from __future__ import annotations

import ast
import sys

import msgspec
import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.verdict import Outcome, Report
from tests.support.places import REPOSITORY
from tests.support.toy import run

SOLUTION = REPOSITORY / "solutions" / "circular_deadlock"
ON_TRACE = 'headers = {"traceparent": trace} | share.headers()'
TELEMETRY = {"observe", "expect_ever", "metrics", "logs"}  # methods of `sut`, of metrics and of log lines
OFF_TRACE = 'headers = {"X-Deadline-Ms": "2900"}'


@pytest.mark.long
def test_untraced_call_is_bound_by_customers_deadline(tmp_path):
    """Customers wait for 800 ms; stock sends 2.9 s to pricing, outside every customer's trace."""
    for file in SOLUTION.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert file.name != "stock.py" or ON_TRACE in text
        (tmp_path / file.name).write_text(text.replace(ON_TRACE, OFF_TRACE), encoding="utf-8")
    report = tmp_path / "report.json"
    done = run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "deadlines_travel"),
            *("--kata", "circular_deadlock", f"--kata-from={tmp_path}", "--kata-report", str(report)),
        ],
        tmp_path,
    )
    (verdict,) = msgspec.json.decode(report.read_bytes(), type=Report).katas
    (check,) = [each for each in verdict.checks if each.outcome is not Outcome.NOT_REACHED]
    seen = " ".join(check.message.split())  # on a busy machine it is quoted
    assert "s longer than its customer waits" in seen, done.stdout


@pytest.mark.parametrize("name", sorted(kata.name for kata in shipped()))
def test_only_trace_checks_rely_on_telemetry(name):
    """A program writes its own logs and metrics, so no other stage may believe them."""
    kata, used, stages = shipped().get(name), {}, {}
    for file in kata.folder.glob("*.py"):
        if file.name not in kata.manifest.editable:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    used.setdefault(node.name, set()).update(_names_in(node))
                    for stage in _stages_of(node):
                        stages[node.name] = stage
    resting = {function for function, names in used.items() if names & TELEMETRY}
    while more := {function for function, names in used.items() if names & resting} - resting:
        resting |= more
    assert {stages[function] for function in resting if function in stages} == {"trace"}


def _names_in(node):
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute)]
    return {each.attr if isinstance(each, ast.Attribute) else each.id for each in names}


def _stages_of(node):
    marks = [each for each in node.decorator_list if isinstance(each, ast.Call)]
    return [each.args[0].value for each in marks if getattr(each.func, "attr", "") == "stage"]
