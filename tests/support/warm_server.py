"""A warm process that forks one child for each command, so that pytest and its plugins are imported once.

Run as `python warm_server.py SOCKET WARM_UP`: it listens on the Unix socket SOCKET, and first runs pytest in the folder
WARM_UP, because modules that pytest rewrites have to be imported by pytest itself. A child takes the arguments,
environment, folder and output of its command, and runs the command's script to its end as a new process would.
The server ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

Request = dict[str, Any]


def warm_up(folder: Path) -> None:
    """Run a pytest session here, and forget what belongs to its folder alone."""
    import pytest  # after the arguments are read

    path, here = list(sys.path), Path.cwd()
    os.chdir(folder)
    with Path(os.devnull).open("w", encoding="utf-8") as null, contextlib.redirect_stdout(null):
        code = pytest.main(["-p", "no:cacheprovider", "--kata", "warm"])
    assert code == pytest.ExitCode.OK, "the session that warms up fails"
    os.chdir(here)
    sys.path[:] = path
    for name in [name for name, module in sys.modules.items() if _is_in(folder, module)]:
        del sys.modules[name]
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
    gc.collect()
    gc.freeze()


def _is_in(folder: Path, module: object) -> bool:
    places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", [])]
    return any(place.startswith(str(folder)) for place in places)


def serve(path: str) -> Request:
    """Fork a child for each request; return in the child alone, with its request."""
    children: dict[int, tuple[int, socket.socket]] = {}  # by pidfd: the process, and the connection that waits for it
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(path)
        listener.listen(8)
        for fd in (0, listener.fileno()):
            selector.register(fd, selectors.EVENT_READ)
        os.write(1, b"ready\n")
        while True:
            for key, _ in selector.select():
                if key.fd == 0:
                    sys.exit(0)
                if key.fd in children:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    pid, caller = children.pop(key.fd)
                    report_end(pid, caller)
                    continue
                caller, _ = listener.accept()
                request, outputs = receive(caller)
                pid = os.fork()
                if pid == 0:
                    caller.close()
                    become(request, outputs)
                    return request
                for each in outputs:
                    os.close(each)
                caller.sendall(f"{pid}\n".encode())
                pidfd = os.pidfd_open(pid)
                children[pidfd] = pid, caller
                selector.register(pidfd, selectors.EVENT_READ)


def receive(caller: socket.socket) -> tuple[Request, list[int]]:
    """Return a request, and its descriptors for input, output and errors."""
    text, outputs, _, _ = socket.recv_fds(caller, 1 << 20, 3)
    while not text.endswith(b"\n"):
        text += caller.recv(1 << 20)
    return json.loads(text), outputs


def report_end(pid: int, caller: socket.socket) -> None:
    """Send a child's exit code to its caller."""
    _, status = os.waitpid(pid, 0)
    with caller, contextlib.suppress(OSError):
        caller.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(request: Request, outputs: list[int]) -> None:
    """Take over what a new process would be started with."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for target, source in enumerate(outputs):
        os.dup2(source, target)
        os.close(source)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None  # it is looked up again, because TMPDIR may differ
    sys.argv[:] = request["argv"]


def run(script: str) -> None:
    """Run `-m pytest`, or the script of a command, as the main module."""
    if script == "-m pytest":
        sys.path[0] = str(Path.cwd())
        runpy.run_module("pytest", run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(script).parent)
        runpy.run_path(script, run_name="__main__")


def main() -> None:
    """Warm up, serve, and in each child run its command."""
    address, folder = sys.argv[1:]
    sys.path[0] = folder  # as `python -m pytest` there has it, and not the folder of this file
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm_up(Path(folder))
    run(serve(address)["script"])


if __name__ == "__main__":
    main()
