"""Imports a kata's package from one folder, whatever else of its name an environment has."""

from __future__ import annotations

import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec

SOURCES: Final = (SourceFileLoader, SOURCE_SUFFIXES)


class Finder:
    """Finds the modules of a package in the package's own folder, and nowhere else; no import hook is asked.

    A `.pth` file in site-packages may have put one first in `sys.meta_path` or `sys.path_hooks`.
    """

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module in the package, and None for any other package's.

        Raises `ModuleNotFoundError` when the package has no such module.
        """
        if not name.startswith(f"{self.package}."):
            return None
        for folder in path or ():
            if spec := FileFinder(folder, SOURCES).find_spec(name, target):
                return spec
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


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
    if not any(isinstance(finder, Finder) and finder.package == package for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder(package))


def module_from_elsewhere(package: str, folder: str) -> str:
    """Say which loaded module of `package` does not come from `folder`, and where it comes from; "" when all do."""
    for name, module in [*sys.modules.items()]:
        spec = getattr(module, "__spec__", None)
        if name.startswith(f"{package}.") and spec is not None:
            places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ["nowhere"])
            if not all(place.startswith(f"{folder}/{package}/") for place in places):
                return f"{name} was loaded from {places[0]}"
    return ""
