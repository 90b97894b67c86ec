"""Imports a kata's package from one folder only, even if the environment has another package of that name."""

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
    """Finds the modules of a package only in the package's own folder.

    It comes first in `sys.meta_path` and uses no path hooks, because a `.pth` file in site-packages may install others.
    """

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module in the package, and None for a module of another package.

        Raises `ModuleNotFoundError` if the package has no such module.
        """
        if not name.startswith(f"{self.package}."):
            return None
        for folder in path or ():
            if spec := FileFinder(folder, SOURCES).find_spec(name, target):
                return spec
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def bind_package(package: str, folder: str) -> None:
    """Bind the name `package` to the package in `folder`.

    The overlay has no `__init__.py`, and Python prefers any regular package to such a namespace package. An entry in
    `sys.modules` prevents that search.
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
    """Return "shop.cart was loaded from /x" for a module of `package` from outside of `folder`; "" without one."""
    for name, module in [*sys.modules.items()]:
        spec = getattr(module, "__spec__", None)
        if name.startswith(f"{package}.") and spec is not None:
            places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ["nowhere"])
            if not all(place.startswith(f"{folder}/{package}/") for place in places):
                return f"{name} was loaded from {places[0]}"
    return ""
