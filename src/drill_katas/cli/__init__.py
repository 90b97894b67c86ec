"""The `kata` command: `main` with all its subcommands."""

from drill_katas.cli import (  # noqa: F401 - each import registers subcommands
    authors,
    ci,
    diagnosis,
    evidence,
    grading,
    guardrail,
    incident,
    live,
    postmortem,
    practice,
    running,
    solution,
    spec,
)
from drill_katas.cli.base import main

__all__ = ["main"]
