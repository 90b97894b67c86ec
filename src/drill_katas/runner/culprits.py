"""Finds the culprit of an exception in a check: the program, the judge, or another plugin."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Final

import hypothesis.errors
import pytest

from drill_katas import failures, kit
from drill_katas.machine.shortage import shortage
from drill_katas.sandbox.tier import SandboxUnavailable
from drill_katas.sut import host

OUR_PARTS: Final = ("drill_katas", "_pytest", "pytest", "pluggy", "hypothesis", "_hypothesis_pytestplugin")
OURS: Final = Path(failures.__file__).parent
CHECKS: Final = (str(Path(kit.__file__).parent), host.__file__)
"""Code of this package that acts for a check or for the program, in addition to the kata's folder."""
VERDICTS: Final = (
    failures.CheckEnded, failures.SutError, failures.Killed,
    hypothesis.errors.HypothesisException, pytest.skip.Exception, pytest.xfail.Exception,
)  # fmt: skip
"""Exceptions that are verdicts, unless another plugin raised them."""


def culprit_of(error: BaseException, checks: Path, config: pytest.Config) -> str | None:
    """Return a clause that names the culprit: another plugin, a conftest.py, or the judge.

    Return None for an exception from the program or from a check, whose folder or file is `checks`. The innermost frame
    that belongs to a check, a plugin or the judge decides. Without such a frame, the culprit is outside of the check.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    judged = (f"{checks}/", *CHECKS)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == str(checks) or frame.filename.startswith(judged):
            return None
        if plugin := _plugin_at(frame.filename, config):
            return _in_words(plugin, frame, error)
        if frame.filename.startswith(f"{OURS}/") and (culprit := _of_the_judge(error)):
            return culprit
    if isinstance(error, (*VERDICTS, pytest.FixtureLookupError)):
        return None
    return f"pytest or another plugin raised {_shown(error)} outside of the check; run it without that plugin"


def _of_the_judge(error: BaseException) -> str | None:
    if isinstance(error, SandboxUnavailable | TimeoutError):
        return f"{error}; run it again"
    return None if isinstance(error, VERDICTS) else shortage(error)


def _in_words(plugin: str, frame: traceback.FrameSummary, error: BaseException) -> str:
    place = f"{frame.filename}:{frame.lineno}"
    if Path(frame.filename).name == "conftest.py":
        return f"{place} raised {_shown(error)}; run it without that file, or with --noconftest"
    return f"the plugin {plugin} raised {_shown(error)} ({place}); run it with -p no:{plugin}"


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")


def _plugin_at(file: str, config: pytest.Config) -> str | None:
    """Return the name of the plugin that a file belongs to; None for this plugin and for pytest's own."""
    for name, plugin in config.pluginmanager.list_name_plugin():
        module = plugin if isinstance(plugin, ModuleType) else sys.modules.get(type(plugin).__module__)
        known = getattr(module, "__file__", None)
        if module is None or known is None or module.__name__.partition(".")[0] in OUR_PARTS:
            continue
        if file == known or (Path(known).name == "__init__.py" and Path(file).is_relative_to(Path(known).parent)):
            return name
    return None
