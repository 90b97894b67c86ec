"""The settings of a kata run, built once from pytest's options and ini file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drill_katas.catalog.katas import GUARDRAIL, Kata, Library, find, packs, shipped
from drill_katas.errors import UserError
from drill_katas.practice.selection import select
from drill_katas.practice.workspace import Workspace, find_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Settings:
    """The settings of one kata run.

    `source` is None for the learner's own files. `guardrail` is the file with the tests to run in place of the checks.
    """

    workspace: Workspace
    katas: tuple[Kata, ...]
    targets: tuple[str, ...]
    source: str | None
    seed: int
    all_stages: bool
    inline: bool
    report: Path | None
    guardrail: Path | None = None

    def kata_at(self, path: Path) -> Kata | None:
        """Return the kata that a test file belongs to."""
        if path == self.guardrail:
            return self.katas[0]
        return next((kata for kata in self.katas if path.is_relative_to(kata.folder)), None)


def read_settings(config: pytest.Config) -> Settings:
    """Build the settings. Raises `UserError` for invalid options."""
    option = config.option
    workspace = find_workspace(config.invocation_params.dir)
    events = workspace.journal.read().events
    if option.kata is None:
        katas, targets = _named_by_paths(config)
    else:
        katas = select(option.kata, libraries(config, workspace), events)
        targets = _targets(config, katas)
    guardrail = _guardrail(config, katas)
    if guardrail is not None:
        targets = [each for each in targets if "::" in each] or [_argument(config, guardrail)]
    return Settings(
        workspace=workspace,
        katas=tuple(katas),
        targets=tuple(targets),
        source=option.kata_from,
        seed=option.kata_seed,
        all_stages=option.kata_all_stages,
        inline=option.kata_inline,
        report=Path(option.kata_report).absolute() if option.kata_report else None,
        guardrail=guardrail,
    )


def libraries(config: pytest.Config, workspace: Workspace) -> list[Library]:
    """Return the libraries of a run: the workspace, the folders of options and ini file, installed packs.

    The katas in this package are included only with `--kata-from`, because a learner needs files to edit. Raises
    `UserError` for a missing folder.
    """
    folders = [config.invocation_params.dir / folder for folder in config.option.kata_path]
    for folder, given in zip(folders, config.option.kata_path, strict=True):
        if not folder.is_dir():
            raise UserError(f"--kata-path {given}: there is no such folder")
    found = [workspace.library, *map(Library, [*folders, *config.getini("kata_paths")]), *packs()]
    return [*found, shipped()] if config.option.kata_from else found


def _named_by_paths(config: pytest.Config) -> tuple[list[Kata], list[str]]:
    """Return the katas that contain the given paths; a folder of katas means all of its katas."""
    katas: dict[str, Kata] = {}
    targets: list[str] = []
    for argument in config.args:
        path, _, test = argument.partition("::")
        named = _katas_at((config.invocation_params.dir / path).resolve(), argument)
        katas |= {kata.name: kata for kata in named}
        targets += [f"{_argument(config, kata.tests)}::{test}" if test else _target(config, kata) for kata in named]
    return list(katas.values()), targets


def _target(config: pytest.Config, kata: Kata) -> str:
    """Return the argument that makes pytest collect a kata: its test file, or its folder outside of the rootdir.

    Outside of the rootdir, files of two katas would get the same test id, such as `::test_go`.
    """
    return _argument(config, kata.tests if kata.tests.is_relative_to(config.rootpath) else kata.folder)


def _argument(config: pytest.Config, path: Path) -> str:
    """Return a path as an argument of pytest; relative if it contains `[`, which pytest takes for test parameters."""
    given = os.path.relpath(path, config.invocation_params.dir) if "[" in str(path) else str(path)
    if "[" in given:
        raise UserError(f"pytest cannot collect from a path with a `[`; go to {path.parent} and run it again there")
    return given


def _katas_at(place: Path, argument: str) -> list[Kata]:
    for folder in (place, *place.parents):
        if (folder / "kata.toml").is_file():
            return [Library(folder.parent).get(folder.name)]
    if place.name == "katas":
        return list(Library(place)) or [find("", [Library(place)])]
    if place.parent.name == "katas":
        return [find(place.name, [Library(place.parent)])]
    raise UserError(f"{argument} is not a kata; name katas alone, or run the other tests without them")


def _guardrail(config: pytest.Config, katas: Sequence[Kata]) -> Path | None:
    """Return the file with the tests to run in place of the checks; None for the checks.

    It is the file of `--kata-guardrail`, or a kata's `guardrail.py` that the command line names.
    """
    option = config.option.kata_guardrail
    paths = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    named = [path for path in dict.fromkeys(paths) if path.name == GUARDRAIL]
    if option is None and not named:
        return None
    if len(katas) != 1 or len(named) > 1 or (named and len(set(paths)) > 1) or (option and named):
        raise UserError("a guardrail runs alone; name one kata, and nothing else to run")
    file = (config.invocation_params.dir / option).resolve() if option else named[0]
    if not file.is_file():
        raise UserError(f"there is no {file}; `kata guardrail {katas[0].name}` writes a first guardrail")
    return file


def _targets(config: pytest.Config, katas: list[Kata]) -> list[str]:
    """Return the arguments for pytest: the katas' test files, or the tests in them that the command line names."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return [_target(config, kata) for kata in katas]
    for argument in config.args:
        path = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
        if not any(path.is_relative_to(kata.folder) for kata in katas):
            names = ", ".join(kata.name for kata in katas)
            raise UserError(f"{argument} is not part of {names}; give --kata or a path, not both")
    return list(config.args)
