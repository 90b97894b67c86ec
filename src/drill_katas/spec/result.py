"""The results of `kata spec`: the rows that it added, or the findings of a check."""

from __future__ import annotations

from typing import Final

import msgspec

FORMAT: Final = 1


class Citation(msgspec.Struct, frozen=True):
    """A decorator to add to a guardrail: above which test, in which line, and the ids of its rules."""

    test: str
    line: int
    ids: tuple[str, ...]

    @property
    def decorator(self) -> str:
        """The line to add."""
        return decorator(*self.ids)


class SpecUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What `kata spec NAME` did.

    | field | meaning |
    | --- | --- |
    | `added` | the ids of the new rows |
    | `citations` | the decorators that are missing in the guardrail |
    | `imports_pytest` | whether the guardrail imports pytest, which a decorator needs |
    | `untouched` | number of placeholders in the kata's rows |
    """

    format: int = FORMAT
    kata: str
    added: tuple[str, ...]
    citations: tuple[Citation, ...]
    imports_pytest: bool
    untouched: int


class SpecFinding(msgspec.Struct, frozen=True, order=True):
    """One problem: the file relative to the workspace, the line, and what to do about it."""

    file: str
    line: int
    message: str


class GuardrailRun(msgspec.Struct, frozen=True, kw_only=True):
    """One guardrail on the learner's own module: the tests that passed, and the messages of the others."""

    kata: str
    passed: tuple[str, ...] = ()
    failed: dict[str, str] = {}
    not_judged: dict[str, str] = {}


class SpecReview(msgspec.Struct, frozen=True, kw_only=True):
    """The result of `kata spec --check`.

    | field | meaning |
    | --- | --- |
    | `rules` | the ids of the rules that were checked |
    | `findings` | problems, by file and line; a test that fails is one of them |
    | `ran` | the guardrails that ran |
    """

    format: int = FORMAT
    rules: tuple[str, ...]
    findings: tuple[SpecFinding, ...]
    ran: tuple[GuardrailRun, ...]

    @property
    def not_judged(self) -> bool:
        """Whether a test was not judged because of the judge or the machine."""
        return any(each.not_judged for each in self.ran)


def decorator(*ids: str) -> str:
    """Return the decorator that cites these rules."""
    quoted = ", ".join(f'"{each}"' for each in ids)
    return f"@pytest.mark.rule({quoted})"
