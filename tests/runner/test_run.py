"""`kata run`: runs pytest if it is not on the PATH, with the same output and exit codes."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.bicycle import bicycle, runs
from tests.support.commands import done
from tests.support.toy import FINE, run

KATA = str(Path(sys.executable).with_name("kata"))


def plain(text):
    """The text without times and attempt numbers."""
    return re.sub(r"\d+[.:]\d\d(\d\d)? ?s?|attempt \d|\d\.\d s|^=+|=+$", "N", text, flags=re.MULTILINE)


@pytest.mark.long
@pytest.mark.parametrize("options", [(), ("-x", "-q"), ("-k", "brake"), ("--no-such-option",)], ids=str)
def test_output_and_exit_code_match_pytest(toy, options):
    bicycle(toy, "horn")
    by_pytest = toy.pytest("--kata", "toy", *options)
    shutil.rmtree(toy.root / ".kata", ignore_errors=True)
    for given in (options, ("--", *options)):
        by_kata = run([KATA, "run", "toy", "-p", "no:cacheprovider", *given], toy.root)
        assert by_kata.returncode == by_pytest.returncode != 0
        assert plain(by_kata.stderr).replace("kata: error", "N") == plain(by_pytest.stderr).replace("kata: error", "N")
        shutil.rmtree(toy.root / ".kata", ignore_errors=True)
        assert plain(by_kata.stdout) == plain(by_pytest.stdout)


@pytest.mark.long
def test_run_without_pytest_on_path_counts(toy, tmp_path_factory):
    """As with pipx and uv tool, which put `kata` on the path and nothing else; every hint names `kata run`."""
    alone = tmp_path_factory.mktemp("bin")
    (alone / "kata").symlink_to(KATA)
    path = {"PATH": str(alone)}
    assert "Judge it with: kata run toy\n" in done(toy.root, "start", "toy", env=path)
    toy.body("return 'here'")
    message = run([str(alone / "kata"), "run", "toy"], toy.root, env=path)
    assert message.returncode == 1
    assert "toy · attempt 1 · clock" in message.stdout
    assert "run `kata run toy` again" in message.stdout
    toy.module(FINE)
    assert run([str(alone / "kata"), "run", "toy"], toy.root, env=path).returncode == 0
    assert [event.solved for event in runs(toy)] == [False, True]
