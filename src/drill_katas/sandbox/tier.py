"""How well a SUT is held: what its code cannot do, even if it is written to."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Tier(enum.StrEnum):
    """From the weakest to the strongest.

    - practice: a process of its own with limits, and for root a uid of its own. It holds accidents.
    - reduced: it may read Python's files and its own, write no file, make no connection but to the judge, and signal
      nobody (Landlock and seccomp; no user namespaces are needed). Process ids are the host's.
    - strong: namespaces of its own for processes, files, network and IPC, on top: nothing else is there at all.
    """

    PRACTICE = "practice"
    REDUCED = "reduced"
    STRONG = "strong"

    def holds(self, wanted: Tier) -> bool:
        """Whether this is as strong as `wanted`, or stronger."""
        order = list(Tier)
        return order.index(self) >= order.index(wanted)


class SandboxUnavailable(Exception):
    """A SUT cannot be held as was asked for: `why` says what this machine has refused."""

    def __init__(self, tier: Tier, why: str) -> None:
        super().__init__(f"a SUT cannot be held at the tier {tier} here: {why}")
        self.why = why


@dataclass(frozen=True)
class SandboxPolicy:
    """How to hold SUTs. `hidden` are folders that none may look into, wherever they lie: checks and solutions."""

    tier: Tier = Tier.PRACTICE
    hidden: tuple[str, ...] = ()


PRACTICE: Final = SandboxPolicy()
