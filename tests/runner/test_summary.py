"""The end of a run, and the lists of katas, as golden transcripts in `tests/transcripts/`.

`UPDATE_TRANSCRIPTS=1 pytest tests/runner/test_summary.py` writes them again; read the diff before you commit it.
Times are no part of a transcript: `N.NN s`, `M:SS`.
"""

from __future__ import annotations

import os
import re

import pytest

from tests.support.places import TESTS

TRANSCRIPTS = TESTS / "transcripts"
UPDATE = os.environ.get("UPDATE_TRANSCRIPTS") == "1"
MAX_LINES = 25
SHOP = {  # a check's name: its stage and title
    "ships": ("symptom", "An order that is paid for is shipped"),
    "unpaid": ("symptom", "Nothing is shipped that is not paid for"),
    "once": ("cause", "An order is shipped once, however often the message that it was paid for arrives"),
    "queue": ("cause", "A full queue loses no order"),
    "invoice": ("regression", "Every shipped order has an invoice"),
    "returns": ("regression", "An order that comes back is paid back"),
    "crash": ("stress", "A restart at any step ships everything once"),
    "latency": ("sla", "95 of 100 orders are shipped within a second"),
}
FAILURE = "the warehouse has 2 parcels for order A17, and the customer paid for 1"
ANSWER = """
format = 1
hints = ["Look at the queue.", "Count the messages.", "Remember what was shipped."]

[broken.original]
test_ships = "never"

[near_misses.seen_in_memory]
fails = ["test_once", "test_crash"]
message = "once has failed"
help = '''A set of the orders seen is empty after a restart, and no other worker has it. What was shipped has to be
remembered where the orders are, in the same transaction.'''
"""
TIMES = {
    r" *\d+\.\d\d s$": "   N.NN s",
    r"\b\d+\.\d s\b": "N.N s",
    r"\b(clock|best|best time) (\d+:)?\d+:\d\d\b": r"\1 M:SS",
}


def shop(toy, *works: str, checks: dict[str, tuple[str, str]] = SHOP) -> None:
    """Give the toy these checks, and a learner's module that passes the ones named."""
    toy.checks(
        "".join(
            f'@pytest.mark.stage("{stage}")\ndef test_{name}(sut):\n    """{title}."""\n'
            f'    with sut.open("Thing") as thing:\n'
            f'        assert thing.works("{name}"), "{name} has failed: {FAILURE}"\n'
            for name, (stage, title) in checks.items()
        )
    )
    toy.module(f"class Thing:\n    def works(self, what):\n        return what in {works!r}\n")


def add_kata(toy, name: str, level: int, title: str, *, works: bool) -> None:
    folder = toy.root / "katas" / name
    folder.mkdir()
    manifest = toy.folder.joinpath("kata.toml").read_text()
    manifest = manifest.replace("level = 1", f"level = {level}").replace("A toy", title)
    folder.joinpath("kata.toml").write_text(manifest)
    checks = toy.folder.joinpath("test_toy.py").read_text()
    folder.joinpath(f"test_{name}.py").write_text(checks)
    folder.joinpath("toy.py").write_text(
        f"class Thing:\n    def go(self):\n        return {'gone' if works else ''!r}\n"
    )


