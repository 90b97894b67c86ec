"""Refuses or disables other plugins and interpreter options that would change a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from _pytest.pathlib import module_name_from_path

from drill_katas.errors import UserError
from drill_katas.runner import fixtures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.catalog.katas import Kata

FORKING: Final = {"forked": "--forked", "boxed": "--boxed"}  # pytest-forked's
HELPERS: Final = "*.py"


def refuse_what_spoils_verdicts(config: pytest.Config) -> None:
    """Raise `UserError` if checks could pass without a judgment, or if their results could get lost."""
    if not __debug__:
        raise UserError(
            "nothing was judged: python -O and PYTHONOPTIMIZE switch asserts off, and a check without asserts proves "
            "nothing; run pytest without them"
        )
    for name, option in FORKING.items():
        if getattr(config.option, name, False):
            raise UserError(
                f"nothing was judged: {option} runs each check in a fork and loses its result; run pytest without it "
                f"(your code runs in a process of its own in any case)"
            )


def rewrite_helpers(config: pytest.Config, katas: Iterable[Kata]) -> None:
    """Make pytest rewrite asserts in the helper modules of a kata, as it does in the checks."""
    names = [
        module_name_from_path(file, config.rootpath) for kata in katas for file in sorted(kata.folder.glob(HELPERS))
    ]
    pytest.register_assert_rewrite(*names)


def use_our_sut(item: pytest.Item) -> None:
    """Make a check use this plugin's fixture `sut`, even if a conftest.py above the katas defines one."""
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined] # noqa: SLF001 - there is no other way
    ours = [each for each in definitions.get("sut", ()) if each.func.__module__ == fixtures.__name__]
    if ours:
        definitions["sut"] = ours


def keep_others_out(item: pytest.Item) -> None:
    """Exempt a check from pytest-socket, because the judge needs sockets, and from pytest-rerunfailures."""
    plugins = item.config.pluginmanager
    if plugins.hasplugin("socket"):
        item.add_marker("enable_socket")
    if plugins.hasplugin("rerunfailures"):
        item.add_marker(pytest.mark.flaky(reruns=0))
