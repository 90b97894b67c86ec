"""Refuses pytest settings from a judged folder, because its ini file or conftest.py would run in the judge.

pytest chooses its rootdir before it knows the options of plugins. In `--kata-from DIR` it takes DIR for a test path and
the ini file in DIR for its own. It loads the plugins that this ini file names before this plugin, so the only safe
reaction is to judge nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from _pytest.config.findpaths import determine_setup

from drill_katas.catalog.arms import SOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAFE: Final = "write {option}={value}, with an equals sign"


def refuse_settings_of_an_arm(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` if this session would load an ini file or a conftest.py from a judged folder."""
    given = config.known_args_namespace
    named = list(_paths(config))
    _, inipath, *_ = determine_setup(
        inifile=given.inifilename,
        override_ini=given.override_ini,
        args=given.file_or_dir,
        rootdir_cmd_arg=given.rootdir,
        invocation_dir=config.invocation_params.dir,
    )
    if named and config.inipath not in {None, inipath}:
        option, value = next((each for each in named if _owns(config, each[1], config.inipath)), named[0])
        raise pytest.UsageError(
            f"nothing was judged: because of {option} {value}, pytest takes its settings from {config.inipath}; "
            + SAFE.format(option=option, value=value)
        )
    for path in given.kata_path:
        _refuse_conftests(config.invocation_params.dir / path, path)
    if given.kata_from not in {None, SOLUTIONS}:
        _refuse_own_folder(config, config.invocation_params.dir / given.kata_from)


def _refuse_own_folder(config: pytest.Config, folder: Path) -> None:
    """Refuse the settings in the folder of an arm, even if pytest was started in it."""
    conftests = [folder / "conftest.py"] if _reads_conftest_of(config, folder.resolve()) else []
    for file in filter(None, (config.inipath, *conftests)):
        if file.is_file() and file.resolve().parent == folder.resolve():
            raise pytest.UsageError(
                f"nothing was judged: pytest takes its settings from {file}, which is in the folder of --kata-from; "
                f"run pytest from another folder, or remove the file"
            )


def _refuse_conftests(library: Path, path: str) -> None:
    """Refuse a conftest.py in a folder of katas or in a kata, because pytest loads it with the checks."""
    for file in (library / "conftest.py", *sorted(library.glob("*/conftest.py"))):
        if file.is_file():
            raise pytest.UsageError(
                f"nothing was judged: {file}, in the folder of --kata-path={path}, would run in the judge; "
                f"remove the file"
            )


def _reads_conftest_of(config: pytest.Config, folder: Path) -> bool:
    """Return whether pytest loads a folder's conftest.py at its start.

    It does so for test paths, for the folders above them, and for their subfolders `test*`.
    """
    started = config.invocation_params.dir
    paths = (*config.known_args_namespace.file_or_dir, *config.getini("testpaths"))
    places = [started, *(started / path.partition("::")[0] for path in paths)]
    return any(
        place.is_relative_to(folder) or (folder.parent == place and folder.name.startswith("test"))
        for place in (each.resolve() for each in places)
    )


def _paths(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Yield each given option that takes a path, with the path."""
    given = config.known_args_namespace
    for option, value in (
        ("--kata-from", given.kata_from),
        *(("--kata-path", path) for path in given.kata_path),
        ("--kata-report", given.kata_report),
    ):
        if value is not None:
            yield option, value


def _owns(config: pytest.Config, value: str, inipath: Path | None) -> bool:
    """Return whether an ini file is beside or above a path, so that pytest may have found it through the path."""
    path = (config.invocation_params.dir / value).resolve()
    return inipath is not None and path.is_relative_to(inipath.parent.resolve())
