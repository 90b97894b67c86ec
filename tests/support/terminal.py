"""Runs a command at a pseudo-terminal, and shows what a person sees there: the screen and the scrollback."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

SEQUENCE: Final = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")
# Makes the terminal the controlling one, so that its Ctrl-C is a signal, and runs a command.
CONTROLLED: Final = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Screen:
    """A terminal that knows only colors, going to a place, and erasing to the end of a row; all else is an error."""

    def __init__(self, rows: int, columns: int) -> None:
        self.columns = columns
        self.scrollback: list[str] = []
        self.lines = [""] * rows
        self.row = self.column = 0

    def feed(self, text: str) -> None:
        position = 0
        while position < len(text):
            if text[position] == "\x1b":
                found = SEQUENCE.match(text, position)
                assert found, f"a sequence that this terminal does not know: {text[position : position + 10]!r}"
                self._obey(found[1], found[2])
                position = found.end()
            else:
                self._put(text[position])
                position += 1

    def _obey(self, numbers: str, name: str) -> None:
        if name == "H":
            row, column = [int(number or 1) for number in (numbers or ";").split(";")]
            self.row, self.column = min(row, len(self.lines)) - 1, column - 1
        elif name == "K":
            assert not numbers
            self.lines[self.row] = self.lines[self.row][: self.column]
        else:
            assert name == "m", f"a sequence that this terminal does not know: {numbers}{name}"

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._down()
        else:
            if self.column == self.columns:
                self.column = 0
                self._down()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    def _down(self) -> None:
        if self.row == len(self.lines) - 1:
            self.scrollback.append(self.lines.pop(0))
            self.lines.append("")
        else:
            self.row += 1


class AtTerminal:
    """A command at a terminal of its own."""

    def __init__(self, folder: Path, *command: str, rows: int = 24, columns: int = 80) -> None:
        self._ours, self.terminal = pty.openpty()
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = Screen(rows, columns)
        self.settings = termios.tcgetattr(self.terminal)
        outer = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLED, *command],
            cwd=folder,
            env=outer | {"TERM": "xterm-256color", "PYTHONUTF8": "1"},
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        rest = ""
        while True:
            try:
                text = rest + decoder.decode(os.read(self._ours, 65536))
            except OSError:  # the terminal was closed
                return
            whole = re.sub(r"\x1b(\[[0-9;]*)?\Z", "", text)
            rest = text[len(whole) :]
            self.screen.feed(whole)

    @property
    def shown(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self.screen.lines).rstrip()

    @property
    def everything(self) -> str:
        """The scrollback and the screen."""
        return "\n".join([*self.screen.scrollback, self.shown])

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait_for(self, *texts: str, seconds: float = 60) -> str:
        """Wait until the screen has all of these texts; return the screen."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            shown = self.shown
            if all(text in shown for text in texts):
                return shown
            assert self._reader.is_alive(), "the screen could not be drawn"
            time.sleep(0.02)
        raise AssertionError(f"{texts!r} are not all on the screen: {self.everything}")

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal has the settings that it had before the command."""
        return termios.tcgetattr(self.terminal) == self.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.terminal)
        self._reader.join(5)
        os.close(self._ours)
