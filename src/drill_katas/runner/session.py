"""Sets up a pytest session for katas, or lists the katas."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from drill_katas.errors import UserError
from drill_katas.judge.inline import InlineSpawner
from drill_katas.judge.zygote_client import AlternatingZygotes
from drill_katas.machine.shortage import raise_file_limit, require_proc
from drill_katas.practice.progress import standings
from drill_katas.practice.selection import select
from drill_katas.practice.workspace import find_workspace
from drill_katas.report.catalog import list_lines
from drill_katas.report.text import encodable, plain
from drill_katas.runner import fixtures
from drill_katas.runner.benchmark import hide_table, keep_no_empty_storage
from drill_katas.runner.context import RunContext
from drill_katas.runner.kata_run import KataRun
from drill_katas.runner.other_plugins import refuse_what_spoils_verdicts, rewrite_helpers
from drill_katas.runner.recorder import Recorder
from drill_katas.runner.settings import libraries, read_settings
from drill_katas.sandbox.tier import PRACTICE

if TYPE_CHECKING:
    from drill_katas.runner.confined import Confined
    from drill_katas.runner.judge_server import JudgeServer
    from drill_katas.runner.settings import Settings

PROFILE: Final = "drill-katas"


def begin(config: pytest.Config) -> None:
    """Register the plugins of a run. Raises `pytest.UsageError` for a mistake of the user."""
    raise_file_limit()
    try:
        refuse_what_spoils_verdicts(config)
        if not config.pluginmanager.has_plugin("kata-confined"):
            require_proc()
        context = RunContext.of(read_settings(config))
    except UserError as mistake:
        raise pytest.UsageError(str(mistake)) from None
    keep_no_empty_storage(config)
    hide_table(config)
    settings = context.settings
    config.args = list(settings.targets)
    config.option.importmode = "importlib"  # the learner's folder must not get onto the judge's sys.path
    if config.option.reportchars == "fE":  # pytest's default; hidden, because our summary shows the same
        config.option.reportchars = ""
    rewrite_helpers(config, settings.katas)
    _load_profile()
    is_worker = hasattr(config, "workerinput")
    distributes = not is_worker and config.getoption("dist", "no") != "no"
    if not is_worker:
        config.pluginmanager.register(Recorder(config, settings), "kata-record")
    if not distributes:
        confined: Confined | None = config.pluginmanager.get_plugin("kata-confined")
        spawner = confined.spawner if confined else _spawner(settings, config.pluginmanager.get_plugin("kata-warm"))
        run = KataRun(context, spawner)
        config.stash[fixtures.SUT] = run.sut
        config.pluginmanager.register(run, "kata-run")
        config.pluginmanager.register(fixtures, "kata-fixtures")


def list_katas(config: pytest.Config) -> int:
    """Print the katas with the learner's progress, and return the exit code."""
    workspace = find_workspace(config.invocation_params.dir)
    try:
        katas = select("all", libraries(config, workspace), ())
    except UserError as mistake:
        sys.stderr.write(f"ERROR: {mistake}\n")
        return pytest.ExitCode.USAGE_ERROR
    known = standings(workspace.journal.read().events)
    for each in list_lines(katas, known, shutil.get_terminal_size().columns):
        sys.stdout.write(encodable(plain(each)) + "\n")
    return pytest.ExitCode.OK


def _spawner(settings: Settings, server: JudgeServer | None) -> InlineSpawner | AlternatingZygotes:
    """Return the spawner of a run's SUTs; a judge server keeps its zygotes for all its runs."""
    if settings.inline:
        return InlineSpawner()
    preload = list(dict.fromkeys(module for kata in settings.katas for module in kata.manifest.imports))
    zygotes = AlternatingZygotes(preload, server.policy if server else PRACTICE)
    if server:
        server.serve_with(zygotes, preload)
    return zygotes


def _load_profile() -> None:
    """Set all options of Hypothesis, so that a verdict is the same on every machine."""
    hypothesis.settings.register_profile(
        PROFILE,
        deadline=None,  # because the check's budget limits the time
        derandomize=True,
        database=None,
        max_examples=30,
        phases=set(hypothesis.Phase) - {hypothesis.Phase.explain},  # it traces the judge's code only, slowly
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile(PROFILE)
    if hasattr(providers, "_get_local_constants"):
        # because Hypothesis draws constants from the source of loaded modules, which differ between machines
        providers._get_local_constants = lambda: providers._local_constants  # noqa: SLF001 - there is no setting for it
