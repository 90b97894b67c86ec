"""The messages between the judge and its zygote."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from drill_katas.sandbox.tier import Tier  # noqa: TC001 - msgspec reads the annotations

Why = Literal["asked", "output", "processes", "memory", "descriptors", "replaced", "frame", "hung up"]
"""Why a SUT was ended: it printed, started, used or sent too much, or the judge asked for its end."""


class Preload(msgspec.Struct, frozen=True, tag_field="op", tag="preload"):
    """Import these modules now, so that every SUT has them already."""

    modules: list[str]


class Spawn(msgspec.Struct, frozen=True, tag_field="op", tag="spawn"):
    """Fork a SUT; answered by `Spawned`, or by `Unavailable` when the tier cannot be had here.

    With it come file descriptors: the call socket, the output pipe, the stacks pipe and, at the tier reduced, a socket
    of the dialer. The SUT reads the files in the folder `overlay`, finds the judge in the folder `sockets`, and must
    not see the paths in `hidden`.
    """

    package: str
    modules: list[str]
    overlay: str
    sockets: str
    memory_mib: int
    processes: int
    tier: Tier
    hidden: list[str]


class Kill(msgspec.Struct, frozen=True, tag_field="op", tag="kill"):
    """End that SUT and all that it started."""

    pid: int
    why: Why


class Rest(msgspec.Struct, frozen=True, tag_field="op", tag="rest"):
    """End any SUT; answered by `Rested` with the same mark."""

    mark: str


ZygoteRequest: TypeAlias = Preload | Spawn | Kill | Rest
REQUESTS: Final = msgspec.json.Decoder(ZygoteRequest)


class Spawned(msgspec.Struct, frozen=True, tag_field="event", tag="spawned"):
    """A SUT was forked."""

    pid: int


class Unavailable(msgspec.Struct, frozen=True, tag_field="event", tag="unavailable"):
    """No SUT was forked, because the tier cannot be had here."""

    why: str


class Exited(msgspec.Struct, frozen=True, tag_field="event", tag="exited"):
    """A SUT has ended with this wait status; once for every SUT. `why` is None if it ended by itself."""

    pid: int
    status: int
    why: Why | None


class Rested(msgspec.Struct, frozen=True, tag_field="event", tag="rested"):
    """No SUT is left."""

    mark: str


ZygoteEvent: TypeAlias = Spawned | Unavailable | Exited | Rested
EVENTS: Final = msgspec.json.Decoder(ZygoteEvent)
