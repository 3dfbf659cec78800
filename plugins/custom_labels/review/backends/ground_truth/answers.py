"""What people said in a labeling job, one by one, or together where their single answers are missing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.backends.ground_truth.job import ATTRIBUTE, FIELDS
from custom_labels.review.backends.worker_answers import read_worker_answers
from custom_labels.review.review import Answered, RefusedAnswer, ReviewRequest

log = logging.getLogger(__name__)
TOGETHER = "ground-truth"
"""The reviewer of what several people said together."""


def read_responses(entries: Iterable[Any], request: ReviewRequest, created_at: str) -> Answered:
    """Read what each person said of one image.

    :param entries: ``answers`` of a file of ``worker-response/``.
    :param created_at: when the review was opened, for answers without a time.
    """
    return read_worker_answers(entries, FIELDS[request.task], request, created_at)


def read_output_line(line: Mapping[str, Any], request: ReviewRequest, created_at: str) -> Answered:
    """Read what people said of one image together, as one answer, from its line of the output manifest."""
    found = line.get(f"{ATTRIBUTE}-metadata")
    metadata = found if isinstance(found, dict) else {}
    try:
        content = _content(line.get(ATTRIBUTE), metadata, request.task)
    except (KeyError, TypeError, IndexError) as error:
        log.warning("The line of %s in the output manifest cannot be read: %r", request.name, error)
        return Answered(request, (), (RefusedAnswer(TOGETHER, f"the output manifest has no {error}"),))
    # In UTC, without saying so (SageMaker guide, labeling job output data).
    moment = f"{metadata.get('creation-date')}+00:00"
    entry = {"workerId": TOGETHER, "answerContent": {FIELDS[request.task]: content}, "submissionTime": moment}
    return read_responses([entry], request, created_at)


def _content(value: Any, metadata: Mapping[str, Any], task: ProjectTask) -> dict[str, Any]:
    """Give a label of an output manifest in the shape of one person's answer.

    :raises KeyError: something of it is missing; likewise TypeError and IndexError.
    """
    if task is ProjectTask.IMAGE_CLASSIFICATION:
        return {"label": metadata["class-name"]}
    names = metadata["class-map"]
    if task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        return {"labels": [names[str(index)] for index in value] or [NONE_OF_THE_ABOVE]}
    sides = ("left", "top", "width", "height")
    size = value["image_size"][0]
    boxes = [
        {"label": names[str(box["class_id"])], **{side: box[side] for side in sides}} for box in value["annotations"]
    ]
    return {"boundingBoxes": boxes, "inputImageProperties": {side: size[side] for side in ("width", "height")}}
