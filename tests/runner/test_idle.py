"""A session without a kata loads only two small modules of drill_katas, and prints nothing."""

from __future__ import annotations

import re

import pytest

SUITE = """
import warnings
import pytest

def test_passes():
    pass

def test_fails():
    assert 1 + 1 == 3

@pytest.mark.skip(reason="not today")
def test_is_skipped():
    pass

def test_warns():
    warnings.warn("careful")
"""
LIST_MODULES = """
import pathlib
import sys

def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        pathlib.Path(config.rootpath, "modules").write_text("\\n".join(sys.modules))
"""
WITHOUT_US = ("-p", "no:kata")


@pytest.fixture
def suite(pytester):
    """Tests without katas; they write the loaded modules to a file at the end."""
    pytester.makepyfile(test_suite=SUITE)
    pytester.makeconftest(LIST_MODULES)
    pytester.makeini("[pytest]\n")
    return pytester


def modules_at_end(suite, *args: str) -> set[str]:
    suite.runpytest_subprocess(*args)
    return set((suite.path / "modules").read_text().split())


def shown(suite, *args: str) -> list[str]:
    """Return what a session prints, without seconds, addresses, and the list of plugins that is pytest's own."""
    done = suite.runpytest_subprocess(*args)
    lines = [re.sub(r"\d+\.\d+s|0x[0-9a-f]+|runpytest-\d+", "N", line) for line in (*done.outlines, *done.errlines)]
    assert lines
    return [re.sub(r"drill-katas-[^,]+(, |$)", "", line) if line.startswith("plugins: ") else line for line in lines]


@pytest.mark.long
@pytest.mark.parametrize("args", [(), ("-v", "-ra"), ("-n", "1"), ("--durations=3", "--junitxml=junit.xml")])
def test_an_idle_session_loads_two_modules(suite, args):
    idle, without = modules_at_end(suite, *args), modules_at_end(suite, *args, *WITHOUT_US)
    assert idle - without == {"drill_katas", "drill_katas.plugin"}


@pytest.mark.long
@pytest.mark.parametrize("args", [(), ("-v", "-ra"), ("-q",), ("--collect-only",)])
def test_idle_session_prints_the_same_without_us(suite, args):
    assert shown(suite, *args) == shown(suite, *args, *WITHOUT_US)


def test_idle_session_leaves_no_file_of_ours(suite):
    suite.runpytest_subprocess()
    assert not (suite.path / ".kata").exists()


@pytest.mark.long
def test_tests_beside_workspace_katas_are_idle(suite):
    suite.mkdir("katas").joinpath("toy").mkdir()
    (suite.path / "katas" / "toy" / "kata.toml").touch()
    tests = suite.mkdir("tests")
    (suite.path / "test_suite.py").rename(tests / "test_suite.py")
    assert modules_at_end(suite, "tests") - modules_at_end(suite, "tests", *WITHOUT_US) == {
        "drill_katas",
        "drill_katas.plugin",
    }


@pytest.mark.long
@pytest.mark.parametrize("path", ["katas", "katas/test_suite.py", "katas/test_suite.py::test_passes"])
def test_unrelated_folder_named_katas_is_left_alone(suite, path):
    (suite.path / "test_suite.py").rename(suite.mkdir("katas") / "test_suite.py")
    assert shown(suite, path) == shown(suite, path, *WITHOUT_US)


def test_help_lists_our_options_cheaply(suite):
    helped = suite.runpytest_subprocess("--help")
    helped.stdout.fnmatch_lines(["katas of production failures (drill-katas):", "  --kata=NAME *", "  kata_paths *"])
    assert modules_at_end(suite, "--help") - modules_at_end(suite, "--help", *WITHOUT_US) <= {
        "drill_katas",
        "drill_katas.plugin",
    }
