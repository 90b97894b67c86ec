"""What a process of its own costs: `pytest --kata fp_drift` against bare pytest with the module imported in it.

The control runs the same test file with the same Hypothesis profile, without this plugin, on an in-process SQLite
(benchmarks/control/conftest.py). It knows no stages and cannot kill, so both sides run the checks that it can run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pairs import compare

from drill_katas.catalog import shipped

HERE = Path(__file__).parent
CANNOT = "restart or kill or failed_checkout"  # checks that kill the program are beyond what a single process can do


def main() -> None:
    """Print the ratios for the broken module and for the reference."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        kata = str(Path(sys.executable).with_name("kata"))
        subprocess.run([kata, "init", folder], check=True, capture_output=True)
        shutil.copy(HERE / "control" / "conftest.py", workspace / "katas" / "conftest.py")
        (workspace / "pytest.ini").unlink()
        ours = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", f"not ({CANNOT})"]
        control = [*ours, "-p", "no:kata", "katas/fp_drift/test_fp_drift.py"]
        judged = [*ours, "--kata", "fp_drift", "--confcutdir", "katas/fp_drift"]
        symptom = [*control, "-k", f"agree and not ({CANNOT})"]  # the control knows no stages to stop after
        compare("broken module, until the stage that fails", judged, symptom, cwd=workspace)
        compare("broken module, all stages", [*judged, "--kata-all-stages"], control, cwd=workspace)
        shutil.copy(shipped().get("fp_drift").solutions / "ledger.py", workspace / "katas" / "fp_drift" / "ledger.py")
        compare("reference, all stages", judged, control, cwd=workspace)


if __name__ == "__main__":
    main()
