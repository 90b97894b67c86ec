"""The pytest hooks. Without `--kata`, and without a kata's folder among the arguments, they do nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they are read in `drill_katas.runner.settings`."""
    group = parser.getgroup("kata", "katas of production failures (drill-katas)")
    add = group.addoption
    add("--kata", metavar="NAME", help="run a kata: a name, several with commas, all, level:N, next or failed")
    add("--kata-from", metavar="DIR", help="judge the files in DIR (or `solutions`) in place of your own")
    add("--kata-all-stages", action="store_true", help="go on after a stage that fails")
    add("--kata-seed", type=int, default=0, metavar="N", help="seed of the examples, and of the order of checks")
    add("--kata-report", metavar="FILE", help="write the verdicts to FILE as JSON")
    add("--kata-list", action="store_true", help="list the katas and how they stand, and run nothing")
    add("--kata-inline", action="store_true", help="run your code in this process, for --pdb; such a run never counts")
    add("--kata-path", action="append", default=[], metavar="DIR", help="find katas in DIR too; may be repeated")
    parser.addini("kata_paths", "folders to find katas in, besides katas/", type="paths", default=[])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Refuse pytest settings that come from an arm, ahead of any conftest.py: pytest loads these in a wrapper."""
    given = early_config.known_args_namespace
    if given.kata_from or given.kata_path or given.kata_report:
        from drill_katas.runner.rootdir import refuse_settings_of_an_arm  # noqa: PLC0415 - an idle session must not pay for it

        refuse_settings_of_an_arm(early_config)
    return (yield)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """List the katas in place of a session, if that is asked for."""
    if not config.option.kata_list:
        return None
    from drill_katas.runner.session import list_katas  # noqa: PLC0415 - an idle session must not pay for it

    return list_katas(config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the one object that does the work, if a kata is asked for."""
    config.addinivalue_line("markers", "stage(name): the stage of a kata's check: symptom, cause, regression, ...")
    if config.option.kata is not None or any(map(_is_kata, config.args)):
        from drill_katas.runner.session import begin  # noqa: PLC0415 - an idle session must not pay for it

        begin(config)


def _is_kata(argument: str) -> bool:
    """Whether a command line argument is a kata's folder, a file or test id in one, or a folder of katas."""
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
    # somebody's own folder may have that name, too
    return any(os.path.isfile(os.path.join(folder, name, "kata.toml")) for name in names)  # noqa: PTH113, PTH118
