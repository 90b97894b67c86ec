"""`kata grade --cluster` with a real scheduler and two workers; one worker is killed during the run."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.grading.test_batch import CHECKS, MANY, begun, hand_in_many, verdicts, wait_until
from tests.support.commands import kata, refused
from tests.support.pack import RIGHT, WRONG, Pack
from tests.support.toy import CHECK

pytestmark = pytest.mark.long


class Cluster:
    """A scheduler and its workers, each a separate process with one thread."""

    def __init__(self, pack, workers=2):
        self._pack = pack
        self._processes = []
        scheduler = self._start("scheduler", "--port", "0")
        self.address = self._told(scheduler, r"Scheduler at:\s+(tcp://\S+)")
        self.workers = [self._worker() for _ in range(workers)]

    def _worker(self):
        worker = self._start("worker", self.address, "--nthreads", "1", "--no-nanny")
        self._told(worker, r"Registered to:\s+(\S+)")
        return worker

    def _start(self, *words):
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:], "--host", "127.0.0.1"]
        process = subprocess.Popen(
            [*command, "--no-dashboard"],
            cwd=self._pack.root,
            env={**os.environ, **self._pack.env},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def _told(self, process, pattern):
        """Wait until a process has logged something like this."""
        for line in process.stderr:
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError(f"{process.args} ended with {process.wait()}")

    def close(self):
        for process in self._processes:
            process.kill()
            process.wait()
            process.stderr.close()


@pytest.fixture
def pack(tmp_path):
    with contextlib.closing(Pack(tmp_path)) as made:
        yield made


@pytest.fixture
def cluster(pack):
    with contextlib.closing(Cluster(pack)) as made:
        yield made


def test_worker_killed_half_way_loses_nothing(pack, cluster):
    pack.checks(CHECKS)
    hand_in_many(pack)
    whole = verdicts(pack.grade())
    pack.file.unlink()
    with pack.started("--cluster", cluster.address) as started:
        wait_until(lambda: begun(pack) >= 2)
        family = psutil.Process(cluster.workers[0].pid).children(recursive=True)
        assert family, "it is judging"
        cluster.workers[0].send_signal(signal.SIGKILL)
        assert started.process.wait(120) == 0, "".join(started.lines)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert verdicts(pack.grades()) == whole
    assert len(whole) == MANY
    survivor = psutil.Process(cluster.workers[1].pid)
    wait_until(lambda: not survivor.children(recursive=True))


def test_a_worker_with_another_kata_judges_nothing(pack, cluster):
    pack.hand_in("right", RIGHT)
    assert pack.grade("--cluster", cluster.address)["right"]["solved"]
    pack.checks(f"{CHECK}\n# changed since the workers have begun\n")
    pack.hand_in("wrong", WRONG)
    notes = pack.grade("--cluster", cluster.address, code=3)["wrong"]["notes"]
    assert notes == ["not judged: a worker has a different toy or version of drill-katas"]


def test_what_is_required_of_workers_is_said(pack):
    pack.hand_in("right", RIGHT)

    def message(address):
        return refused(kata(pack.root, "grade", pack.work, "--cluster", address, env=pack.env))

    began = time.monotonic()
    assert message("tcp://127.0.0.1:1").startswith("--cluster tcp://127.0.0.1:1: no scheduler answers")
    assert time.monotonic() - began < 60
    with contextlib.closing(Cluster(pack, workers=0)) as alone:
        assert "the scheduler has no worker; start one with `dask worker" in message(alone.address)
