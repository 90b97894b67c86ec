"""The messages between the judge and its zygote."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from drill_katas.sandbox.tier import Tier  # noqa: TC001 - msgspec reads the annotations

Why = Literal["asked", "output", "processes", "memory", "descriptors", "replaced", "frame", "hung up"]
"""Why a SUT was killed. "asked": the judge requested it; "frame": its answer was not in the judge's format."""


class Preload(msgspec.Struct, frozen=True, tag_field="op", tag="preload"):
    """Import these modules in the zygote, so that no SUT has to."""

    modules: list[str]


class Spawn(msgspec.Struct, frozen=True, tag_field="op", tag="spawn"):
    """Fork a SUT. The answer is `Spawned`, or `Unavailable` if this machine does not support the tier.

    An `opaque` SUT does not show how it is written; see `sut/opacity.py`.

    File descriptors come with the request: the call socket, the output pipe, the stacks pipe and, above the tier
    practice, the dialer's socket. The SUT's files are in the folder `overlay`. The SUT must not see the paths in
    `hidden`.

    With an `entry`, the process is no SUT: it calls `serve(calls)` of that module, may also read the paths in
    `readable`, and gets further file descriptors after the dialer's.
    """

    package: str
    modules: list[str]
    overlay: str
    memory_mib: int
    processes: int
    tier: Tier
    hidden: list[str]
    opaque: bool = False
    entry: str = ""
    readable: list[str] = []


class Kill(msgspec.Struct, frozen=True, tag_field="op", tag="kill"):
    """Kill this SUT and every process that it started."""

    pid: int
    why: Why


class Rest(msgspec.Struct, frozen=True, tag_field="op", tag="rest"):
    """Kill any running SUT. The answer is `Rested` with the same mark."""

    mark: str


ZygoteRequest: TypeAlias = Preload | Spawn | Kill | Rest
REQUESTS: Final = msgspec.json.Decoder(ZygoteRequest)


class Spawned(msgspec.Struct, frozen=True, tag_field="event", tag="spawned"):
    """The zygote forked a SUT."""

    pid: int


class Unavailable(msgspec.Struct, frozen=True, tag_field="event", tag="unavailable"):
    """The zygote forked no SUT, because this machine does not support the tier."""

    why: str


class Exited(msgspec.Struct, frozen=True, tag_field="event", tag="exited"):
    """A SUT exited with this wait status; sent once per SUT. `why` is None if it was not killed on request."""

    pid: int
    status: int
    why: Why | None


class Rested(msgspec.Struct, frozen=True, tag_field="event", tag="rested"):
    """No SUT runs."""

    mark: str


ZygoteEvent: TypeAlias = Spawned | Unavailable | Exited | Rested
EVENTS: Final = msgspec.json.Decoder(ZygoteEvent)
