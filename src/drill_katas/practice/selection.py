"""Selection of katas by the value of `--kata`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.catalog.katas import find, no_katas
from drill_katas.errors import UserError
from drill_katas.practice.progress import KataStanding, standings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.catalog.katas import Kata, Library
    from drill_katas.practice.journal import Event


def select(selector: str, libraries: Sequence[Library], events: Iterable[Event]) -> list[Kata]:
    """Return the selected katas without repeats, in the order of the selector.

    | selector | katas |
    | --- | --- |
    | a name | that kata |
    | `all` | every kata |
    | `level:N` | the katas of level N |
    | `next` | the first unsolved kata |
    | `failed` | the katas whose last run failed |

    Commas separate several of these. Raises `UserError` for an unknown name or an empty selection.
    """
    known = standings(events)
    found: dict[str, Kata] = {}
    for word in filter(None, (word.strip() for word in selector.split(","))):
        found |= {kata.name: kata for kata in _select_one(word, libraries, known)}
    if not found:
        raise UserError("--kata needs a name from `kata list`, or all, level:N, next, or failed")
    return list(found.values())


def _select_one(word: str, libraries: Sequence[Library], known: dict[str, KataStanding]) -> list[Kata]:
    match word.partition(":"):
        case "all", "", _:
            return _all(libraries)
        case "level", ":", level:
            return _of_level(level, libraries)
        case "next", "", _:
            unsolved = [
                kata for kata in _all(libraries) if _standing(kata, known).state(kata) not in {"solved", "mastered"}
            ]
            if not unsolved:
                raise UserError("every kata here is solved; `kata reset NAME` and `--kata NAME` run one again")
            return unsolved[:1]
        case "failed", "", _:
            failed = [
                kata for kata in _all(libraries) if (last := _standing(kata, known).current.last) and not last.solved
            ]
            if not failed:
                raise UserError("no kata failed in its last run; --kata next runs the first unsolved kata")
            return failed
        case _:
            return [find(word, libraries)]


def _all(libraries: Sequence[Library]) -> list[Kata]:
    names: dict[str, Kata] = {}
    for library in libraries:
        for kata in library:
            names.setdefault(kata.name, kata)
    if not names:
        raise UserError(no_katas(libraries))
    return sorted(names.values(), key=lambda kata: (kata.manifest.level, kata.name))


def _of_level(level: str, libraries: Sequence[Library]) -> list[Kata]:
    katas = _all(libraries)
    chosen = [kata for kata in katas if str(kata.manifest.level) == level]
    if not chosen:
        levels = ", ".join(sorted({str(kata.manifest.level) for kata in katas}))
        raise UserError(f"there is no kata of level {level!r} here; known levels are {levels}")
    return chosen


def _standing(kata: Kata, known: dict[str, KataStanding]) -> KataStanding:
    return known.get(kata.name, KataStanding(kata.name))
