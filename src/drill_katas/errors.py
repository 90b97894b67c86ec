"""Errors of the user, which are shown as one sentence without a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UserError(Exception):
    """An error that only the user can fix. The message says what happened, what was expected and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x' or 'y'?", or the list of known names if none is similar."""
    import difflib  # noqa: PLC0415 - only for a mistake

    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; known: {', '.join(known)}" if known else ""
