"""What a session makes once for its kata run."""

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
    """The settings of a run, and the arm and thresholds of each kata, by name."""

    settings: Settings
    arms: dict[str, Arm]
    thresholds: dict[str, Mapping[str, float]]

    @classmethod
    def of(cls, settings: Settings) -> RunContext:
        """Read what the settings name. Raises `UserError` when files do not exist or cannot be read."""
        return cls(settings, arms_of(settings), {kata.name: limits_of(kata) for kata in settings.katas})


def arms_of(settings: Settings) -> dict[str, Arm]:
    """Return the arm of each kata that is judged. Raises `UserError` when its files do not exist."""
    source = settings.source
    return {
        kata.name: workspace_arm(kata) if source is None else arm_from(kata, source, "--kata-from")
        for kata in settings.katas
    }
