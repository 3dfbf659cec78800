"""What workers of SageMaker say of one image, as Amazon A2I and Ground Truth write it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.review.answer_content import AnswerRefused, read_boxes, read_label, read_labels
from custom_labels.review.review import (
    Answered,
    AnyAnswer,
    BoxesAnswer,
    LabelsAnswer,
    RefusedAnswer,
    ReviewAnswer,
    ReviewRequest,
)

log = logging.getLogger(__name__)


def read_worker_answers(entries: Iterable[Any], field: str, request: ReviewRequest, created_at: str) -> Answered:
    """Read everybody's answers to a request; those that cannot be counted are named with the reason.

    Of a person nothing is kept but the opaque ``workerId``.

    :param field: name of the element on the page that answers are read by.
    :param created_at: when the review was opened, for an answer without a time.
    """
    answers: list[AnyAnswer] = []
    refused: list[RefusedAnswer] = []
    for entry in entries:
        try:
            answers.append(_read_answer(entry, field, request, created_at))
        except AnswerRefused as error:
            log.warning("An answer to %s is not counted: %s.", request.name, error)
            reviewer = entry.get("workerId") if isinstance(entry, dict) else None
            refused.append(RefusedAnswer(reviewer if isinstance(reviewer, str) else "unknown", str(error)))
    return Answered(request, tuple(answers), tuple(refused))


def _read_answer(entry: Any, field: str, request: ReviewRequest, created_at: str) -> AnyAnswer:
    """Read one person's answer.

    :raises AnswerRefused: it cannot be counted.
    """
    try:
        content, reviewer = entry["answerContent"][field], entry["workerId"]
    except (KeyError, TypeError) as error:
        raise AnswerRefused(f"it has no {error}") from error
    if not isinstance(reviewer, str):
        raise AnswerRefused("its 'workerId' is no text")
    try:
        submitted_at = (
            datetime.fromisoformat(entry["submissionTime"]).astimezone(UTC).isoformat(timespec="milliseconds")
        )
    except (KeyError, TypeError, ValueError):
        submitted_at = created_at
    spent = entry.get("timeSpentInSeconds")
    seconds = float(spent) if isinstance(spent, int | float) else None
    if request.task is ProjectTask.OBJECT_DETECTION:
        boxes, size, notes = read_boxes(content, request)
        return BoxesAnswer(reviewer, boxes, size, submitted_at, seconds, notes)
    if request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        return LabelsAnswer(reviewer, read_labels(content, request), submitted_at, seconds)
    return ReviewAnswer(reviewer, read_label(content, request), submitted_at, seconds)
