"""The operator that puts a batch of images without labels to the live version, for people to see what it proposes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from airflow.sdk import TriggerRule

from custom_labels.assist.assist_records import read_batch, write_detected
from custom_labels.assist.settings import AssistSettings
from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.settings import Project
from custom_labels.core.steps import each_of
from custom_labels.detection.detect_batch_operator import BatchWork, DetectBatchOperator
from custom_labels.detection.detection import Detection
from custom_labels.detection.settings import DetectionSettings
from custom_labels.detection.work import BatchResult, DetectionBatch, WorkItem


def propose_labels(
    project: Project, settings: AssistSettings, batches: Sequence[DetectionBatch], folder: str
) -> Sequence[BatchResult]:
    """Add the mapped task that detects the images of a round; give what stands for what became of them.

    :param folder: of the round, relative to the project's prefix.
    """
    mapped = ProposeLabelsOperator.partial(
        task_id="propose_labels",
        project=project.name,
        settings=settings,
        folder=folder,
        pool=project.detection_pool,
        max_active_tis_per_dagrun=project.detection_workers,
        map_index_template="batch {{ task.batch.number }}: {{ task.batch.images }} images",
        trigger_rule=TriggerRule.NONE_FAILED,
    ).expand(batch=each_of(batches))
    return cast("Sequence[BatchResult]", mapped.output)


class ProposeLabelsOperator(DetectBatchOperator):
    """Put a batch of images without labels to the live version and keep what it sees. XCom: what became of them.

    Nothing of it counts as a detection: no result is written beside the images, none is sampled, and people are asked
    only about the images that are chosen later.

    :param folder: of the round, relative to the project's prefix (templated).
    """

    template_fields: Sequence[str] = (*DetectBatchOperator.template_fields, "folder")

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = folder

    def work_of(self, ctx: ProjectContext) -> BatchWork:
        """Give what detects the batch and keeps what the version sees."""
        settings, batch = from_json(DetectionSettings, self.settings), from_json(DetectionBatch, self.batch)
        return ProposalWork(ctx, settings, batch, self.folder)


class ProposalWork(BatchWork):
    """One batch on its way, whose results are files of the round.

    :param folder: of the round, relative to the project's prefix.
    """

    def __init__(self, ctx: ProjectContext, settings: DetectionSettings, batch: DetectionBatch, folder: str) -> None:
        super().__init__(ctx, settings, batch)
        self.folder = folder

    @cached_property
    def _known(self) -> dict[InferenceImage, Detection]:
        """What an earlier try found of this batch."""
        found = read_batch(self.ctx.store, self.folder, self.batch.number)
        return {InferenceImage(each.key, each.etag): each for each in found}

    def find_done(self, chunk: list[WorkItem]) -> dict[InferenceImage, Detection]:
        """Find the images of a chunk that an earlier try detected."""
        images = (image for item in chunk for image in item.images)
        return {image: self._known[image] for image in images if image in self._known}

    def write(self, detections: list[tuple[Detection, LiveVersion]]) -> int:
        """Write what the version saw on the images of a chunk."""
        if detections:
            write_detected(self.ctx.store, self.folder, self.batch.number, [each for each, _ in detections])
        self.counts.update(str(each.decision) for each, _ in detections)
        return 0
