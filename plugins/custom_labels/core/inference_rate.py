"""How fast a project's tasks may ask a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from custom_labels.core.context import ProjectContext
    from custom_labels.core.live_version import LiveVersion


class RateSettings(Protocol):
    """The settings that say how fast."""

    @property
    def minimum_inference_units(self) -> int:
        """Inference units that a version is started with."""

    @property
    def detections_per_unit_second(self) -> float:
        """Calls that one of them may be asked a second."""


def version_rate(ctx: ProjectContext, version: LiveVersion, settings: RateSettings, workers: int) -> float:
    """Give the calls a second that one of several tasks may put to a version.

    :param workers: tasks that ask it at the same time.
    """
    described: Mapping[str, Any] = ctx.rekognition.describe_version(version.project_arn, version.version_name).raw
    units = int(described.get("MinInferenceUnits") or settings.minimum_inference_units)
    return rate_of_worker(units, settings.detections_per_unit_second, workers)


def rate_of_worker(units: int, detections_per_unit_second: float, workers: int) -> float:
    """Share a version's rate among the tasks that ask it at the same time.

    :param units: inference units that the version runs with at least; AWS may scale up beyond them, never below.
    :param workers: tasks that ask it at the same time.
    :return: calls a second for one of them.
    """
    return max(1, units) * detections_per_unit_second / max(1, workers)
