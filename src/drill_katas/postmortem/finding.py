"""A finding of the check of a post-mortem."""

from __future__ import annotations

from typing import Literal

import msgspec

Rule = Literal["file", "figures", "ids", "timeline", "alerts", "factors", "whys", "words", "actions"]


class Finding(msgspec.Struct, frozen=True, order=True):
    """One problem: its line (0 for the whole file), the rule, what is wrong, and what to write instead."""

    line: int
    rule: Rule
    message: str
