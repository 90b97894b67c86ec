"""`kata new`: write the files of a new kata from a template that runs as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Contract

TEMPLATE: Final = Path(__file__).parent / "template"
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def scaffold(root: Path, name: str, contract: Contract) -> list[Path]:
    """Write the template of a contract as `katas/NAME` and `solutions/NAME`, and return the new files.

    Raises `UserError` for a name that cannot be a package, and if the kata already exists.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} cannot be a kata's name; use lowercase letters, digits, and _, such as slow_queue")
    for folder in (root / "katas" / name, root / "solutions" / name):
        if folder.exists():
            raise UserError(f"{folder} already exists; choose another name, or remove it first")
    template = TEMPLATE / contract
    return [_write(file, template, root, name) for file in sorted(template.rglob("*")) if file.is_file()]


def _write(file: Path, template: Path, root: Path, name: str) -> Path:
    target = root / str(file.relative_to(template)).replace("NAME", name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    except OSError as error:
        raise UserError(f"cannot write {target} ({error.strerror})") from error
    return target
