"""The real `kata` command: the output, state, exit codes, and error messages of each subcommand."""

from __future__ import annotations

import re

import pytest

from drill_katas.cli import main
from drill_katas.practice.journal import Hinted, SolutionShown, Started
from tests.support.commands import done, kata, refused, words
from tests.support.toy import FINE, HINTS, add_kata

COMMANDS = sorted(main.commands)


def journal(toy):
    return toy.journal.read().events


# Help and exit codes


def test_help_lists_commands_and_exit_codes(tmp_path):
    output = done(tmp_path, "--help")
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\w+", output, re.MULTILINE)
    codes = "Exit codes: 0 success, 1 negative result, 2 usage or environment error, 3 not judged."
    assert codes in words(output)
    assert all(len(line) <= 80 for line in output.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_command_help_has_sentence_and_example(tmp_path, name):
    output = done(tmp_path, name, "--help")
    assert output == done(tmp_path, name, "-h")
    usage, sentence, *_ = output.split("\n\n")
    assert usage.startswith(f"Usage: kata {name} ")
    assert re.fullmatch(r"[A-Z][^.]+\.", words(sentence))
    (example,) = re.findall(r"Example: kata (.+)", output)
    with main.commands[name].make_context(name, example.split()[1:], resilient_parsing=False) as context:
        assert example.split()[0] == name
        assert context.params is not None


def test_without_a_command_the_help_is_shown(tmp_path):
    result = kata(tmp_path)
    assert result.returncode == 2
    assert "Commands:" in result.stdout + result.stderr


def test_an_unknown_command_gets_the_nearest_one(tmp_path):
    assert "'status'" in refused(kata(tmp_path, "statsu"))


def test_an_unknown_option_gets_the_nearest_one(tmp_path):
    assert "--give-up" in refused(kata(tmp_path, "solution", "toy", "--giveup"))


@pytest.mark.parametrize("name", ["start", "hint", "reset", "solution", "new"])
def test_command_reports_its_missing_name(tmp_path, name):
    assert "Missing argument 'NAME'" in refused(kata(tmp_path, name))


# kata list


def test_list_shows_katas_by_level(answered):
    add_kata(answered, "ferry", level=3, title="The ferry")
    add_kata(answered, "barge", level=1, title="The barge")
    add_kata(answered, "canoe", level=4, title="The canoe")
    answered.module(FINE)
    answered.pytest()
    done(answered.root, "start", "ferry")
    assert done(answered.root, "list").splitlines() == [
        "· 1 Intern  barge              The barge",
        "★ 1 Intern  toy                A toy",
        "… 3 Senior  ferry              The ferry",
        "· 4 Staff   canoe              The canoe",
    ]


def test_list_works_from_any_workspace_folder(toy):
    assert done(toy.folder, "list") == done(toy.root, "list")


def test_list_is_cut_to_terminal_width(toy):
    add_kata(toy, "ferry", title="A title that goes on and on, far beyond what any terminal shows on a line")
    output = done(toy.root, "list", env={"COLUMNS": "60"})
    assert all(len(line) <= 60 for line in output.splitlines())
    assert "far beyond" not in output


@pytest.mark.parametrize("name", ["list", "status"])
def test_a_pipe_gets_no_colours(toy, name):
    done(toy.root, "start", "toy")
    assert "\x1b" not in done(toy.root, name)


@pytest.mark.parametrize("arguments", [["list"], ["status"], ["start", "toy"]])
def test_a_terminal_without_unicode_gets_ascii(toy, arguments):
    done(toy.root, "start", "toy")
    output = done(toy.root, *arguments, env={"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert output.isascii()
    assert output


# kata status


def test_status_shows_levels_and_touched_katas(answered):
    add_kata(answered, "ferry", level=3)
    add_kata(answered, "barge", level=1)
    done(answered.root, "hint", "toy")
    answered.pytest()
    answered.pytest()
    answered.module(FINE)
    answered.pytest()
    output = done(answered.root, "status")
    first, second, touched, following = output.splitlines()
    assert re.fullmatch(r"level 1 Intern  █+░+ 1 of 2 variants solved, 0 in progress", first)
    assert re.fullmatch(r"level 3 Senior  ░+ 0 of 1 variant solved, 0 in progress", second)
    assert re.fullmatch(r"★ toy +3 attempts, 1 hint, best \d:\d\d", touched)
    assert following == "next: `kata start barge`"
    assert all(len(line) <= 80 for line in output.splitlines())


def test_a_started_kata_is_in_progress(toy):
    done(toy.root, "start", "toy")
    first, touched, following = done(toy.root, "status").splitlines()
    assert "0 of 1 variant solved, 1 in progress" in first
    assert following == "next: `pytest --kata toy`"
    assert re.fullmatch(r"… toy 0 attempts, 0 hints, clock \d:\d\d", words(touched))


# kata start


def test_start_shows_page_and_starts_clock(toy):
    toy.write("BRIEFING.md", "# 03:07 PAGE\n\nThe toy does not *go*.\n")
    output = done(toy.root, "start", "toy")
    assert "03:07 PAGE" in output
    assert "The toy does not go." in output
    assert "The clock is running: 5 minutes. Fix katas/toy/toy.py. Judge it with: pytest --kata toy" in words(output)
    assert "Other causes" not in output
    (event,) = journal(toy)
    assert isinstance(event, Started)
    assert (event.kata, event.variant) == ("toy", "original")


def test_start_names_the_other_variants(tmp_path):
    done(tmp_path, "init", ".")
    assert "Other causes behind this page: --variant harbour or orchard" in done(tmp_path, "start", "fp_drift")
    output = done(tmp_path, "start", "fp_drift", "--variant", "harbour")
    assert "--variant orchard or original" in output


def test_start_and_hint_fit_the_terminal(answered):
    """A hint is written in lines of its author's width."""
    answer = answered.root / "solutions" / "toy" / "answer.toml"
    answer.write_text(answer.read_text().replace("Look at what", "Look " + "closely and with care " * 6 + "\\nat what"))
    name = "a_module_of_which_the_name_is_long.py"
    manifest = (answered.folder / "kata.toml").read_text()
    answered.write("kata.toml", manifest.replace('"toy.py"', f'"toy.py", "{name}"'))
    answered.write(name, "")
    output = done(answered.root, "start", "toy") + done(answered.root, "hint", "toy")
    assert "with care at what it answers." in words(output)
    assert max(map(len, output.splitlines())) <= 80


def test_start_begins_a_new_round(toy):
    toy.pytest()
    toy.pytest()
    done(toy.root, "start", "toy")
    assert "attempt 1 " in toy.pytest().stdout


@pytest.mark.parametrize("content", [None, b"# caf\xe9\n"], ids=["missing", "no UTF-8"])
def test_an_unreadable_briefing_gets_one_sentence(toy, content):
    page = toy.folder / "BRIEFING.md"
    page.unlink()
    if content is not None:
        page.write_bytes(content)
    assert str(page) in refused(kata(toy.root, "start", "toy"))


def test_a_trailing_slash_changes_no_name(toy):
    """In katas/ the shell completes `to` to `toy/`; noted under that name, the round would be lost."""
    assert "did you mean 'toy'?" in refused(kata(toy.root / "katas", "start", "toy/"))
    assert journal(toy) == ()


# kata hint


def test_hints_are_shown_and_noted_in_order(answered):
    for number, text in enumerate(HINTS, 1):
        assert done(answered.root, "hint", "toy") == f"Hint {number} of 3: {text}\n"
        assert [event.rung for event in journal(answered) if isinstance(event, Hinted)] == list(range(1, number + 1))


def test_all_hints_are_shown_at_last(answered):
    """The exit code says that there is no further hint."""
    for _ in HINTS:
        done(answered.root, "hint", "toy")
    for _ in range(2):
        output = done(answered.root, "hint", "toy", code=1)
        assert output.splitlines() == [
            "You have seen all 3 hints of toy:",
            *(f"{number}. {text}" for number, text in enumerate(HINTS, 1)),
        ]
    assert len(journal(answered)) == 3


def test_a_solved_kata_spends_no_hint(answered):
    answered.module(FINE)
    answered.pytest()
    assert "toy is solved" in done(answered.root, "hint", "toy", code=1)
    assert not [event for event in journal(answered) if isinstance(event, Hinted)]


def test_an_attempt_keeps_the_next_hint(answered):
    done(answered.root, "hint", "toy")
    answered.pytest()
    assert done(answered.root, "hint", "toy").startswith("Hint 2 of 3")


def test_a_new_round_begins_the_ladder_anew(answered):
    done(answered.root, "hint", "toy")
    done(answered.root, "start", "toy")
    assert done(answered.root, "hint", "toy").startswith("Hint 1 of 3")


def test_kata_without_hints_names_missing_file(toy):
    sentence = refused(kata(toy.root, "hint", "toy"))
    assert "answer.toml" in sentence
    assert journal(toy) == ()


# kata solution


def test_solution_is_refused_before_kata_is_solved(answered):
    output = done(answered.root, "solution", "toy", code=1)
    assert "not solved yet" in output
    assert "kata hint toy" in output
    assert "--give-up" in output
    assert "return" not in output
    assert journal(answered) == ()


def test_reference_is_printed_after_solving(answered):
    answered.module(FINE)
    answered.pytest()
    output = done(answered.root, "solution", "toy", "--arm", "reference")
    assert FINE in output
    assert str(answered.root / "solutions" / "toy" / "toy.py") in output
    _, event = journal(answered)
    assert isinstance(event, SolutionShown)
    assert not event.gave_up


@pytest.mark.parametrize("before", ["nothing", "a start", "an attempt"])
def test_giving_up_shows_the_solution(answered, before):
    """The round does not count as solved."""
    if before == "a start":
        done(answered.root, "start", "toy")
    if before == "an attempt":
        answered.pytest()
    assert FINE in done(answered.root, "solution", "toy", "--arm", "reference", "--give-up")
    event = journal(answered)[-1]
    assert isinstance(event, SolutionShown)
    assert event.gave_up
    answered.module(FINE)
    assert answered.pytest().returncode == 0
    assert "0 of 1 variant solved" in done(answered.root, "status")
    done(answered.root, "solution", "toy", code=1)
    done(answered.root, "start", "toy")
    answered.pytest()
    assert "1 of 1 variant solved" in done(answered.root, "status")


def test_missing_solution_file_is_reported(answered):
    (answered.root / "solutions" / "toy" / "toy.py").unlink()
    refusal = refused(kata(answered.root, "solution", "toy", "--arm", "reference", "--give-up"))
    assert "there is no toy.py of toy; looked in" in refusal
    assert journal(answered) == ()