def ending(text: str) -> list[str]:
    """Return what a run shows between the line `= kata =` and pytest's last line."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if re.fullmatch(r"=+ +kata +=+", line))
    return "\n".join(lines[begin + 1 : -1]).rstrip().splitlines()


def matches(name: str, lines: list[str]) -> None:
    """Compare lines with a transcript, times aside."""
    assert len(lines) <= MAX_LINES
    text = "".join(f"{line}\n" for line in lines)
    for time, word in TIMES.items():
        text = re.sub(time, word, text, flags=re.MULTILINE)
    file = TRANSCRIPTS / f"{name}.txt"
    if UPDATE:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def run_matches(name: str, toy, *args: str, **env: str) -> str:
    """Run pytest, compare the end of what it shows with a transcript, and return it."""
    lines = ending(toy.pytest(*args, env=env).stdout)
    matches(name, lines)
    return "\n".join(lines)


def answer(toy) -> None:
    """Give the toy hints, and help for a known wrong fix."""
    folder = toy.root / "solutions" / "toy"
    folder.mkdir(parents=True)
    folder.joinpath("answer.toml").write_text(ANSWER)


def test_a_failed_first_attempt_shows_next_steps(toy):
    shop(toy, "unpaid")
    run_matches("first_attempt", toy)


def test_a_second_attempt_says_what_changed(toy):
    shop(toy, "ships", "unpaid", "queue", "invoice")
    toy.pytest("--kata-all-stages")
    shop(toy, "ships", "unpaid", "once", "invoice", "returns")
    run_matches("second_attempt", toy, "--kata-all-stages")


def test_attempt_after_hints_shows_their_number(toy):
    shop(toy, "ships", "unpaid")
    answer(toy)
    toy.pytest()
    toy.kata("hint", "toy")
    shop(toy, "ships", "unpaid", "once")
    run_matches("attempt_after_a_hint", toy)


def test_a_solved_kata_shows_its_best_time(toy):
    shop(toy)
    toy.kata("start", "toy")
    toy.pytest()
    shop(toy, *SHOP)
    run_matches("solved", toy)


def test_submission_is_judged_but_no_attempt(toy):
    shop(toy)
    submission = toy.root / "submission"
    submission.mkdir()
    submission.joinpath("toy.py").write_text(f"class Thing:\n    def works(self, what):\n        return {list(SHOP)}\n")
    run_matches("submission", toy, "--kata-from", "submission")


def test_inline_run_warns_it_does_not_count(toy):
    shop(toy, *SHOP)
    text = run_matches("inline", toy, "--kata-inline")
    assert "--kata-inline" in text


def test_partial_run_shows_it_is_partial(toy):
    shop(toy, *SHOP)
    run_matches("some_checks", toy, "-k", "ships")


def test_a_hang_says_in_which_call(toy):
    shop(toy, *SHOP)
    toy.limits(call_seconds=1.0)
    toy.module("import time\n\n\nclass Thing:\n    def works(self, what):\n        time.sleep(3600)\n")
    run_matches("hang", toy)


def test_failed_import_names_the_faulty_line(toy):
    shop(toy)
    toy.module("class Thing:\n    def works(self, what)\n        return True\n")
    run_matches("syntax_error", toy)


def test_summary_explains_why_near_miss_fails(toy):
    shop(toy, *set(SHOP) - {"once", "crash"})
    answer(toy)
    text = run_matches("near_miss", toy)
    assert "no other worker has it.\n  What was shipped has to be remembered where the orders are, in the" in text


def test_near_miss_help_waits_for_the_symptom(toy):
    shop(toy, *set(SHOP) - {"ships", "once", "crash"})
    answer(toy)
    done = toy.pytest("--kata-all-stages")
    assert "once has failed" in done.stdout
    assert "A set of the orders seen" not in done.stdout


@pytest.fixture
def several(toy):
    """A workspace with katas of three levels: one solved, two in progress, two untouched."""
    add_kata(toy, "crossed_replies", 4, "Somebody else's data, status 200", works=False)
    add_kata(toy, "memory_leak", 2, "OOM at dawn", works=False)
    add_kata(
        toy, "dead_letters", 2, "It died, it came back, it died, and nobody was told of any of it at all", works=True
    )
    add_kata(toy, "an_unusually_long_name_of_a_kata", 2, "What the name says", works=True)
    return toy


def test_several_katas_are_shown_briefly(several):
    """There is one bar for each level."""
    several.pytest("--kata", "all")
    several.body("return 'stuck'")
    folder = several.root / "katas" / "memory_leak"
    folder.joinpath("toy.py").write_text("class Thing:\n    def go(self):\n        return 'gone'\n")
    run_matches("several", several, "--kata", "all")


def test_bars_count_all_katas(several):
    """Also those that this run has not judged."""
    lines = ending(several.pytest("--kata", "dead_letters,memory_leak").stdout)
    bars = [line for line in lines if line.startswith("level ")]
    assert [re.sub(r"[█░]+ ", "", bar) for bar in bars] == [
        "level 1 Intern  0 of 1 variant solved, 0 in progress",
        "level 2 Junior  1 of 3 variants solved, 1 in progress",
        "level 4 Staff   0 of 1 variant solved, 0 in progress",
    ]


def test_summary_counts_katas_that_do_not_fit(toy):
    for number in range(20):
        add_kata(toy, f"kata_{number:02}", number % 4 + 1, "One of many", works=number == 19)
    text = run_matches("more_than_fit", toy, "--kata", "all")
    shown = len(re.findall("^[✓✗] ", text, re.MULTILINE))
    assert f"{21 - shown} more katas" in text


def test_list_has_one_line_per_kata(several):
    several.pytest("--kata", "toy,memory_leak")
    matches("list", several.kata("list").stdout.splitlines())


def test_status_shows_levels_and_katas(several):
    several.pytest("--kata", "toy,memory_leak")
    several.pytest("--kata", "memory_leak")
    several.kata("start", "dead_letters")
    matches("status", several.kata("status").stdout.splitlines())


def test_sixty_columns_are_enough_for_the_list(several):
    several.pytest("--kata", "toy,memory_leak")
    lines = several.kata("list", env={"COLUMNS": "60"}).stdout.splitlines()
    matches("list_of_60_columns", lines)
    assert [line for line in lines if len(line) > 60] == []


def test_status_fits_all_numbers_in_sixty_columns(several):
    several.pytest("--kata", "toy,memory_leak")
    lines = several.kata("status", env={"COLUMNS": "60"}).stdout.splitlines()
    matches("status_of_60_columns", lines)
    assert [line for line in lines if len(line) > 60] == []
    bars = [re.findall(r"\d+", line) for line in lines if line.startswith("level ")]
    assert bars == [["1", "1", "1", "0"], ["2", "0", "3", "1"], ["4", "0", "1", "0"]]


def forty_checks(toy, *fail: str) -> None:
    stages = ("symptom", "cause", "regression", "stress", "sla", "trace")
    checks = {
        f"{stage}_{number}": (stage, f"Property {number} of the stage {stage} holds")
        for stage in stages
        for number in range(10 if stage in stages[:2] else 5)
    }
    assert len(checks) == 40
    shop(toy, *set(checks) - set(fail), checks=checks)


def test_forty_passed_checks_of_all_stages_fit(toy):
    forty_checks(toy)
    run_matches("forty_checks_solved", toy)


def test_forty_checks_fit_the_summary(toy):
    failing = {"symptom": 3, "cause": 9, "regression": 0, "stress": 4, "sla": 0, "trace": 2}
    forty_checks(toy, *(f"{stage}_{number}" for stage, number in failing.items()))
    text = run_matches("forty_checks", toy, "--kata-all-stages")
    assert re.findall(r"Property (\d) of the stage (\w+) holds +fail", text) == [
        (str(number), stage) for stage, number in failing.items()
    ]


def test_sixty_columns_are_enough(toy):
    shop(toy, "ships", "unpaid")
    run_matches("sixty_columns", toy, COLUMNS="60")


def test_a_terminal_without_unicode_is_enough(toy):
    shop(toy, "ships", "unpaid")
    run_matches("ascii", toy, PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
