"""Stacks of the SUT for people: the learner's own frames, under the learner's own file names."""

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
MOST_LINES: Final = 1_000_000  # of a file; what says more is none of Python's
_OURS: Final = ("/drill_katas/sut/", "/drill_katas/judge/")


def as_lines(dump: str, program: Program) -> tuple[str, ...]:
    """Turn a faulthandler dump into lines, thread by thread, innermost frame first, without our own frames."""
    threads: list[list[str]] = []
    for line in dump.splitlines():
        if _THREAD.match(line):
            threads.append([])
        elif threads and (frame := _FRAME.match(line)) and not _is_ours(frame["file"]):
            threads[-1].append(f"  {shown_path(frame['file'], program)}:{frame['line']} in {frame['function']}")
    busy = [frames for frames in threads if frames and not _is_idle(frames, program)]
    return tuple(line for number, frames in enumerate(busy, 1) for line in (f"thread {number}:", *frames[:8]))


def _is_idle(frames: Sequence[str], program: Program) -> bool:
    """Whether a thread waits for work: an event loop, whose tasks are told apart, an executor's, or the judge's."""
    waits = _IDLE.search(frames[0])
    return bool(waits) and not any(shown_path(path, program) in frame for frame in frames for path in program.shown)


def tasks_as_lines(tasks: Sequence[Sequence[Sequence[Any]]], program: Program) -> tuple[str, ...]:
    """Turn the stacks of tasks into lines, alike ones together, each with the learner's own frames, outermost first."""
    alike = Counter(described for frames in tasks if (described := describe_frames(frames, program)))
    return tuple(
        line
        for frames, number in alike.most_common()
        for line in (f"{number} task{'s wait' if number > 1 else ' waits'}:", *(f"  {frame}" for frame in frames))
    )


def describe_frames(frames: Sequence[Sequence[Any]], program: Program) -> tuple[str, ...]:
    """Return the frames of an exception that lie in the kata's own files, outermost first."""
    return tuple(_describe(frames, program))


def place_of(frames: Sequence[Sequence[Any]], program: Program) -> Place | None:
    """Return where the innermost frame is that lies in an editable file. The SUT may have made it up."""
    places = [_place(file, line, program) for file, line, *_ in frames if type(line) is int]
    return next(filter(None, reversed(places)), None)


def place_in(dump: str, program: Program) -> Place | None:
    """Return where the first frame of a faulthandler dump is that lies in an editable file."""
    frames = filter(None, map(_FRAME.match, dump.splitlines()))
    return next(filter(None, (_place(frame["file"], int(frame["line"]), program) for frame in frames)), None)


def _place(file: Any, line: int, program: Program) -> Place | None:
    home = f"{program.overlay / program.package}/"
    if not isinstance(file, str) or not program.edits(file) or not 0 < line < MOST_LINES:
        return None
    return file.removeprefix(home), line


def _describe(frames: Sequence[Sequence[Any]], program: Program) -> Iterator[str]:
    for file, line, function, source in frames:
        if program.owns(file):
            yield f"{shown_path(file, program)}:{line} in {function}: {source.strip()}"


def shown_path(file: str, program: Program) -> str:
    """Return the path a person knows a file by: the learner's own, from where they stand, or a library's within it."""
    path = Path(program.shown[file] if file in program.shown else _LIBRARY.sub("", file))
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _is_ours(file: str) -> bool:
    return any(part in file for part in _OURS) or file.startswith("<frozen")
