"""The user's state folder: grades of unfinished runs, and the key that seals all grades.

It is `$XDG_STATE_HOME/drill-katas`, or `~/.local/state/drill-katas`, with mode 0700, outside the graded paths.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from drill_katas.errors import UserError
from drill_katas.files import create

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.grading.grades import Grade

KEY_BYTES: Final = 32
OTHERS: Final = 0o077  # permission bits of group and others


class Unusable(Exception):
    """No state folder is writable by this user alone; the message says why."""


@dataclass(frozen=True)
class State:
    """A state folder that only this user can write to, and its key."""

    folder: Path
    key: bytes

    def grades_of(self, file: Path) -> Path:
        """Return the path of the database with the grades of an unfinished run that writes `file`."""
        return self.folder / f"{hashlib.sha256(os.fsencode(file)).hexdigest()[:32]}.grades"

    def sealed(self, grade: Grade) -> Grade:
        """Return the grade with a MAC of its verdict; id, notes, and places are not part of it."""
        verdict = msgspec.json.encode(replace(grade, id="", notes=(), places={}, mac=""))
        return replace(grade, mac=hmac.new(self.key, verdict, hashlib.sha256).hexdigest())

    def vouches_for(self, grade: Grade) -> bool:
        """Return whether this user's `kata grade` made the verdict, and the verdict agrees with its checks."""
        whole = bool(grade.key and grade.checks) and grade.solved == all(check.passed for check in grade.checks)
        return whole and hmac.compare_digest(self.sealed(grade).mac, grade.mac)


def state_folder() -> Path:
    """Return the path of the state folder. Raises `Unusable` for a user without a home."""
    place = os.environ.get("XDG_STATE_HOME", "")
    try:
        return (Path(place) if Path(place).is_absolute() else Path.home() / ".local" / "state") / "drill-katas"
    except RuntimeError as error:
        raise Unusable(str(error)) from error


def state() -> State:
    """Return the state folder; create it if it is missing. Raises `Unusable`."""
    folder = state_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o022:
            raise Unusable(f"{folder} belongs to another user, or others can write to it")
        key = _key(folder / "key") or _new_key(folder / "key")
    except OSError as error:
        raise Unusable(f"{error.filename or folder}: {error.strerror}") from error
    return State(folder, key)


def expect_apart(paths: Iterable[Path], file: Path) -> None:
    """Raise `UserError` if a graded path contains the state folder, or a link in it redirects `file`."""
    with contextlib.suppress(Unusable):
        folder = state_folder().resolve()
        for path in paths:
            top = path.resolve()
            if folder.is_relative_to(top):
                raise UserError(
                    f"{path} contains {folder}, where grades are stored; set XDG_STATE_HOME to a folder elsewhere"
                )
            if _spelled(file).is_relative_to(_spelled(path)) and not file.resolve().is_relative_to(top):
                raise UserError(f"--json {file}: a link in {path} leads to {file.resolve()}; name a file elsewhere")


def _spelled(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow the links


def _key(file: Path) -> bytes:
    """Return the key in a file that only this user can read; remove any other file and return empty bytes."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb") as opened:
            about = os.fstat(opened.fileno())
            alone = stat.S_ISREG(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & OTHERS
            key = opened.read(KEY_BYTES + 1)
    except FileNotFoundError:
        return b""
    except OSError:  # a link
        alone, key = False, b""
    if alone and len(key) == KEY_BYTES:
        return key
    file.unlink()
    return b""


def _new_key(file: Path) -> bytes:
    draft = file.with_name(f"key.{secrets.token_hex(8)}")
    with create(draft, 0o600) as out:
        out.write(secrets.token_bytes(KEY_BYTES))
    try:
        with contextlib.suppress(FileExistsError):  # another run has made a key first
            os.link(draft, file)
    finally:
        draft.unlink()
    return _key(file)
