"""Runs hostile tests in this process, which is in a sandbox already; see `batch/confined_judge.py`."""

from __future__ import annotations

import gc
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec
import pytest

from drill_katas.batch.confined_judge import ConfinedRun
from drill_katas.batch.pool import PLUGINS, UNUSED
from drill_katas.catalog.katas import GUARDRAIL
from drill_katas.judge.zygote_link import AlternatingLinks, ZygoteLink
from drill_katas.sandbox.child import DIALER
from drill_katas.sandbox.tier import SandboxPolicy, Tier
from drill_katas.sut.protocol import Reply
from drill_katas.sut.wire import Channel
from drill_katas.verdict import Report

RUNS: Final = msgspec.json.Decoder(ConfinedRun)
ZYGOTES: Final = (DIALER + 1, DIALER + 2)  # the relays' file descriptors
SCRATCH: Final = "/tmp"  # noqa: S108 - this process's own


class Confined:
    """A pytest plugin that gives a run its SUTs."""

    def __init__(self) -> None:
        self.__name__ = "kata-confined"  # pytest registers the plugin under this name
        policy = SandboxPolicy(Tier.STRONG)
        self.spawner = AlternatingLinks(ZygoteLink(Channel(socket.socket(fileno=fd)), policy) for fd in ZYGOTES)


def serve(calls: socket.socket) -> None:
    """Run the tests of one request, and answer with the outcome of each."""
    channel = Channel(calls)
    run = channel.receive(None, RUNS)
    assert run is not None
    gc.unfreeze()
    os.environ["TMPDIR"] = tempfile.tempdir = SCRATCH
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.executable = os.path.realpath(sys.executable)
    os.chdir(SCRATCH)
    report = Path(SCRATCH, "report.json")
    pytest.main(_arguments(run, report), plugins=[Confined()])
    katas = msgspec.json.decode(report.read_bytes(), type=Report).katas
    channel.send(Reply(ok={check.name: check.outcome for kata in katas for check in kata.checks}))


def _arguments(run: ConfinedRun, report: Path) -> list[str]:
    room = Path(run.files, "katas", run.kata)
    Path(SCRATCH, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    plugins = [word for name in (*PLUGINS, *(f"no:{each}" for each in UNUSED)) for word in ("-p", name)]
    return [
        "--kata", run.kata, "--kata-path", str(room.parent), "--kata-from", str(room), "--kata-seed", str(run.seed),
        "--kata-guardrail", str(room / GUARDRAIL), "--kata-report", str(report), "--kata-all-stages",
        "--rootdir", SCRATCH, "-c", f"{SCRATCH}/pytest.ini", *plugins, "--no-header", "-q", "-x",
        "--show-capture=no",  # because the grader ends a process that writes too much, and tests may print a lot
    ]  # fmt: skip
