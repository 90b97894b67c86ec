"""Text for messages: truncated, pluralized, and safe to print."""

from __future__ import annotations

import re


def truncate(text: str, most: int, ellipsis: str = "...") -> str:
    """Return at most `most` characters of `text`, the ellipsis included."""
    return text if len(text) <= most else text[: most - len(ellipsis)].rstrip() + ellipsis


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Return a number with its noun: `plural(1, "order")` is "1 order", `plural(3, "entry", "entries")` "3 entries"."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"


def printable(text: str) -> str:
    """Return `text` with non-printable characters escaped, because file names may contain control sequences."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def terminal_safe(text: str) -> str:
    """Return `text` without CI commands and without control characters, except newline and tab."""
    return ci_safe("".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text))


def ci_safe(text: str) -> str:
    """Return `text` without the workflow commands of GitHub's runner.

    The runner executes a line that begins with `::`, and `##[` anywhere in a line. Wrapping can move any word to the
    beginning of a line, so `::` is split at the beginning of each word.
    """
    return re.sub(r"(^|\s)::", r"\1: :", text).replace("##[", "## [")
