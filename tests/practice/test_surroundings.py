"""Where a learner works: a path with brackets, a folder that was removed, an editor that saves UTF-16."""

from __future__ import annotations

import os
import re
import sys

import pytest

from drill_katas.verdict import Outcome
from tests.support.bicycle import runs
from tests.support.commands import Started, done, kata, refused
from tests.support.toy import FINE, Toy, run

GONE = "the current folder was removed; go to another folder, or run `cd .` if it exists again"
IN_A_REMOVED_FOLDER = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.fixture
def bracketed(tmp_path):
    """A workspace whose path has brackets, as courses name folders: `week [3]`."""
    return Toy(tmp_path / "week [3]")


@pytest.mark.parametrize(
    "arguments",
    [("--kata", "toy"), ("katas/toy",), ("katas/toy/test_toy.py::test_go",), (), ("--kata", "toy", "-n", "1")],
    ids=str,
)
def test_a_path_with_brackets_is_judged(bracketed, arguments):
    (bracketed.root / "pytest.ini").write_text("[pytest]\ntestpaths = katas\n")
    output = run(["pytest", *arguments], bracketed.root)
    assert output.returncode == 0, output.stdout + output.stderr
    assert "symptom    ✓ It goes" in output.stdout
    assert len(runs(bracketed)) == 1


def test_brackets_further_down_are_refused_in_words(bracketed):
    output = run(["pytest", "--kata", "toy", "--kata-path", "week [3]/katas"], bracketed.root.parent)
    assert output.returncode == pytest.ExitCode.USAGE_ERROR
    assert output.stderr == (
        f"ERROR: pytest cannot collect from a path with a `[`; go to {bracketed.folder} and run it again there\n\n"
    )
    assert run(["pytest", "--kata", "toy"], bracketed.folder).returncode == 0


@pytest.mark.long
def test_the_command_works_in_brackets(bracketed):
    assert "toy" in done(bracketed.root, "list")
    assert done(bracketed.root, "run", "toy").count("next: solved.") == 1
    with Started(bracketed.root, "watch", "toy") as watching:
        watching.wait_for("watching toy.py")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_module_in_another_encoding_is_named(toy, encoding):
    (toy.folder / "toy.py").write_bytes(FINE.encode(encoding))
    check = toy.check()
    assert check.outcome is Outcome.FAIL
    assert check.message == f"toy.py is {'UTF-32' if encoding == 'utf-32' else 'UTF-16'}; save it as UTF-8"
    assert runs(toy)[0].no_attempt == "your files do not load"


def test_a_zero_byte_alone_is_no_encoding(toy):
    toy.module(f"{FINE}\0")
    assert re.match(
        "toy.py cannot be imported: (SyntaxError|ValueError)", toy.check().message
    )  # ValueError: Python 3.11.2


@pytest.mark.parametrize("arguments", [("status",), ("run", "toy"), ("init",), ("history",)], ids=str)
def test_a_removed_folder_is_reported_as_such(tmp_path, arguments):
    folder = tmp_path / "gone"
    folder.mkdir()
    assert refused(kata(folder, *arguments, wrapper=[sys.executable, "-c", IN_A_REMOVED_FOLDER])) == GONE


@pytest.mark.parametrize("command", ["incident", "serve"])
def test_missing_source_names_the_commands_option(tmp_path, command):
    done(tmp_path, "init")
    output = refused(kata(tmp_path, command, "fp_drift", "--from", "nowhere"))
    assert output.startswith("--from nowhere: there is no such folder; name a folder with ledger.py")


def test_missing_folder_to_compare_names_option(own):
    output = refused(kata(own, "incident", "fp_drift", "--html", "page.html", "--compare", "nowhere"))
    assert output.startswith("--compare nowhere: there is no such folder; name a folder with ledger.py")


def test_watch_shows_no_warnings_of_pytest(toy):
    toy.checks('''
import warnings

@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    warnings.warn("a warning of a library")
    with sut.open("Thing") as thing:
        assert thing.go() == "gone"
''')
    assert "a warning of a library" in toy.pytest().stdout, "or this shows nothing"
    with Started(toy.root, "watch", "toy", env={"PATH": os.environ["PATH"]}) as watching:
        assert "arning" not in watching.wait_for("watching toy.py")
