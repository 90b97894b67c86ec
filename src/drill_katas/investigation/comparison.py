"""The page of an incident: the recorded incident beside replays of the same night with other files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drill_katas.catalog.arms import SOLUTIONS, WORKSPACE, Arm, SourceFile, arm_from
from drill_katas.errors import UserError
from drill_katas.evidence import store
from drill_katas.evidence.html import Shown, to_html
from drill_katas.evidence.records import Basis
from drill_katas.evidence.replay import Replay, code_of, replay, story_of
from drill_katas.files import write_file
from drill_katas.practice.workspace import broken_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.evidence.records import IncidentRecord, Summary
    from drill_katas.investigation.case import Case

BEFORE = "before"


def recorded_as(case: Case, source: str | None, seed: int | None) -> IncidentRecord | None:
    """Return the recorded incident, None without one. Raises `UserError` if `source` or `seed` differs from it.

    A difference from the learner's current code is added to the notices of the case.
    """
    if not case.folder.is_dir():
        return None
    recorded = case.incident()
    _expect_recorded(recorded.summary, source, seed)
    case.note_changes(recorded.summary)
    return recorded


def draw(case: Case, compare: tuple[str, ...], file: Path) -> None:
    """Write the page of the recorded incident, beside the replays of the files in `compare`."""
    write_file(file, to_html(case.kata, list(_shown(case, case.incident(), compare))).encode())


def _expect_recorded(recorded: Summary, source: str | None, seed: int | None) -> None:
    """Raise `UserError` if the options differ from the recorded incident, because a page never replaces it."""
    options = [f"--from {source}"] if source not in {None, recorded.source} else []
    options += [f"--seed {seed}"] if seed not in {None, recorded.seed} else []
    if options:
        raise UserError(
            f"--html draws the recorded incident, and that is a replay of {_label(recorded)} with seed "
            f"{recorded.seed}; to replace it, run `kata incident {recorded.kata} {' '.join(options)}`"
        )


def _shown(case: Case, incident: IncidentRecord, compare: tuple[str, ...]) -> Iterator[Shown]:
    recorded = incident.summary
    kata, workspace = case.kata, case.workspace
    if not compare and recorded.source == WORKSPACE and workspace.progress_of(kata).state == "solved":
        yield Shown(BEFORE, "the broken files of the kata", _broken(case, recorded))
    files = kata.folder.relative_to(workspace.root) if kata.folder.is_relative_to(workspace.root) else kata.folder
    about = f"the files in {files}" if recorded.source == WORKSPACE else _about(recorded.source)
    yield Shown(_label(recorded), about, incident)
    names = [Path(each).name for each in compare]
    for each, name in zip(compare, names, strict=True):
        label = name if name and names.count(name) == 1 else each
        yield Shown(label, _about(each), _beside(case, label, arm_from(kata, each, "--compare"), recorded))


def _label(recorded: Summary) -> str:
    return "your code" if recorded.source == WORKSPACE else Path(recorded.source).name or recorded.source


def _about(source: str) -> str:
    return "the kata's solution" if source == SOLUTIONS else f"the files in {source}"


def _broken(case: Case, recorded: Summary) -> IncidentRecord:
    broken = broken_files(case.kata, recorded.variant)
    files = {name: SourceFile(content, case.kata.folder / name) for name, content in broken.items()}
    return _beside(case, BEFORE, Arm(BEFORE, files), recorded)


def _beside(case: Case, label: str, arm: Arm, recorded: Summary) -> IncidentRecord:
    """Return the same night with other files: from a record, or replayed now. A late record is replayed again."""
    kata = case.kata
    basis = Basis(code_of(arm), recorded.variant, recorded.seed)
    folder = store.folder_beside(case.workspace, kata.name, basis)
    found = store.summary_of(folder)
    if found and found.basis == basis and found.late is None:
        return store.read(folder, kata.name)
    with case.progress(f"{kata.name}, {label}") as report_progress:
        played = replay(Replay(kata, arm, recorded.variant, recorded.seed), report_progress)
    with story_of(kata) as story:
        store.write(folder, played, story.INCIDENT.rules)
    return store.read(folder, kata.name)
