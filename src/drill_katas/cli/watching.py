"""`kata watch` at a terminal: a verdict after each save, and keys for all else."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from drill_katas.batch.judge_client import JudgeEnded, JudgeRequest
from drill_katas.cli.base import say, width
from drill_katas.cli.incident import show_incident
from drill_katas.cli.practice import show_hint, show_list, suggest
from drill_katas.errors import UserError
from drill_katas.practice.terminal import QUIT, Keyboard, last_row, new_screen
from drill_katas.practice.watch import saves
from drill_katas.report.text import fit

if TYPE_CHECKING:
    from drill_katas.batch.judge_client import WarmJudge
    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.workspace import Workspace

KEYS: Final = "[h] hint  [n] next  [l] list  [i] incident  [Enter] judge again  [q] quit"
END_OF_FILE: Final = "\x04"  # what Ctrl-D sends


@dataclass(frozen=True)
class Saved:
    """Files were saved; without names, watching began."""

    names: frozenset[str]


@dataclass(frozen=True)
class Pressed:
    """A key was pressed."""

    key: str


@dataclass(frozen=True)
class Judged:
    """The verdict is on the screen; `error` is set if there is none, and watching cannot go on."""

    error: Exception | None = None


@dataclass(frozen=True)
class Redraw:
    """The last row must be drawn again."""


class Watching:
    """Judges on every save and acts on keys, one event at a time.

    A save during a run is judged after it. A key during a run takes effect after it, except `q`.
    """

    def __init__(self, workspace: Workspace, kata: Kata, judge: WarmJudge) -> None:
        self._workspace, self._kata, self._judge = workspace, kata, judge
        self._events: queue.SimpleQueue[Saved | Pressed | Judged | Redraw] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._run: threading.Thread | None = None
        self._saved: frozenset[str] = frozenset()
        self._keys: list[str] = []

    def go_on(self) -> None:
        """Watch until a key or Ctrl-C ends it. Raises `UserError`, `JudgeEnded`, or `KeyboardInterrupt`."""
        keyboard = Keyboard(lambda: self._events.put(Redraw()))
        try:
            with keyboard:
                for work in (lambda: self._read(keyboard), self._watch):
                    threading.Thread(target=work, daemon=True).start()
                while self._act(self._events.get()):
                    pass
        finally:
            self._stopped.set()
            self._judge.hang_up()
            if self._run:
                self._run.join()
            click.echo(last_row(), nl=False)

    def _act(self, event: Saved | Pressed | Judged | Redraw) -> bool:
        """Act on an event; return whether watching goes on."""
        match event:
            case Pressed(key=key) if key in {QUIT, END_OF_FILE}:
                return False
            case Pressed(key=key):
                self._keys.append(key)
            case Saved(names=names):
                self._saved |= names
                if not self._run:
                    self._start()
            case Judged(error=error):
                if error:
                    raise error
                self._run = None
                if self._saved:
                    self._start()
        if not self._run:
            self._press()
        return True

    def _press(self) -> None:
        """Act on the waiting keys, and show the keys in the last row, unless a run began."""
        while self._keys and not self._run:
            self._answer(self._keys.pop(0))
        if not self._run:
            click.echo(f"{last_row()}{click.style(fit(KEYS, width() - 1), dim=True)}", nl=False)

    def _answer(self, key: str) -> None:
        if key in {"\n", "\r"}:
            self._start()
        elif key in {"h", "n", "l", "i"}:
            click.echo(last_row())
            try:
                self._show(key)
            except UserError as mistake:
                say(str(mistake))

    def _show(self, key: str) -> None:
        match key:
            case "h":
                show_hint(self._workspace, self._kata)
            case "n":
                suggest(self._workspace, lambda found: found[0])
            case "l":
                show_list(self._workspace)
            case _:
                show_incident(self._workspace, self._kata)

    def _start(self) -> None:
        """Judge the learner's files in a thread, on a new screen."""
        names = ", ".join(sorted(self._saved))
        self._saved = frozenset()
        watched = f"watching {', '.join(self._kata.manifest.editable)} (a save is not an attempt)"
        click.echo(new_screen() + (f"{names} saved" if names else watched))
        self._run = threading.Thread(target=self._await_verdict)
        self._run.start()

    def _await_verdict(self) -> None:
        try:
            self._judge.judge(JudgeRequest())
        except JudgeEnded as ended:
            self._events.put(Judged(ended))
        else:
            self._events.put(Judged())

    def _read(self, keyboard: Keyboard) -> None:
        for key in keyboard.pressed():
            self._events.put(Pressed(key))

    def _watch(self) -> None:
        try:
            for names in saves(self._kata, self._stopped):
                self._events.put(Saved(frozenset(names)))
        except (UserError, OSError) as error:
            self._events.put(Judged(error))
