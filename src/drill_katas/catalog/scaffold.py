"""`kata new`: writes a complete small kata, which certifies as it is."""

from __future__ import annotations

import importlib.util
import keyword
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import packs, shipped
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Contract

TEMPLATE: Final = Path(__file__).parent / "template"
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
FORM: Final = "use lower-case letters, digits and _, such as slow_queue"


def scaffold(root: Path, name: str, contract: Contract) -> list[Path]:
    """Write the contract's template as `katas/NAME` and `solutions/NAME`, and return the new files.

    Raises `UserError` for a name that cannot be a package, and for the name of an existing kata.
    """
    if problem := _problem_of(root, name):
        raise UserError(problem)
    template = TEMPLATE / contract
    files = (file for file in template.rglob("*") if file.is_file() and file.suffix != ".pyc")  # pip compiles them
    return [_write(file, template, root, name) for file in sorted(files)]


def _problem_of(root: Path, name: str) -> str:
    """Return why no new kata can have this name; "" if one can."""
    if not NAME.fullmatch(name):
        return f"{name!r} cannot be the name of a kata; {FORM}"
    for folder in (root / "katas" / name, root / "solutions" / name):
        if folder.exists():
            return f"{folder} exists; choose another name, or remove it first"
    if any(name in library.names() for library in (shipped(), *packs())):
        return f"an installed kata has the name {name}, and commands would find that one; choose another name"
    if keyword.iskeyword(name) or importlib.util.find_spec(name) is not None:
        return f"{name} is a keyword or a module of Python, and a kata is a package; choose another name"
    return ""


def _write(file: Path, template: Path, root: Path, name: str) -> Path:
    target = root / str(file.relative_to(template)).replace("NAME", name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    except OSError as error:
        raise UserError(f"cannot write {target} ({error.strerror})") from error
    return target
