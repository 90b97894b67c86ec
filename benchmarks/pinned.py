"""Gain of pinning judge and SUT to one processor, as `kata verify` does: the reference, pinned and not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pairs import compare


def main() -> None:
    """Print the ratio."""
    taskset = shutil.which("taskset")
    assert taskset, "taskset is part of util-linux"
    with tempfile.TemporaryDirectory() as folder:
        kata = str(Path(sys.executable).with_name("kata"))
        subprocess.run([kata, "init", folder], check=True, capture_output=True)
        run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        run += ["--kata", "fp_drift", "--kata-from", "solutions"]
        compare("reference on one processor", [taskset, "-c", "0", *run], run, cwd=Path(folder), pairs=5)


if __name__ == "__main__":
    main()
