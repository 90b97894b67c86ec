"""Imports a kata's package from one folder, whatever else of its name an environment has."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec


class Finder:
    """Finds the modules of a package in the package's own folder, before any import hook is asked.

    A `.pth` file in site-packages may have put a hook first in `sys.meta_path`.
    """

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module in the package, and None for any other."""
        if not name.startswith(f"{self.package}."):
            return None
        return PathFinder.find_spec(name, path, target)


def bind_package(package: str, folder: str) -> None:
    """Make `package` the one in `folder`.

    The overlay has no `__init__.py`, and Python prefers any regular package or module to such a namespace package. A
    package that is in `sys.modules` already is not looked for.
    """
    place = f"{folder}/{package}"
    if list(getattr(sys.modules.get(package), "__path__", ())) == [place]:
        return
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    bound = sys.modules[package] = ModuleType(package)
    bound.__path__ = [place]
    sys.path_importer_cache.pop(place, None)
    if not any(isinstance(finder, Finder) and finder.package == package for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder(package))
