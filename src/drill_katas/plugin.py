"""The pytest hooks; they do nothing without `--kata` or an argument that is a kata's folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; `drill_katas.runner.settings` reads them."""
    group = parser.getgroup("kata", "katas of production failures (drill-katas)")
    add = group.addoption
    add("--kata", metavar="NAME", help="katas to run: a name, several with commas, all, level:N, next, or failed")
    add("--kata-from", metavar="DIR", help="folder of the files to judge, or `solutions`; default: yours")
    add("--kata-all-stages", action="store_true", help="continue after a stage that fails")
    add("--kata-seed", type=int, default=0, metavar="N", help="seed of examples and order of checks; default: 0")
    add("--kata-report", metavar="FILE", help="file for the verdicts as JSON")
    add("--kata-list", action="store_true", help="list the katas and your state in each, and run nothing")
    add("--kata-inline", action="store_true", help="run your code in this process, for --pdb; such a run never counts")
    add("--kata-guardrail", metavar="FILE", help="tests to run in place of the kata's checks; such a run never counts")
    add("--kata-path", action="append", default=[], metavar="DIR", help="another folder with katas; repeatable")
    parser.addini("kata_paths", "folders with katas, besides katas/", type="paths", default=[])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Refuse pytest settings of an arm before pytest loads a conftest.py, because those would run in the judge."""
    options = early_config.known_args_namespace
    if options.kata_from or options.kata_path or options.kata_report:
        from drill_katas.runner.rootdir import refuse_settings_of_an_arm  # noqa: PLC0415 - an idle session must not pay for it

        refuse_settings_of_an_arm(early_config)
    return (yield)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """List the katas in place of a session with `--kata-list`."""
    if not config.option.kata_list:
        return None
    from drill_katas.runner.session import list_katas  # noqa: PLC0415 - an idle session must not pay for it

    return list_katas(config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin object of a kata session if a kata is named."""
    config.addinivalue_line("markers", "stage(name): the stage of a kata's check: symptom, cause, regression, ...")
    config.addinivalue_line("markers", "rule(id, ...): the rules in SPEC.md that a test of a guardrail enforces")
    if config.option.kata is not None or any(map(_is_kata, config.args)):
        from drill_katas.runner.session import begin  # noqa: PLC0415 - an idle session must not pay for it

        begin(config)


def _is_kata(argument: str) -> bool:
    """Return whether an argument is a kata's folder, a file or test id in one, or a folder of katas."""
    path = argument.partition("::")[0]
    folder = path if os.path.isdir(path) else os.path.dirname(path)  # noqa: PTH112, PTH120 - pathlib is 20 times slower
    if os.path.isfile(os.path.join(folder, "kata.toml")):  # noqa: PTH113, PTH118
        return True
    if os.path.basename(folder.rstrip("/")) != "katas":  # noqa: PTH119
        return False
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return False
    # any folder can have the name `katas`, so look for a manifest
    return any(os.path.isfile(os.path.join(folder, name, "kata.toml")) for name in names)  # noqa: PTH113, PTH118
