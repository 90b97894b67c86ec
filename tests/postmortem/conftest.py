"""Workspaces with studied incidents."""

from __future__ import annotations

import pytest

from tests.support.studied import file_of, studied, studied_reference


@pytest.fixture
def herring(shared, tmp_path):
    """A workspace with the studied incident of red_herring, and without a post-mortem."""
    return studied(shared, tmp_path, "red_herring")


@pytest.fixture
def reference(shared, tmp_path):
    """The reference post-mortem in such a workspace, which is the folder `tmp_path`; its blocks are refreshed."""
    return file_of(studied_reference(shared, tmp_path))
