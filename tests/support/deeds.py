"""A toy kata whose methods misbehave on request, and a judge for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from drill_katas.verdict import CheckResult, Outcome, Report

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.toy import Toy


CRASH, FAIL, HANG, LIMIT, PASS = Outcome.CRASH, Outcome.FAIL, Outcome.HANG, Outcome.LIMIT, Outcome.PASS
GRACE = 2.0  # seconds that a verdict may come after the budget it is about
GO_AND_NEXT = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        assert thing.go() == "gone", "it should be gone"

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''
IMPORTS = "import ctypes, fcntl, json, mmap, os, resource, signal, socket, subprocess, sys, threading, time\n"


def module_of(*body: str) -> str:
    """Return a learner's module whose `go` has this body; its `fine` is fine."""
    go = "".join(f"        {line}\n" for line in body)
    return f'{IMPORTS}\n\nclass Thing:\n    def fine(self):\n        return "fine"\n\n    def go(self):\n{go}'


def judge(toy: Toy) -> tuple[tuple[CheckResult, ...], str]:
    """Judge the toy; return the results of its checks, and what stood on the terminal."""
    file = toy.root / "report.json"
    for _ in range(toy.patience):  # it is judged again, as the message asks, when the machine was too busy
        done = toy.pytest("--kata", "toy", "--kata-report", str(file))
        (verdict,) = msgspec.json.decode(file.read_bytes(), type=Report).katas
        if not any("the machine was too busy" in check.message for check in verdict.checks):
            break
    return verdict.checks, done.stdout + done.stderr


def judge_body(toy: Toy, *body: str) -> CheckResult:
    """Judge a `go` with this body, see that the next check still passes, and return what `go` got."""
    toy.checks(GO_AND_NEXT)
    toy.module(module_of(*body))
    (go, after), _ = judge(toy)
    assert (after.name, after.outcome) == ("test_next", PASS), after
    return go


def notes(toy: Toy) -> Path:
    """Return a file that the learner's module can append to as any user."""
    file = toy.root / "notes"
    file.touch()
    file.chmod(0o666)
    return file


def called_one_by_one(toy: Toy, methods: list[str]) -> dict[str, tuple[CheckResult, CheckResult]]:
    """Judge each method in its own check, with `fine` after it, in one run; return both results by method."""
    calls = ["fine", *(call for method in methods for call in (method, "fine"))]
    toy.checks(f'''
@pytest.mark.stage("symptom")
@pytest.mark.parametrize("method", {calls})
def test_call(sut, method):
    """It answers."""
    with sut.open("Thing") as thing:
        getattr(thing, method)()
''')
    checks = toy.verdict().checks
    return dict(zip(methods, zip(checks[1::2], checks[2::2], strict=True), strict=True))
