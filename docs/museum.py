"""Write the museum of cheats into docs/security.md: `python docs/museum.py`, from the root of a clone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("security.md")
BLOCK = re.compile(r"(?<=<!-- museum -->\n).*?(?=<!-- end -->)", re.DOTALL)

sys.path.insert(0, str(PAGE.parents[1]))  # `tests` is a namespace package of the clone

from tests import museum  # noqa: E402 - it needs the path above

if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda _: f"\n{museum.table()}\n", text), encoding="utf-8")
