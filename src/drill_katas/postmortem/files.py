"""Reading and writing `POSTMORTEM.md`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.errors import UserError
from drill_katas.files import write_atomically
from drill_katas.markdown import read_markdown
from drill_katas.postmortem.blocks import Problem, layout_of, refreshed
from drill_katas.postmortem.draft import draft
from drill_katas.postmortem.generated import BLOCKS, contents

if TYPE_CHECKING:
    from pathlib import Path

    from drill_katas.postmortem.facts import Facts

NAMES: Final = tuple(BLOCKS)
VARIANT: Final = re.compile(r"\A---\s*\n(?:(?!---).*\n){0,40}?variant:[ \t]*(\S+)")


class Written(msgspec.Struct, frozen=True):
    """What `write` did: `created`, `refreshed`, or `unchanged`; and the problems of the blocks."""

    what: str
    problems: tuple[Problem, ...]


def read(path: Path) -> str | None:
    """Return the text of a post-mortem, None without one. Raises `UserError` if it cannot be read."""
    return read_markdown(path, "a post-mortem")


def expect_variant(text: str, facts: Facts) -> None:
    """Raise `UserError` if the front matter names another variant than the learner works on."""
    found = VARIANT.search(text.replace("\r\n", "\n").removeprefix("\ufeff"))
    known = ("original", *facts.kata.manifest.variants)
    if found and found[1] in known and found[1] != facts.variant:
        path = facts.kata.postmortem
        raise UserError(
            f"{path.name} of {facts.kata.name} is about the variant {found[1]}, and you work on {facts.variant} now; "
            f"it is unchanged; keep it with `mv {path} {path.with_name(f'POSTMORTEM-{found[1]}.md')}`, then repeat "
            f"the command"
        )


def write(facts: Facts) -> Written:
    """Write the first text of a post-mortem, or refresh its generated blocks. Raises `UserError`."""
    path = facts.kata.postmortem
    text = read(path)
    new = contents(facts)
    if text is None or not text.strip():
        _store(path, draft(facts, new))
        return Written("created", ())
    expect_variant(text, facts)
    layout = layout_of(text, NAMES)
    after, edited = refreshed(layout, new)
    if after != text:
        _store(path, after)
    problems = sorted([*layout.problems, *edited], key=lambda problem: problem.line)
    return Written("refreshed" if after != text else "unchanged", tuple(problems))


def _store(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise UserError(f"cannot write {path} ({error.strerror}); it is unchanged") from error
