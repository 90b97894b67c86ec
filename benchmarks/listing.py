"""`kata list` over 1,000 generated katas against `python -c "import click"`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pairs import compare

KATAS = 1000
MANIFEST = """format = 1
title = "System {number}, numbers wrong"
level = {level}
minutes = 40
contract = "calls"
editable = ["ledger.py"]
preload = ["sqlalchemy.dialects.sqlite", "structlog", "prometheus_client"]
variants = ["harbour", "orchard"]
"""


def main() -> None:
    """Print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(KATAS):
            kata = Path(folder) / "katas" / f"kata_{number}"
            kata.mkdir(parents=True)
            manifest = MANIFEST.format(number=number, level=number % 4 + 1)
            (kata / "kata.toml").write_text(manifest, encoding="utf-8")
        listing = [str(Path(sys.executable).with_name("kata")), "list"]
        compare(f"kata list over {KATAS} katas", listing, [sys.executable, "-c", "import click"], cwd=Path(folder))


if __name__ == "__main__":
    main()
