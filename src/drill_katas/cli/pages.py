"""The web page of an incident: the record that it draws, and the replays that it shows beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import progress_bar, short, warn
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.catalog.arms import Arm
    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.html import Shown
    from drill_katas.evidence.records import IncidentRecord, Summary
    from drill_katas.practice.workspace import Workspace

BEFORE = "before"


def recorded_as(workspace: Workspace, kata: Kata, source: str | None, seed: int | None) -> IncidentRecord | None:
    """Return the incident on record, None without one. Raises `UserError` when it is another than the one asked for."""
    from drill_katas.evidence import store

    folder = store.folder_of(workspace, kata.name)
    if not folder.is_dir():
        return None
    recorded = store.read(folder, kata.name)
    _expect_recorded(recorded.summary, source, seed)
    warn(_outdated(workspace, kata, recorded.summary))
    return recorded


def draw(workspace: Workspace, kata: Kata, compare: tuple[str, ...], file: Path) -> None:
    """Write the page of the incident on record, beside others when it is to be compared."""
    from drill_katas.evidence import store
    from drill_katas.evidence.html import to_html
    from drill_katas.files import write_file

    recorded = store.read(store.folder_of(workspace, kata.name), kata.name)
    write_file(file, to_html(kata, list(_shown(workspace, kata, recorded, compare))).encode())
    click.echo(f"{file}: open it in a browser", err=True)


def _expect_recorded(told: Summary, source: str | None, seed: int | None) -> None:
    """Raise `UserError` when another replay is asked for than the one on record, which a page never replaces."""
    options = [f"--from {source}"] if source not in {None, told.source} else []
    options += [f"--seed {seed}"] if seed not in {None, told.seed} else []
    if options:
        raise UserError(
            f"--html draws the incident on record, which is of {_label(told)} with seed {told.seed}; "
            f"`kata incident {told.kata} {' '.join(options)}` records that one in its place"
        )


def _outdated(workspace: Workspace, kata: Kata, told: Summary) -> Iterator[str]:
    """Say how the record differs from the learner's present code."""
    from drill_katas.catalog.arms import WORKSPACE, workspace_arm
    from drill_katas.evidence.replay import code_of

    variant = workspace.progress_of(kata).variant
    again = f"`kata incident {kata.name}` replays it"
    if told.variant != variant:
        yield f"the page shows the variant {told.variant}, which is on record; yours is {variant} now: {again}"
    elif told.source == WORKSPACE and told.code != code_of(workspace_arm(kata)):
        yield f"the page shows the code on record; yours has changed since: {again}"


def _shown(workspace: Workspace, kata: Kata, recorded: IncidentRecord, compare: tuple[str, ...]) -> Iterator[Shown]:
    from drill_katas.catalog.arms import WORKSPACE, arm_from
    from drill_katas.evidence.html import Shown

    told = recorded.summary
    if not compare and told.source == WORKSPACE and workspace.progress_of(kata).state == "solved":
        yield Shown(BEFORE, "the broken files, as the kata gives them", _broken(workspace, kata, told))
    files = short(kata.folder, workspace)
    yield Shown(_label(told), f"the files in {files}" if told.source == WORKSPACE else _about(told.source), recorded)
    names = [Path(each).name for each in compare]
    for each, name in zip(compare, names, strict=True):
        label = name if name and names.count(name) == 1 else each
        yield Shown(label, _about(each), _beside(workspace, kata, label, arm_from(kata, each, "--compare"), told))


def _label(told: Summary) -> str:
    from drill_katas.catalog.arms import WORKSPACE

    return "your code" if told.source == WORKSPACE else Path(told.source).name or told.source


def _about(source: str) -> str:
    from drill_katas.catalog.arms import SOLUTIONS

    return "the kata's solution" if source == SOLUTIONS else f"the files in {source}"


def _broken(workspace: Workspace, kata: Kata, told: Summary) -> IncidentRecord:
    from drill_katas.catalog.arms import Arm
    from drill_katas.files import run_folder
    from drill_katas.practice.workspace import broken_files

    with run_folder() as folder:
        files = {name: folder / name for name in kata.manifest.editable}
        for name, content in broken_files(kata, told.variant).items():
            files[name].parent.mkdir(parents=True, exist_ok=True)
            files[name].write_bytes(content)
        return _beside(workspace, kata, BEFORE, Arm(BEFORE, files), told)


def _beside(workspace: Workspace, kata: Kata, label: str, arm: Arm, told: Summary) -> IncidentRecord:
    """Return the same night with other files: from its record, or replayed and kept; a late replay is made again."""
    from drill_katas.evidence import store
    from drill_katas.evidence.records import Basis
    from drill_katas.evidence.replay import Replay, code_of, replay, story_of

    basis = Basis(code_of(arm), told.variant, told.seed)
    folder = store.folder_beside(workspace, kata.name, basis)
    found = store.summary_of(folder)
    if found and found.basis == basis and found.late is None:
        return store.read(folder, kata.name)
    played = replay(Replay(kata, arm, told.variant, told.seed), progress_bar(f"{kata.name}, {label}"))
    with story_of(kata) as story:
        store.write(folder, played, story.INCIDENT.rules)
    return store.read(folder, kata.name)
