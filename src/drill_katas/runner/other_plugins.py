"""What other plugins and the interpreter's options do to a check, refused or set aside so that a verdict is earned."""

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
    """Raise `UserError` where checks could pass, or get lost, without having been judged."""
    if not __debug__:
        raise UserError(
            "python -O and PYTHONOPTIMIZE switch asserts off, and a check without asserts proves nothing; nothing was "
            "judged; run pytest without them"
        )
    for name, option in FORKING.items():
        if getattr(config.option, name, False):
            raise UserError(
                f"{option} runs each check in a fork, where its result gets lost; nothing was judged; leave it out "
                f"(your code has a process of its own in any case)"
            )


def rewrite_helpers(config: pytest.Config, katas: Iterable[Kata]) -> None:
    """Have pytest rewrite the asserts of modules that a kata's checks import, as it does those of the checks."""
    names = [
        module_name_from_path(file, config.rootpath) for kata in katas for file in sorted(kata.folder.glob(HELPERS))
    ]
    pytest.register_assert_rewrite(*names)


def use_our_sut(item: pytest.Item) -> None:
    """Give a check the `sut` of this plugin, also where a conftest.py above the katas has a fixture of that name."""
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined] # noqa: SLF001 - there is no other way
    ours = [each for each in definitions.get("sut", ()) if each.func.__module__ == fixtures.__name__]
    if ours:
        definitions["sut"] = ours


def keep_others_out(item: pytest.Item) -> None:
    """Exempt a check from pytest-socket, for the judge needs sockets, and from pytest-rerunfailures."""
    plugins = item.config.pluginmanager
    if plugins.hasplugin("socket"):
        item.add_marker("enable_socket")
    if plugins.hasplugin("rerunfailures"):
        item.add_marker(pytest.mark.flaky(reruns=0))
