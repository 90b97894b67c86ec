"""Latency against a control, with pytest-benchmark and without; and the lag of an application's event loop."""

from __future__ import annotations

import json
import re

import pytest

from drill_katas import kit
from drill_katas.verdict import Outcome
from tests.support.toy import CHECK
from tests.support.worlds import LINKS_WORLD

SLA = '''
import time


@pytest.mark.stage("sla")
def test_quick(sut, benchmark):
    """It is quick."""
    with sut.open("Thing") as thing:
        ratio = kit.sla(sut, benchmark, thing.go, lambda: time.sleep(0.02), figure="pace", rounds=5, what="going")
        assert 1.5 < ratio, ratio
'''
HISTORY = r"control [\d.+]{20}  min \d+ ms  median \d+ ms  p95 \d+ ms"
NOTE = "note: latency was measured, but pytest-benchmark is off in this session and keeps no record of it"


@pytest.fixture
def quick(toy):
    """The toy with a check of its latency, which is about twice that of its control."""

    def write(limit: float = 50):
        toy.body("time.sleep(0.04)", "return 'gone'")
        toy.checks(CHECK + SLA)
        figures = f"limit = {limit}\nhighest_right = 1\nlowest_wrong = 100\n"
        toy.write("thresholds.toml", f"format = 1\n[figures.pace]\n{figures}")
        return toy

    return write


def failure(check) -> str:
    """Return the message of a check that failed; `result` judges again while the machine is too busy."""
    assert check.outcome is Outcome.FAIL, check.message
    return check.message


def result(toy, *args: str):
    toy.patience = 15  # beside other tests, because a ratio of two times is measured
    return next(check for check in toy.verdict(*args).checks if check.name == "test_quick")


def test_ratio_below_limit_passes_without_table(quick):
    """The verdict ends the run; the table is shown on request."""
    done = quick().pytest()
    assert done.returncode == 0, done.stdout
    assert re.search(r"^sla +✓ It is quick", done.stdout, re.MULTILINE)
    assert "note:" not in done.stdout
    assert "Name (time in" not in done.stdout


@pytest.mark.parametrize("how", ["argument", "environment", "ini"])
def test_a_benchmark_option_shows_the_table(quick, how):
    option = "--benchmark-sort=name"
    toy = quick()
    (toy.root / "pytest.ini").write_text(f"[pytest]\naddopts = {option}\n" if how == "ini" else "[pytest]\n")
    arguments = [option] if how == "argument" else []
    done = toy.pytest(*arguments, env={"PYTEST_ADDOPTS": option} if how == "environment" else None)
    assert re.search(r"^test_quick +\d", done.stdout, re.MULTILINE)
    table = done.stdout.partition("Name (time in ms)")[2].partition("Legend")[0]
    assert max(map(len, table.splitlines())) <= 80


@pytest.mark.long
@pytest.mark.parametrize("args", [(), ("--benchmark-disable",), ("-n", "1")])
def test_a_ratio_above_its_limit_fails(quick, args):
    check = result(quick(limit=1.2), *args)
    said = failure(check)
    assert re.match(r"going takes \d+\.\d times as long as the control; the limit is 1.2\n", said)
    assert re.search(HISTORY, said)
    assert ("does not record" in said) == bool(args)
    assert max(map(len, said.splitlines())) <= 78


@pytest.mark.long
@pytest.mark.parametrize("args", [("--benchmark-disable",), ("-n", "1")])
def test_without_pytest_benchmark_a_note_is_added(quick, args):
    done = quick().pytest(*args)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(NOTE) == 1
    assert result(quick(), *args).passed


def test_benchmark_record_has_times_and_control(quick):
    toy = quick()
    done = toy.pytest("--benchmark-json=out.json")
    assert done.returncode == 0, done.stdout
    (record,) = json.loads((toy.root / "out.json").read_text())["benchmarks"]
    assert len(record["stats"]["data"]) == 5
    assert record["extra_info"]["control"].keys() == {"min", "median", "p95"}
    assert record["extra_info"]["limit"] == 50
    assert record["extra_info"]["ratio"] > 1.5


