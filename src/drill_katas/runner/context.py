"""The context of a kata run, which its session builds once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill_katas.catalog.arms import arm_from, workspace_arm
from drill_katas.catalog.thresholds import limits_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.catalog.arms import Arm
    from drill_katas.runner.settings import Settings


@dataclass(frozen=True)
class RunContext:
    """The settings of a run, and the arm and the thresholds of each kata by its name."""

    settings: Settings
    arms: dict[str, Arm]
    thresholds: dict[str, Mapping[str, float]]

    @classmethod
    def of(cls, settings: Settings) -> RunContext:
        """Build the context of these settings. Raises `UserError` if a file is missing or unreadable."""
        return cls(settings, arms_of(settings), {kata.name: limits_of(kata) for kata in settings.katas})


def arms_of(settings: Settings) -> dict[str, Arm]:
    """Return the arm to judge for each kata by its name. Raises `UserError` if files are missing."""
    source = settings.source
    return {
        kata.name: workspace_arm(kata) if source is None else arm_from(kata, source, "--kata-from")
        for kata in settings.katas
    }
