"""Finds the strongest sandbox tier of this machine: a SUT tries to escape at each tier."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.catalog.arms import open_to_all
from drill_katas.catalog.katas import Limits
from drill_katas.errors import UserError
from drill_katas.failures import CheckEnded
from drill_katas.files import run_folder
from drill_katas.grading import prober
from drill_katas.grading.copies import folders_to_hide, secrets_of
from drill_katas.judge.check_context import CheckContext
from drill_katas.judge.program import Program
from drill_katas.judge.session import SutSession
from drill_katas.judge.sut import Sut
from drill_katas.judge.zygote_client import AlternatingZygotes
from drill_katas.sandbox.tier import SandboxPolicy, SandboxUnavailable, Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Kata
    from drill_katas.grading.copies import Secrets

BUDGET: Final = 30.0  # seconds
LIMITS: Final = Limits(call_seconds=BUDGET)  # the search through all of Python's libraries takes seconds
ADVICE: Final = (
    "run it as root (sudo), or allow user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0 where "
    "AppArmor restricts them, or user.max_user_namespaces above 0"
)


def strongest_policy(katas: Sequence[Kata], wanted: Tier | None, *, unsafe: bool) -> SandboxPolicy:
    """Return the strongest sandbox policy that this machine supports.

    Raises `UserError` if its tier is weaker than `wanted`, or is `practice` without `unsafe`.
    """
    secrets = secrets_of(katas)
    hidden = {str(place) for kata in katas for place in (kata.folder.parent, kata.solutions.parent)}
    refusals = []
    for tier in reversed(Tier):
        refusal = None if tier is Tier.PRACTICE else _refusal(katas, tier, hidden, secrets)
        policy = SandboxPolicy(tier, tuple(sorted(hidden)))
        if refusal is None:
            break
        refusals.append(f"{tier}: {refusal}")
    if wanted is not None and not tier.at_least(wanted):
        raise UserError(f"--require-tier {wanted}: only {tier} is available here ({'; '.join(refusals)}); {ADVICE}")
    if tier is Tier.PRACTICE and not unsafe:
        raise UserError(
            f"no sandbox is available here ({'; '.join(refusals)}); {ADVICE}. If you trust the submissions: --unsafe"
        )
    return policy


def _refusal(katas: Sequence[Kata], tier: Tier, hidden: set[str], secrets: Secrets) -> str | None:
    """Return why this tier does not work here, or None if a SUT tried to escape and failed.

    Folders in which the SUT finds copies of checks or solutions are added to `hidden`, and the SUT tries again.
    """
    if sys.platform != "linux":
        return "it needs Linux"
    try:
        possible, copies = _possible(katas, SandboxPolicy(tier, tuple(sorted(hidden))), secrets)
        if copies:
            hidden |= folders_to_hide(copies)
            places = sorted({str(Path(copy).parent) for copy, _ in copies})
            possible, copies = _possible(katas, SandboxPolicy(tier, tuple(sorted(hidden))), secrets, places)
    except SandboxUnavailable as unavailable:
        return unavailable.why
    except CheckEnded as ended:
        return f"a sandboxed SUT did not work ({ended})"
    possible += [f"read {copy}, a copy of a file of {kata}" for copy, kata in copies[:1]]
    return f"a SUT could {' and '.join(possible)}" if possible else None


def _possible(
    katas: Sequence[Kata], policy: SandboxPolicy, secrets: Secrets, places: Sequence[str] | None = None
) -> tuple[list[str], list[tuple[str, str]]]:
    """Run the prober as a SUT; return the forbidden actions that worked, and the copies of secrets that it found.

    It searches `places` for copies; None means all folders that Python and the system use.
    """
    with run_folder() as folder, contextlib.ExitStack() as listening:
        port, abstract = _listen(folder, listening)
        package = folder / "overlay" / "probing"
        package.mkdir(parents=True)
        (package / "prober.py").write_bytes(Path(prober.__file__).read_bytes())
        (package / "known.json").write_bytes(msgspec.json.encode(secrets))
        open_to_all(package.parent)
        folder.chmod(0o755)  # file modes must not stop a SUT that has its own uid, because the tier is under test
        for name in ("secret", "target"):
            (folder / name).touch()
        for name in ("secret", "target", "door", "box"):
            (folder / name).chmod(0o666)
        hidden = [str(kata.tests) for kata in katas]
        zygotes = AlternatingZygotes([], policy)
        session = SutSession(zygotes, seed=0, place=folder)
        try:
            session.begin_check(CheckContext(Program("probing", ("prober",), package.parent, {}), LIMITS, BUDGET))
            prober_ = Sut(session).open("Prober", str(folder), hidden, port, abstract, os.getpid())
            found: list[str] = prober_.possible()
            prober_.write()
            copies = prober_.copies(places)
            wrote = ["write to a file"] if (folder / "target").stat().st_size else []
            return [*found, *wrote], [(copy, kata) for copy, kata in copies]
        finally:
            session.close()
            zygotes.close()


def _listen(folder: Path, listening: contextlib.ExitStack) -> tuple[int, str]:
    """Listen on two sockets in the folder, a port, and an abstract socket; return the port and the abstract name."""
    port = listening.enter_context(socket.create_server(("127.0.0.1", 0)))
    door, abstract, box = (
        listening.enter_context(socket.socket(socket.AF_UNIX, kind))
        for kind in (socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM)
    )
    door.bind(str(folder / "door"))
    box.bind(str(folder / "box"))
    abstract.bind("")  # Linux chooses a name
    door.listen()
    abstract.listen()
    return port.getsockname()[1], abstract.getsockname()[1:].decode()