def test_only_benchmarks_or_none_can_be_run(quick):
    for option, name in (("--benchmark-only", "test_quick"), ("--benchmark-skip", "test_go")):
        verdict = quick().verdict(option)
        assert [(check.name, check.passed) for check in verdict.checks] == [(name, True)]
        assert verdict.partial


@pytest.mark.long
def test_only_saved_runs_make_a_folder(quick):
    toy = quick()
    assert toy.pytest().returncode == 0
    assert toy.pytest("-n", "1").returncode == 0
    assert not (toy.root / ".benchmarks").exists()
    assert toy.pytest("--benchmark-autosave").returncode == 0
    (saved,) = (toy.root / ".benchmarks").rglob("*.json")
    compared = toy.pytest("--benchmark-compare")
    assert compared.returncode == 0, compared.stdout
    assert f"({saved.name[:4]}_" in compared.stdout
    stored = toy.pytest("--benchmark-save=mine", "--benchmark-storage=file://elsewhere")
    assert stored.returncode == 0, stored.stdout
    assert list((toy.root / "elsewhere").rglob("*_mine.json"))


def test_failure_before_measuring_is_the_only_message(quick):
    toy = quick()
    toy.body("raise RuntimeError('no')")
    done = toy.pytest("--kata-all-stages", "-W", "error")
    assert "raised RuntimeError" in done.stdout
    assert "was not used" not in done.stdout
    assert "errors" not in done.stdout.splitlines()[-1]


def test_the_distribution_is_one_line():
    from drill_katas.kit.latency import figures, strip

    assert strip([1.0] * 12 + [10.0], 1.0, 100.0) == "+.........1........."
    assert strip([1.0, 100.0], 1.0, 100.0) == "1..................1"
    assert strip([1.0, 1.0], 1.0, 1.0) == "2..................."
    assert figures([3.0, 1.0, 2.0]) == {"min": 1.0, "median": 2.0, "p95": 3.0}


APP = """
import asyncio
import time

from aiohttp import web


def make_app(world):
    async def health(request):
        return web.json_response({})

    async def blocks(request):
        time.sleep(0.5)
        return web.json_response({})

    async def waits(request):
        await asyncio.sleep(0.5)
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/blocks", blocks)
    app.router.add_get("/waits", waits)
    return app
"""


def lag_of(sut, path, health):
    """Return the lag of an application while it serves one request."""
    network = kit.network("front")
    sut.serve("make_app", network.node("front"))
    with kit.lag(network, "front", health) as lag:
        assert network.ask("front", "GET", path, within=5).status == 200
    return lag


@pytest.fixture
def sut(sut_bench):
    return sut_bench.start(APP, world=LINKS_WORLD)


def test_a_blocked_loop_has_a_lag(sut):
    lag = lag_of(sut, "/blocks", "/health")
    assert lag.max > 0.4
    assert 0.3 < lag.p95 <= lag.max
    assert not lag.failed


def test_a_waiting_loop_has_no_lag(sut):
    lag = lag_of(sut, "/waits", "/health")
    assert lag.max < 0.4
    assert len(lag.samples) > 1
    assert not lag.failed


def test_failed_health_checks_are_counted(sut):
    lag = lag_of(sut, "/waits", "/nowhere")
    assert 1 < lag.failed <= len(lag.samples)


def test_a_long_wait_counts_in_every_moment():
    from drill_katas.kit.lag import Lag

    lag = Lag()
    lag.add(0.01, every=0.1)
    lag.add(0.35, every=0.1)
    assert [round(sample, 2) for sample in lag.samples] == [0.01, 0.35, 0.25, 0.15, 0.05]
    assert (lag.max, lag.p95) == (0.35, 0.35)
    assert Lag().p95 == 0
