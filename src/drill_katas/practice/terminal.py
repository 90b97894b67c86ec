"""The learner's terminal: single keys without Enter, and a screen that is drawn from the top.

Nothing is erased from the scrollback: a new screen scrolls the old one up.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import termios
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS: Final = 24  # of a terminal that does not report its size
ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
ESCAPE: Final = re.compile(rb"\x1b(\[[0-9;?]*[@-~]|O.|.)?", re.DOTALL)  # from an arrow key, a function key, or Alt
QUIT: Final = "q"


def is_interactive() -> bool:
    """Return whether a person at a terminal reads the output and can press keys, and this is not a background job."""
    if os.environ.get("TERM", "dumb") == "dumb" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # the terminal controls another session
        return False


class Keyboard:
    """Makes single keys readable while it is open, and restores the terminal's settings at the end.

    The end can be a signal; Ctrl-Z restores the settings, too, until the command goes on. `redraw()` is called when the
    command goes on and when the window has a new size. Open it in the main thread.
    """

    def __init__(self, redraw: Callable[[], None]) -> None:
        self._redraw = redraw
        self._terminal = sys.stdin.fileno()
        self._settings = termios.tcgetattr(self._terminal)
        self._handlers: dict[int, Any] = {}  # the signal handlers of before

    def pressed(self) -> Iterator[str]:
        """Yield the keys in lower case; the last one is `q`, when the terminal is gone."""
        while True:
            try:
                sent = os.read(self._terminal, 1024)
            except OSError:
                sent = b""
            if not sent:
                yield QUIT
                return
            yield from ESCAPE.sub(b"", sent).decode(errors="ignore").lower()

    def _open(self) -> None:
        settings = termios.tcgetattr(self._terminal)
        settings[3] &= ~(termios.ICANON | termios.ECHO)
        settings[6] = [*settings[6]]
        settings[6][termios.VMIN], settings[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._terminal, termios.TCSANOW, settings)

    def _restore(self) -> None:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._terminal, termios.TCSANOW, self._settings)

    def _end(self, number: int, _: Any) -> None:
        raise SystemExit(128 + number)  # the shell's code for a command that a signal ended

    def _stop(self, *_: Any) -> None:
        self._restore()
        signal.raise_signal(signal.SIGSTOP)
        self._go_on()  # in case another thread gets SIGCONT, because its handler then waits for the next key

    def _go_on(self, *_: Any) -> None:
        self._open()
        self._redraw()

    def __enter__(self) -> Self:
        handlers = dict.fromkeys(ENDING, self._end) | {
            signal.SIGTSTP: self._stop,
            signal.SIGCONT: self._go_on,
            signal.SIGWINCH: lambda *_: self._redraw(),
        }
        self._handlers = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._restore()


def new_screen() -> str:
    """Return the text that scrolls all above the cursor's row into the scrollback, and puts the cursor at the top.

    It empties the row of the cursor. Below the cursor nothing may be shown.
    """
    return f"\r\x1b[K{chr(10) * (_rows() - 1)}\x1b[H"


def last_row() -> str:
    """Return the text that puts the cursor at the start of the last row and empties this row."""
    return f"\x1b[{_rows()};1H\x1b[K"


def _rows() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines or ROWS
    except OSError:
        return ROWS
