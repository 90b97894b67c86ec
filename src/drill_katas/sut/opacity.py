"""Hides from a judge how a module is written, because hostile tests must test a version and not recognize its source.

| way to the source | in an opaque SUT |
| --- | --- |
| names with an underscore in front, such as `__loader__` or `_cache` | missing |
| names that the module imports, such as `Path` | missing |
| frames of exceptions and of waiting tasks | left out |
| tracebacks and warnings in the output and in log lines | without frames and source lines |
| the signature in the message about wrong arguments | left out |
"""

from __future__ import annotations

import linecache
import sys
from typing import Any


def show_no_source() -> None:
    """Leave frames out of all tracebacks of this process, and source lines out of its warnings, for good."""
    sys.tracebacklimit = 0
    linecache.updatecache = lambda *_: []


def is_public(name: str) -> bool:
    """Return whether a name has no underscore in front."""
    return not name.startswith("_")


def is_of_contract(name: str, value: Any, package: str) -> bool:
    """Return whether a module's name is public, and its value is from a module of the package."""
    return is_public(name) and str(getattr(value, "__module__", "")).startswith(f"{package}.")
