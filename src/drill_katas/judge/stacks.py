"""Stacks of the SUT for messages: only the learner's frames, with the learner's file names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.failures import Place
    from drill_katas.judge.program import Program

_THREAD: Final = re.compile(r"^(Current thread|Thread) 0x[0-9a-f]+.*$")
_FRAME: Final = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d{1,9}) in (?P<function>.+)$')
_IDLE: Final = re.compile(r"\b(selectors\.py:|futures/thread\.py:\d+ in _worker$)")
_LIBRARY: Final = re.compile(r"^.*/(python3\.\d+|[a-z]+-packages)/")
MAX_LINE_NUMBER: Final = 1_000_000  # a larger number does not come from Python
_OURS: Final = f"{Path(__file__).parents[1]}/"  # the folder of this package; the judged files are copies outside of it


def as_lines(dump: str, program: Program) -> tuple[str, ...]:
    """Turn a faulthandler dump into lines: the busy threads, innermost frame first, without frames of this package."""
    threads: list[list[str]] = []
    for line in dump.splitlines():
        if _THREAD.match(line):
            threads.append([])
        elif threads and (frame := _FRAME.match(line)) and not _is_ours(frame["file"]):
            threads[-1].append(f"  {shown_path(frame['file'], program)}:{frame['line']} in {frame['function']}")
    busy = [frames for frames in threads if frames and not _is_idle(frames, program)]
    return tuple(line for number, frames in enumerate(busy, 1) for line in (f"thread {number}:", *frames[:8]))


def _is_idle(frames: Sequence[str], program: Program) -> bool:
    """Return whether a thread waits for work in an event loop or an executor, outside of the learner's code."""
    waits = _IDLE.search(frames[0])
    return bool(waits) and not any(shown_path(path, program) in frame for frame in frames for path in program.shown)


def tasks_as_lines(tasks: Sequence[Sequence[Sequence[Any]]], program: Program) -> tuple[str, ...]:
    """Turn the stacks of tasks into lines: equal stacks grouped, only the learner's frames, outermost first."""
    alike = Counter(described for frames in tasks if (described := describe_frames(frames, program)))
    return tuple(
        line
        for frames, number in alike.most_common()
        for line in (f"{number} task{'s wait' if number > 1 else ' waits'}:", *(f"  {frame}" for frame in frames))
    )


def describe_frames(frames: Sequence[Sequence[Any]], program: Program) -> tuple[str, ...]:
    """Return the frames of an exception in the kata's files, outermost first."""
    return tuple(_describe(frames, program))


def place_of(frames: Sequence[Sequence[Any]], program: Program) -> Place | None:
    """Return the file and line of the innermost frame in an editable file. The SUT may have forged it."""
    places = [_place(file, line, program) for file, line, *_ in frames if type(line) is int]
    return next(filter(None, reversed(places)), None)


def place_in(dump: str, program: Program) -> Place | None:
    """Return the file and line of a faulthandler dump's first frame in an editable file."""
    frames = filter(None, map(_FRAME.match, dump.splitlines()))
    return next(filter(None, (_place(frame["file"], int(frame["line"]), program) for frame in frames)), None)


def _place(file: Any, line: int, program: Program) -> Place | None:
    home = f"{program.overlay / program.package}/"
    if not isinstance(file, str) or not program.edits(file) or not 0 < line < MAX_LINE_NUMBER:
        return None
    return file.removeprefix(home), line


def _describe(frames: Sequence[Sequence[Any]], program: Program) -> Iterator[str]:
    for file, line, function, source in frames:
        if program.owns(file):
            yield f"{shown_path(file, program)}:{line} in {function}: {source.strip()}"


def shown_path(file: str, program: Program) -> str:
    """Return the path of a file for a message: relative to the working folder, or to its library's folder."""
    path = Path(program.shown[file] if file in program.shown else _LIBRARY.sub("", file))
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _is_ours(file: str) -> bool:
    return file.startswith((_OURS, "<frozen"))
