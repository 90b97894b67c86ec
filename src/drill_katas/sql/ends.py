"""How a SQL server ends, by its exit status."""

from __future__ import annotations

import enum


class End(enum.IntEnum):
    """Why a server has ended itself."""

    OVER = 0  # the judge has hung up
    TIME = 71
    MEMORY = 72
    KEPT = 73
    WAIT = 74
    FAULT = 75  # of ours
