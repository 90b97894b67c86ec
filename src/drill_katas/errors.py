"""Mistakes of the person at the keyboard, told in a sentence and never with a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UserError(Exception):
    """Something only the user can mend; the message says what happened, what was expected and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x' or 'y'?", or the list of what is known when nothing is near."""
    import difflib  # noqa: PLC0415 - only for a mistake

    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; known are {', '.join(known)}" if known else ""
