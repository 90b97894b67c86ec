"""Overwrites the copy of its module that the next check imports, and the cached bytecode.

The copy belongs to the judge, and the program can only read it.
"""
# stops: strong, reduced, practice as root
# seen: fail: own -> .*beside ->

import pathlib

_own = pathlib.Path(__file__)
tell(
    own=lambda: _own.write_text("raise SystemError('museum')"),
    beside=lambda: (_own.parent / "world.py").write_text("raise SystemError('museum')"),
    conftest=lambda: (_own.parent / "conftest.py").write_text(""),
    bytecode=lambda: (_own.parent / "__pycache__").mkdir(),
)
