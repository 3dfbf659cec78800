"""What one labeling job asks: requests that can be asked alike, its name, its manifest and its label categories."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from custom_labels.core.codec import to_json
from custom_labels.core.names import slug
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.review import Purpose, ReviewRequest

ATTRIBUTE = "answer"
"""LabelAttributeName: where a line of the output manifest says what people answered together."""
FIELDS = {
    ProjectTask.IMAGE_CLASSIFICATION: "crowd-image-classifier",
    ProjectTask.MULTI_LABEL_CLASSIFICATION: "crowd-image-classifier-multi-select",
    ProjectTask.OBJECT_DETECTION: "boundingBox",
}
"""Names of the elements on the worker pages, which are those that AWS's functions read answers by."""
_KINDS = {
    ProjectTask.IMAGE_CLASSIFICATION: "ImageMultiClass",
    ProjectTask.MULTI_LABEL_CLASSIFICATION: "ImageMultiClassMultiLabel",
    ProjectTask.OBJECT_DETECTION: "BoundingBox",
}


@dataclass(frozen=True)
class Batch:
    """Requests that one job asks: they have the same labels, the same number of people and the same kind of task."""

    requests: tuple[ReviewRequest, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of the reviews."""
        return frozenset(request.name for request in self.requests)

    @property
    def reviewers(self) -> int:
        """How many people are asked about an image."""
        return self.requests[0].reviewers

    @property
    def kind(self) -> str:
        """The kind of task, as the names of AWS's functions have it."""
        return kind_of(self.requests[0])

    @property
    def categories(self) -> tuple[str, ...]:
        """What may be chosen; the element for several labels has "none" beside its categories, boxes are just left."""
        return categories_of(self.requests[0])

    def job_name(self, project: str) -> str:
        """Derive the job's name from the reviews', so that a repeat finds it.

        LabelingJobName is 1-63 characters of ``[a-zA-Z0-9](-*[a-zA-Z0-9])*``, and no two jobs of an account and region
        ever have the same (SageMaker API reference).
        """
        digest = hashlib.sha256("\n".join(sorted(self.names)).encode()).hexdigest()
        return f"{job_prefix(project)}{digest[:24]}"

    def lines(self) -> list[dict[str, Any]]:
        """Give the lines of the input manifest: each says which review it is of."""
        return [manifest_line(request) for request in self.requests]

    def category_file(self) -> dict[str, Any]:
        """Give the label categories as Ground Truth reads them."""
        return {"document-version": "2018-11-28", "labels": [{"label": label} for label in self.categories]}


def batches(requests: Iterable[ReviewRequest]) -> list[Batch]:
    """Share out requests among as few jobs as can ask them."""

    def asked_alike(request: ReviewRequest) -> tuple[str, int, tuple[str, ...]]:
        return kind_of(request), request.reviewers, request.labels

    ordered = sorted(requests, key=lambda request: (asked_alike(request), request.name))
    return [Batch(tuple(together)) for _, together in groupby(ordered, asked_alike)]


def job_prefix(project: str) -> str:
    """Give what the names of a project's jobs begin with; another project's may begin likewise."""
    return f"{slug(project)}-reviews-"


def kind_of(request: ReviewRequest) -> str:
    """Name the kind of task: boxes that the model found are adjusted, but for audits, which do not show them."""
    shows_boxes = request.boxes and request.purpose is not Purpose.AUDIT
    return "AdjustmentBoundingBox" if shows_boxes else _KINDS[request.task]


def categories_of(request: ReviewRequest) -> tuple[str, ...]:
    """Give the label categories of a job that asks a request."""
    if request.task is ProjectTask.IMAGE_CLASSIFICATION:
        return (*request.labels, NONE_OF_THE_ABOVE)
    return request.labels


def manifest_line(request: ReviewRequest) -> dict[str, Any]:
    """Write a request as a line of an input manifest."""
    return {"source-ref": request.image, "review": to_json(request)}


def task_input(request: ReviewRequest) -> str:
    """Write what AWS's functions make of a line for the worker page."""
    content: Mapping[str, Any] = {
        "taskObject": request.image,
        "labels": categories_of(request),
        "manifestLine": manifest_line(request),
    }
    return json.dumps(content, ensure_ascii=False)
