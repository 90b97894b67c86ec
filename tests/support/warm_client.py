"""Runs `pytest` and `kata` commands in children of one warm process, or as new processes if a test needs that."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVER = Path(__file__).with_name("warm_server.py")
SCRIPTS = Path(sys.executable).parent
KATA_TOML = """
format = 1
title = "Warms up"
level = 1
minutes = 1
contract = "calls"
editable = ["warm.py"]
"""
MODULE = "class Thing:\n    def go(self):\n        return 1\n"
CHECK = '''
import pytest


@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        assert thing.go() == 1
'''


class WarmServer:
    """The warm process; it ends with this one."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="warm-", dir="/tmp"))  # its path has to be short
        self.environment = {**os.environ, "PYTHONUTF8": "1", "XDG_STATE_HOME": str(self._folder)}
        self._address = str(self._folder / "socket")
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), self._address, str(self._workspace())],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._owner = os.getpid()
        atexit.register(self.close)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the warm server has ended"

    def _workspace(self) -> Path:
        folder = self._folder / "workspace" / "katas" / "warm"
        folder.mkdir(parents=True)
        for name, text in {"kata.toml": KATA_TOML, "warm.py": MODULE, "test_warm.py": CHECK}.items():
            (folder / name).write_text(text, encoding="utf-8")
        return self._folder / "workspace"

    def close(self) -> None:
        """End the process."""
        if os.getpid() == self._owner:
            self._process.communicate()
            shutil.rmtree(self._folder, ignore_errors=True)

    def would_start(self, env: Mapping[str, str]) -> bool:
        """Whether Python itself would start in this environment as the server did."""
        return _of_python(env) == _of_python(self.environment)

    def run(
        self, script: str, argv: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end. Raises `TimeoutExpired`, as `subprocess.run` does."""
        request = {"script": script, "argv": list(argv), "cwd": str(cwd), "env": dict(env)}
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as errors,
            socket.socket(socket.AF_UNIX) as caller,
        ):
            caller.connect(self._address)
            with Path(os.devnull).open("rb") as null:
                message = json.dumps(request).encode() + b"\n"
                sent = socket.send_fds(caller, [message], [null.fileno(), out.fileno(), errors.fileno()])
                caller.sendall(message[sent:])
            code = _await(caller, argv, timeout)
            texts = [_text(each.fileno()) for each in (out, errors)]
        return subprocess.CompletedProcess(list(argv), code, *texts)


def _await(caller: socket.socket, argv: Sequence[str], timeout: float) -> int:
    """Return the exit code that the server sends; kill the command when it takes longer."""
    caller.settimeout(timeout)
    with caller.makefile("r", encoding="ascii") as lines:
        pid = int(lines.readline())
        try:
            return int(lines.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(argv), timeout) from None


def _text(file: int) -> str:
    """Return what was written to a file, as text with universal newlines."""
    with open(file, encoding="utf-8", closefd=False) as text:
        text.seek(0)
        return text.read()


def _of_python(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(("PYTHON", "LC_", "LANG", "HYPOTHESIS"))}


@functools.cache
def warm_server() -> WarmServer:
    """Return the warm process of this one."""
    return WarmServer()


def run_command(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end: `pytest`, `python -m pytest` and `kata` in a child of the warm process."""
    script, argv = _script(command)
    if script and hasattr(os, "pidfd_open") and warm_server().would_start(env):
        return warm_server().run(script, argv, cwd, env, timeout)
    return run_cold(command, cwd, env, timeout)


def run_cold(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command in a new process, for what depends on how that starts."""
    return subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
        check=False,
    )  # fmt: skip


def _script(command: Sequence[str]) -> tuple[str, list[str]]:
    """Return what the warm process runs for a command, and its arguments; "" for a command that it does not run."""
    program, *rest = command
    if program == sys.executable and rest[:2] == ["-m", "pytest"]:
        return "-m pytest", ["pytest", *rest[2:]]
    name = Path(program).name
    if name in {"pytest", "kata"} and program in {name, str(SCRIPTS / name)}:
        return str(SCRIPTS / name), [str(SCRIPTS / name), *rest]
    return "", []
