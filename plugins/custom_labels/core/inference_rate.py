"""How fast a project's tasks may ask a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from custom_labels.aws.rate import rate_of_worker

if TYPE_CHECKING:
    from custom_labels.core.context import ProjectContext
    from custom_labels.core.live_version import LiveVersion


class RateSettings(Protocol):
    """The settings that the rate depends on, of whatever DAG."""

    @property
    def minimum_inference_units(self) -> int:
        """Units of a version of which AWS names none."""

    @property
    def detections_per_unit_second(self) -> float:
        """Calls a second that a unit answers."""


def version_rate(ctx: ProjectContext, version: LiveVersion, settings: RateSettings, workers: int) -> float:
    """Give the calls a second that one of several tasks may put to a version.

    :param workers: tasks that ask it at the same time.
    """
    described: Mapping[str, Any] = ctx.rekognition.describe_version(version.project_arn, version.version_name).raw
    units = int(described.get("MinInferenceUnits") or settings.minimum_inference_units)
    return rate_of_worker(units, settings.detections_per_unit_second, workers)
