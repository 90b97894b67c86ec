"""A team's workspace with the kata `cart`, its guardrail, and its spec."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import msgspec

from drill_katas.spec.result import SpecReview
from tests.support.commands import kata

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "# Spec\n\n| id | invariant | why | since | enforced by |\n| --- | --- | --- | --- | --- |\n"
TOTAL, REFUSED = "test_the_total_follows_each_addition", "test_a_refused_addition_changes_nothing"
IDLE = '\n\ndef test_new_basket_is_empty(sut):\n    assert sut.open("Basket").total() == 0\n'


class Team:
    """A workspace of a team: `file` is its guardrail, `spec` its `SPEC.md`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "katas" / "cart"
        self.file = self.folder / "guardrail.py"
        self.spec = root / "SPEC.md"

    @property
    def reference(self) -> str:
        """The reference guardrail, which cites no rule."""
        return (self.root / "solutions" / "cart" / "guardrail.py").read_text(encoding="utf-8")

    def citing(self, *ids: str) -> str:
        """The reference guardrail whose tests cite these rules, one each."""
        before, first, second = re.split("^(?=def test_)", self.reference, flags=re.MULTILINE)
        marks = (f'@pytest.mark.rule("{each}")\n' for each in ids)
        return "".join([before, next(marks), first, next(marks), second])

    def solve(self) -> None:
        """Put the reference solution in place."""
        shutil.copy(self.root / "solutions" / "cart" / "basket.py", self.folder / "basket.py")

    def guardrail(self, source: str) -> None:
        """Write the guardrail."""
        self.file.write_text(source, encoding="utf-8")

    def rows(self, *ids: str) -> str:
        """A spec with a sound row for each test of the reference guardrail."""
        return HEADER + "".join(
            f"| {rule} | The basket adds up. | Customers paid too much. | cart | `cart::{test}` |\n"
            for rule, test in zip(ids, (TOTAL, REFUSED), strict=True)
        )

    def write(self, text: str) -> None:
        """Write the spec."""
        self.spec.write_bytes(text.encode())

    def review(self, *names: str) -> SpecReview:
        """Check the spec, and return the result."""
        done = kata(self.root, "spec", *names, "--check", "--json")
        assert done.returncode in {0, 1, 3}, done.stderr
        return msgspec.json.decode(done.stdout, type=SpecReview)

    def findings(self, *names: str) -> list[str]:
        """Check the spec, and return its findings as `file:line: message`."""
        return [f"{each.file}:{each.line}: {each.message}" for each in self.review(*names).findings]
