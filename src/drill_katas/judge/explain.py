"""What went wrong with a SUT, in a sentence: from what was seen to the exception that ends the check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drill_katas.failures import Broken, CheckEnded, Crash, Hang, Killed, LimitExceeded, NotJudged, SutError
from drill_katas.judge.encodings import foreign
from drill_katas.judge.stacks import as_lines, describe_frames, place_in, place_of
from drill_katas.machine.cpu_time import TENTH
from drill_katas.sandbox.limits import DESCRIPTORS

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.check_context import CheckContext
    from drill_katas.judge.exit import Exit
    from drill_katas.judge.program import Program
    from drill_katas.machine.cpu_time import Wait
    from drill_katas.sut.protocol import Problem

BROKEN: Final = {
    "import": "{files} cannot be imported: {what}{own}",
    "elsewhere": "{message} instead of {files}; find what loads it: the fix itself, a .pth file, sitecustomize.py "
    "or another package",
    "missing": "{message} in {files}; the contract in BRIEFING.md asks for it",
    "signature": "{message}; the contract in BRIEFING.md calls it with other arguments",
    "unplain": "{message}; the contract asks for plain data: str, int, bool, None, list, dict",
}
"""What a module that does not keep the contract is told, by the kind of the SUT's answer."""
OWN: Final = "; a fix lies in {files}, and no other module of yours is there"
NOISE: Final = re.compile(r"\(Background on this error at: \S+\)")  # SQLAlchemy's, at the end of every message
MAX_TEXT: Final = 1_100  # characters of what a SUT says of an error; more than `sut/host.py` sends


def hang(call: str, wait: Wait, trial: CheckContext, dump: str) -> CheckEnded:
    """Explain that no answer came within the wait, or the check's budget; `dump` is where the program was then."""
    if wait.own_seconds() < wait.seconds and trial.too_long_on_the_wall():
        return NotJudged(trial.busy())
    in_time = wait.own_seconds() >= wait.seconds
    what = f"no answer within {wait.seconds:g} s" if in_time else f"the check did not end within its {trial.budget:g} s"
    waited = trial.meter.waited
    own = f" of work, and {waited:.1f} s more that it waited for a processor" if wait.share() > TENTH else ""
    return Hang(f"{call}: {what}{own}", as_lines(dump, trial.program), place_in(dump, trial.program))


def death(call: str, exit_: Exit, limits: Limits) -> BaseException:
    """Explain that the SUT ended, by itself or because the judge ended it."""
    match exit_.why:
        case "asked":
            return Killed(f"{call}: the program was killed")
        case "memory":
            return LimitExceeded(f"{call}: the program used more than its {limits.memory_mib} MiB of memory")
        case "processes" | "descriptors":
            processes = f"started more than its {limits.processes} processes"
            what = processes if exit_.why == "processes" else f"had more than {DESCRIPTORS:,} files and sockets open"
            return LimitExceeded(f"{call}: the program {what}")
        case "output":
            return LimitExceeded(f"{call}: the program printed without end")
        case "frame":
            return Broken(f"{call}: the answer is larger than 1 MB, or no answer of the contract's at all")
        case why:
            ended = "closed its connection, and was killed" if why == "hung up" else str(exit_)
            return Crash(f"{call}: the program {ended}")


def unplain(call: str, problem: str) -> Broken:
    """Explain that an answer is no plain data, though the SUT's host has let it through."""
    return Broken(BROKEN["unplain"].format(message=f"{call} returned {problem}"))


def raised(error: Problem) -> str:
    """Return the type and message of an exception in the SUT."""
    message = NOISE.sub("", error.message[:MAX_TEXT]).rstrip()
    return ": ".join(filter(None, (error.type[:MAX_TEXT], message)))


def refusal(call: str, error: Problem, program: Program, limits: Limits) -> BaseException:
    """Explain that the call could not be served, or that the learner's code raised."""
    seen = describe_frames(error.frames, program), place_of(error.frames, program)
    message, what = error.message[:MAX_TEXT], raised(error)
    for copy, original in program.shown.items():
        message, what = message.replace(copy, original), what.replace(copy, original)
    files = program.editable_names()
    match error.kind:
        case "raised":
            return SutError(call, what, *seen)
        case "memory":
            return LimitExceeded(f"{call}: the program asked for more than its {limits.memory_mib} MiB", *seen)
        case "processes":
            return LimitExceeded(f"{call}: the program started more processes or threads than it may have", *seen)
        case "exit":
            return Crash(f"{call}: the program called {message}", *seen)
        case "import" if utf16 := foreign(program):
            return Broken(utf16)
        case broken:
            own = OWN.format(files=files) if f"No module named '{program.package}." in message else ""
            return Broken(BROKEN[broken].format(what=what, message=message, files=files, own=own), *seen)
