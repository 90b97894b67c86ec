"""Cost of the separate process: `pytest --kata fp_drift` against bare pytest that imports the module.

The control runs the same test file with the same Hypothesis profile, without this plugin, on an in-process SQLite
(benchmarks/control/conftest.py). It has no stages, and cannot kill its own process or make a statement fail. Both sides
run only the checks that the control can run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pairs import compare

from drill_katas.catalog.katas import shipped

HERE = Path(__file__).parent
# checks that a single process cannot run
APART = "restart or killed or kills or fails or opening or failed_checkout"


def main() -> None:
    """Print the ratios for the broken module and for the reference."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        kata = str(Path(sys.executable).with_name("kata"))
        subprocess.run([kata, "init", folder], check=True, capture_output=True)
        shutil.copy(HERE / "control" / "conftest.py", workspace / "katas" / "conftest.py")
        (workspace / "pytest.ini").unlink()
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        judged = [*pytest, "--kata", "fp_drift", "--confcutdir", "katas/fp_drift", "-k", f"not ({APART})"]
        control = [*pytest, "-p", "no:kata", "--import-mode=importlib", "katas/fp_drift/test_fp_drift.py", "-k"]
        symptom = [*control, f"agree and not ({APART})"]  # the control has no stages, so it cannot stop after one
        compare("broken module, to the end of the stage that fails", judged, symptom, cwd=workspace)
        shutil.copy(shipped().get("fp_drift").solutions / "ledger.py", workspace / "katas" / "fp_drift" / "ledger.py")
        compare("reference, all stages", judged, [*control, f"not ({APART})"], cwd=workspace, pairs=5)


if __name__ == "__main__":
    main()
