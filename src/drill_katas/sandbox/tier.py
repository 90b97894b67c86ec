"""The sandbox tiers: how strongly a SUT is isolated, even if its code is hostile."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Tier(enum.StrEnum):
    """The sandbox tiers, from the weakest to the strongest.

    | tier | isolation |
    | --- | --- |
    | practice | a process with resource limits, and a uid of its own under root; stops accidents only |
    | reduced | Landlock and seccomp: no writing of files, no connections but to the judge, no signals to others |
    | strong | in addition namespaces of its own for processes, files, network and IPC |
    """

    PRACTICE = "practice"
    REDUCED = "reduced"
    STRONG = "strong"

    def at_least(self, wanted: Tier) -> bool:
        """Return whether this tier is as strong as `wanted` or stronger."""
        order = list(Tier)
        return order.index(self) >= order.index(wanted)


class SandboxUnavailable(Exception):
    """This machine does not support the requested tier; `why` is the error."""

    def __init__(self, tier: Tier, why: str) -> None:
        super().__init__(f"the sandbox tier {tier} is not available on this machine: {why}")
        self.why = why


@dataclass(frozen=True)
class SandboxPolicy:
    """The sandbox of SUTs. `hidden` lists folders that no SUT may read: checks and solutions.

    With `opaque`, the judge of a SUT does not see how it is written; see `sut/opacity.py`.
    """

    tier: Tier = Tier.PRACTICE
    hidden: tuple[str, ...] = ()
    opaque: bool = False


PRACTICE: Final = SandboxPolicy()
