"""A word to those who come with a Python that is too old."""

import sys

import pytest

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout can be run without being installed
    version = ".".join(map(str, sys.version_info[:2]))
    raise pytest.UsageError(f"drill-katas needs Python 3.11 or later, and this is {version}; use a newer one")
