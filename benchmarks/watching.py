"""Gain of a warm judge: time from a save to the verdict under `kata watch`, against a cold `pytest --kata`."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pairs import PAIRS, cost

KATAS = ("fp_drift", "red_herring", "circular_deadlock", "n_plus_one")
KATA = str(Path(sys.executable).with_name("kata"))
REST = 2.0  # seconds in which the judge prepares the next run


def main() -> None:
    """Print medians and ratios on the broken modules."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        subprocess.run([KATA, "init", folder], check=True, capture_output=True)
        for name in KATAS:
            warm, cold = measure(workspace, name)
            ratio = statistics.median(one / other for one, other in zip(warm, cold, strict=True))
            print(
                f"{name}: save to verdict {statistics.median(warm):.2f} s, cold {statistics.median(cold):.2f} s, "
                f"ratio {ratio:.2f} ({PAIRS} pairs)"
            )


def measure(workspace: Path, name: str) -> tuple[list[float], list[float]]:
    """Return the wall times of warm and cold runs, pair by pair."""
    verdicts: list[float] = []
    watch = subprocess.Popen(
        [KATA, "watch", name], cwd=workspace, stdout=subprocess.PIPE, text=True, start_new_session=True
    )

    def listen() -> None:
        assert watch.stdout is not None
        last_lines = (f"{name} · ", f"{name}: ")  # of a verdict, and of a run that was not judged on a busy machine
        verdicts.extend(time.perf_counter() for line in watch.stdout if line.startswith(last_lines))

    threading.Thread(target=listen, daemon=True).start()
    wait_for(verdicts, 1)
    file = workspace / "katas" / name / {"fp_drift": "ledger.py", "n_plus_one": "dashboard.py"}.get(name, "checkout.py")
    warm, cold = [], []
    for pair in range(PAIRS):
        time.sleep(REST)
        began = time.perf_counter()
        file.write_text(file.read_text() + "\n")
        wait_for(verdicts, pair + 2)
        warm.append(verdicts[-1] - began)
        cold.append(cost([sys.executable, "-m", "pytest", "--kata", name, "-x"], workspace).wall)
    os.killpg(watch.pid, signal.SIGINT)
    watch.wait()
    return warm, cold


def wait_for(verdicts: list[float], number: int) -> None:
    """Wait for `number` verdicts."""
    while len(verdicts) < number:
        time.sleep(0.005)


if __name__ == "__main__":
    main()
