"""A check that did not run to its end never passes."""

from __future__ import annotations

import pytest

from drill_katas.verdict import Outcome
from tests.support.bicycle import add_kata, runs, summary


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        ("skip", "pass"),
        ("skipif(True, reason='not today')", "pass"),
        ("xfail", "assert False"),
        ("xfail(run=False)", "pass"),
        ("xfail", "pass"),
        ("xfail(strict=True)", "pass"),
        ("usefixtures()", "pytest.skip('not today')"),
        ("usefixtures()", "pytest.importorskip('no_such_module')"),
        ("usefixtures()", "pytest.xfail('not today')"),
    ],
)
def test_an_unfinished_check_is_no_pass(toy, mark, line):
    toy.checks(f'@pytest.mark.stage("symptom")\n@pytest.mark.{mark}\ndef test_go(sut):\n    {line}\n')
    done = toy.pytest()
    assert done.returncode == 1
    assert "so it proves nothing" in done.stdout
    (run,) = runs(toy)
    assert [check.outcome for check in run.checks] == [Outcome.FAIL]
    assert not run.solved


def test_check_with_failed_cleanup_never_passes(toy):
    toy.checks("""
        @pytest.fixture
        def ward():
            yield
            raise AssertionError("something was left behind")

        @pytest.mark.stage("symptom")
        def test_go(sut, ward):
            with sut.open("Thing") as thing:
                assert thing.go() == "gone"
    """)
    assert toy.pytest().returncode == 1
    assert [run.solved for run in runs(toy)] == [False]


@pytest.mark.parametrize(
    "head",
    ["pytest.importorskip('no_such_module')", "pytest.skip('no', allow_module_level=True)", "import no_such_module"],
)
def test_checks_that_fail_to_import_never_pass(toy, head):
    file = toy.folder / "test_toy.py"
    file.write_text(file.read_text().replace("import pytest", f"import pytest\n{head}"))
    assert toy.pytest().returncode not in {0, 1}
    assert not runs(toy)


def test_a_kata_without_results_is_no_pass(toy):
    add_kata(toy, "twin")
    toy.root.joinpath("katas/twin/test_twin.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    done = toy.pytest("--kata", "toy,twin")
    assert done.returncode != 0
    assert "twin" in "".join(summary(done.stdout))
    assert [run.kata for run in runs(toy)] == ["toy"]


def test_file_without_checks_never_passes(toy):
    toy.checks("")
    assert toy.pytest().returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not runs(toy)


def test_an_empty_selection_is_never_a_pass(toy):
    done = toy.pytest("-k", "nothing")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not runs(toy)


def test_collect_only_is_no_attempt(toy):
    done = toy.pytest("--collect-only", "-q")
    assert done.returncode == 0
    assert "katas/toy/test_toy.py::test_go" in done.stdout
    assert not runs(toy)
