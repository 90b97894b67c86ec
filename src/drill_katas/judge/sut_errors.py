"""The exceptions for failures of the SUT, with their messages for the learner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drill_katas.failures import (
    Broken,
    CheckEnded,
    Crash,
    Hang,
    KataMistake,
    Killed,
    LimitExceeded,
    NotJudged,
    SutError,
)
from drill_katas.judge.encodings import wrong_encoding
from drill_katas.judge.stacks import as_lines, describe_frames, place_in, place_of
from drill_katas.machine.cpu_time import BUSY_SHARE
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
    "elsewhere": "{message} instead of {files}; find what loads it: the fix itself, a .pth file, sitecustomize.py, "
    "or another package",
    "missing": "{message} in {files}; the contract in BRIEFING.md asks for it",
    "signature": "{message}; the contract in BRIEFING.md calls it with other arguments",
    "unplain": "{message}; the contract asks for plain data: str, int, bool, None, list, dict",
}
"""Messages for a module that breaks the contract, by the kind of the SUT's error."""
OWN: Final = "; the fix must be in {files}, because no other module of yours is loaded"
NOISE: Final = re.compile(r"\(Background on this error at: \S+\)")  # SQLAlchemy ends every message with it
MAX_TEXT: Final = 1_100  # characters of an error message from the SUT; more than `sut/host.py` sends


def no_answer(call: str, wait: Wait, check: CheckContext, dump: str) -> CheckEnded:
    """Return the exception for a call without an answer; `dump` shows the stacks of the program at that time."""
    call_timed_out = wait.adjusted_seconds() >= wait.seconds
    if not call_timed_out and check.exceeds_wall_limit():
        return NotJudged(check.busy_message())
    if call_timed_out:
        what = f"no answer within {wait.seconds:g} s"
    else:
        what = f"the check did not end within its {check.budget:g} s"
    if wait.delay_share() > BUSY_SHARE:
        what += f" (not counted: {check.meter.run_delay:.1f} s of waiting for a processor)"
    return Hang(f"{call}: {what}", as_lines(dump, check.program), place_in(dump, check.program))


def exited(call: str, exit_: Exit, limits: Limits) -> BaseException:
    """Return the exception for a SUT that exited, or that the judge killed."""
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
            return Broken(f"{call}: the answer is larger than 1 MB, or is not an answer in the judge's format")
        case why:
            ended = "closed its connection to the judge, which killed it" if why == "hung up" else str(exit_)
            return Crash(f"{call}: the program {ended}")


def unplain(call: str, problem: str) -> Broken:
    """Return the exception for an answer that is not plain data, although the SUT's host let it through."""
    return Broken(BROKEN["unplain"].format(message=f"{call} returned {problem}"))


def raised_text(error: Problem) -> str:
    """Return the type and message of an exception in the SUT."""
    message = NOISE.sub("", error.message[:MAX_TEXT]).rstrip()
    return ": ".join(filter(None, (error.type[:MAX_TEXT], message)))


def error_reply(  # noqa: PLR0911 - one return for each kind
    call: str, error: Problem, program: Program, limits: Limits
) -> BaseException:
    """Return the exception for a call that the SUT answered with an error."""
    seen = describe_frames(error.frames, program), place_of(error.frames, program)
    message, what = error.message[:MAX_TEXT], raised_text(error)
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
        case "kata":
            return KataMistake(f"{call}: {what if error.type else message}")
        case "import" if message := wrong_encoding(program):
            return Broken(message)
        case broken:
            own = OWN.format(files=files) if f"No module named '{program.package}." in message else ""
            return Broken(BROKEN[broken].format(what=what, message=message, files=files, own=own), *seen)
