"""Runs the real `kata` command, and reads its output."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from tests.support.warm_client import run_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KATA = str(Path(sys.executable).with_name("kata"))
# Runs a command with files that cannot grow beyond a size (-1: no limit), and without root's right to write anywhere.
CONFINED = """
import ctypes, os, resource, sys
size = int(sys.argv[1])
if size >= 0:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE
os.execv(sys.argv[2], sys.argv[2:])
"""


def kata(
    folder: Path,
    *args: object,
    wrapper: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdout: int | IO[str] = subprocess.PIPE,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run the real `kata` command to its end, at 80 columns."""
    environment = os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1", "GIT_CONFIG_GLOBAL": os.devnull, **(env or {})}
    command = [*wrapper, KATA, *map(str, args)]
    if not wrapper and stdout == subprocess.PIPE:
        return run_command(command, folder, environment, timeout)
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=timeout,
        check=False,
    )  # fmt: skip


def confining(size: int = -1) -> list[str]:
    """A command prefix that enforces file modes even for root, and limits the file size to `size` bytes."""
    return [sys.executable, "-c", CONFINED, str(size)]


def confined(folder: Path, *args: object, size: int = -1) -> subprocess.CompletedProcess[str]:
    """The command without the right to write where the modes forbid it, on a disk where `size` bytes a file fit."""
    return kata(folder, *args, wrapper=confining(size))


def done(folder: Path, *args: object, code: int = 0, env: Mapping[str, str] | None = None, timeout: float = 300) -> str:
    """The output of a successful command."""
    result = kata(folder, *args, env=env, timeout=timeout)
    assert "Traceback" not in result.stdout + result.stderr, result.stderr
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


def replay(folder: Path, name: str, *options: object) -> None:
    """Replay an incident; again while it ran late, as its note asks, but not for ever on a busy machine."""
    for _ in range(3):
        if "ran late" not in words(done(folder, "incident", name, *options)):
            return


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The error message of a failed command, one sentence."""
    output = (result.stdout or "") + result.stderr
    assert "Traceback" not in output, output
    assert result.returncode == 2, output
    (sentence,) = re.findall(r"^Error: (.+)", output, re.MULTILINE)
    return str(sentence)


class Started:
    """A `kata` command that goes on, as the leader of a session, and what it has printed so far."""

    def __init__(
        self, folder: Path, *args: object, wrapper: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [*wrapper, KATA, *map(str, args)],
            cwd=folder,
            env=os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self._output = self.process.stdout
        self.lines: list[str] = []
        self._reader = threading.Thread(target=lambda: self.lines.extend(self._output), daemon=True)
        self._reader.start()
        self._told = 0

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """Wait until a new line has this text; return the new lines up to it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            lines = self.lines[self._told :]
            for number, line in enumerate(lines):
                if text in line:
                    self._told += number + 1
                    return "".join(lines[: number + 1])
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not printed; what was: {''.join(self.lines)}")

    def interrupt(self, by: signal.Signals = signal.SIGINT) -> int:
        os.killpg(self.process.pid, by)
        code = self.process.wait(20)
        self._reader.join()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        self._output.close()


def words(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


def faults(output: str) -> list[str]:
    """The problems below the matrix, one per line."""
    message = output.partition("not as declared")[2].strip()
    return [words(fault) for fault in re.split(r"^! ", message, flags=re.MULTILINE) if fault]
