"""The exit statuses of a SQL server."""

from __future__ import annotations

import enum


class End(enum.IntEnum):
    """Why a server exited."""

    OVER = 0  # the judge closed the connection
    TIME = 71
    MEMORY = 72
    KEPT = 73
    WAIT = 74
    FAULT = 75  # a defect of the server
