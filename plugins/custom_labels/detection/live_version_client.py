"""The client that follows the live pointer: where another version is swapped in, it goes on with that one."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from custom_labels.aws.inference import EndpointUnavailable, InferenceClient
from custom_labels.core.inference_rate import rate_of_worker, version_rate
from custom_labels.core.live_version import LiveVersion

if TYPE_CHECKING:
    from custom_labels.core.context import ProjectContext
    from custom_labels.detection.settings import DetectionSettings
    from custom_labels.detection.work import DetectionBatch

log = logging.getLogger(__name__)


class LiveVersionClient(InferenceClient[LiveVersion]):
    """Asks the version that serves, whichever that is at the moment, about every label.

    :param batch: names the version to ask first, and how many tasks share its rate.
    """

    def __init__(self, ctx: ProjectContext, settings: DetectionSettings, batch: DetectionBatch) -> None:
        self.ctx = ctx
        self.settings = settings
        self.workers = batch.workers
        rate = rate_of_worker(batch.units, settings.detections_per_unit_second, batch.workers)
        super().__init__(batch.version, ctx.store, rate, minimum_confidence=0)

    def follow(self) -> LiveVersion:
        """Read the pointer again, and go on with the version that it names."""
        live = self.ctx.registry.live()
        if live is None:
            raise EndpointUnavailable("no version serves: registry/live.json is gone")
        with self._lock:
            if live.version_arn != self._version.version_arn:
                log.info("%s serves now, in place of %s.", live.version_name, self._version.version_name)
                rate = version_rate(self.ctx, live, self.settings, self.workers)
                self._bucket.change_full_rate(rate, time.monotonic())
            self._version = live
        return live

    def has_other_version(self, asked: LiveVersion) -> bool:
        """Follow the pointer."""
        return self.follow().version_arn != asked.version_arn
