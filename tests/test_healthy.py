"""A variant with which nothing is wrong: it passes every check, and counts among the versions of a kata."""

from __future__ import annotations

import shutil

import pytest

from tests.test_cli import ANSWER, answer, done, faults, provable, thing  # noqa: F401 - a fixture

HARBOUR = '[broken.harbour]\ntest_go = "go answers lost"\n'
HEALTHY = ANSWER.replace("format = 1", 'format = 1\nhealthy = ["harbour"]').replace(HARBOUR, "")


@pytest.fixture
def alarmed(provable):  # noqa: F811
    """A kata one of whose variants is a false alarm; with no more near misses than a test needs."""
    (provable.folder / "variants" / "harbour" / "toy.py").write_text(f"# other\n{thing()}", encoding="utf-8")
    answer(provable, HEALTHY)
    return provable


def test_a_healthy_version_passes_every_check_and_is_one_of_three(alarmed):
    output = done(alarmed.root, "verify", "toy", "--seeds", "1")
    assert "every arm got what it must" in output
    [row] = [line for line in output.splitlines() if line.startswith("healthy harbour")]
    assert row.split()[2:5] == ["·", "·", "·"]


def test_a_healthy_version_that_fails_a_check_is_named(alarmed):
    (alarmed.folder / "variants" / "harbour" / "toy.py").write_text(thing("lost"), encoding="utf-8")
    few(alarmed, HEALTHY)
    told = faults(done(alarmed.root, "verify", "toy", "--seeds", "1", code=1))
    assert "healthy harbour, test_go: should pass, but fail: go answers lost, not gone" in told


def test_at_least_two_versions_are_really_broken(alarmed):
    (alarmed.folder / "variants" / "orchard" / "toy.py").write_text(thing(), encoding="utf-8")
    broken = '[broken.orchard]\ntest_go = "go answers None"\ntest_label = "label answers None"\n'
    few(alarmed, HEALTHY.replace('"harbour"', '"harbour", "orchard"').replace(broken, ""))
    told = faults(done(alarmed.root, "verify", "toy", "--seeds", "1", code=1))
    assert "2 versions that are really broken are needed, and there are 1" in told
    assert not any("3 broken versions" in fault for fault in told)


def test_what_is_declared_of_a_healthy_version_that_is_none_is_named(alarmed):
    declared = HEALTHY.replace('"harbour"', '"harbour", "quarry"')
    few(alarmed, declared.replace("[broken.orchard]", f"{HARBOUR}[broken.orchard]"))
    told = faults(done(alarmed.root, "verify", "toy", "--seeds", "1", code=1))
    assert "healthy harbour: answer.toml says that it fails checks" in told
    assert "answer.toml speaks of quarry, and there is no such arm" in told


def few(kata, text):
    """Declare `text` without near misses, and take those and the accepted alternatives away: each arm is a pytest."""
    for kind in ("accepted", "near_misses"):
        shutil.rmtree(kata.root / "solutions" / "toy" / kind)
    answer(kata, text.partition("[near_misses")[0])
