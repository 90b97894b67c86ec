"""Cost of the idle plugin in a session without a kata: modules, and import time compared with pytest-timeout."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SESSION = """
import sys, pytest
pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]])
print(sorted(name for name in sys.modules if name.startswith("drill_katas")))
"""
IMPORT = """
import sys, time, _pytest.config, pytest
began = time.perf_counter()
import {module}
print((time.perf_counter() - began) * 1e6)
"""


def microseconds(module: str) -> float:
    """Return the duration of one import in a process that has imported pytest already."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT.format(module=module)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print modules and import times."""
    with tempfile.TemporaryDirectory() as folder:
        test = Path(folder) / "test_nothing.py"
        test.write_text("def test_nothing():\n    pass\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", SESSION, str(test)], cwd=folder, capture_output=True, text=True, check=True
        )
        print(f"modules of drill_katas at the end of an idle session: {done.stdout.splitlines()[-1]}")
    pairs = [(microseconds("drill_katas.plugin"), microseconds("pytest_timeout")) for _ in range(25)]
    ours, control = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"import: {ours / 1000:.2f} ms, pytest-timeout {control / 1000:.2f} ms, ratio {ratio:.2f} ({len(pairs)} pairs)"
    )


if __name__ == "__main__":
    main()
