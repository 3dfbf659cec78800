"""What Label Studio's tasks and annotations say: the question, the answers, and which of them count."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.json_lines import is_number
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.answer_content import AnswerRefused, read_boxes, read_label, read_labels
from custom_labels.review.backends.base import ReviewBackendError
from custom_labels.review.backends.label_studio.labeling import FIELD, IMAGE, shown
from custom_labels.review.backends.label_studio.projects import PREDICTIONS
from custom_labels.review.review import (
    Answered,
    AnyAnswer,
    BoxesAnswer,
    LabelsAnswer,
    Purpose,
    RefusedAnswer,
    ReviewAnswer,
    ReviewRequest,
    ReviewState,
    ReviewStatus,
)

log = logging.getLogger(__name__)
NAME = "review"
"""Field of a task's data and of its meta that holds the review's name; ``REQUEST`` of its meta, the whole question."""
REQUEST, ENDED_AT = "request", "ended_at"


def task_of(request: ReviewRequest) -> dict[str, Any]:
    """Write a request as a task of Label Studio, with what the model found filled in; an audit shows nothing of it.

    :raises ReviewBackendError: Label Studio makes no link to an image of this name.
    """
    if any(each in request.key for each in "?;"):
        raise ReviewBackendError(
            f"Review {request.name} is not opened: the key {request.key!r} has a '?' or ';', at which Label Studio "
            "cuts the address of an image. Put the image under another name."
        )
    task: dict[str, Any] = {
        "data": {IMAGE: request.image, NAME: request.name, "version": request.version_name},
        "meta": {NAME: request.name, REQUEST: to_json(request)},
    }
    guess = [] if request.purpose is Purpose.AUDIT else _guess(request)
    if guess:
        score = {} if request.confidence is None else {"score": request.confidence / 100}
        task["predictions"] = [{"model_version": PREDICTIONS, "result": guess, **score}]
    return task


def _guess(request: ReviewRequest) -> list[dict[str, Any]]:
    """Write what the model found as a result of Label Studio; labels that are not offered are left out."""
    common = {"from_name": FIELD, "to_name": IMAGE}
    offered = frozenset(request.labels)
    if request.task is not ProjectTask.OBJECT_DETECTION:
        named = request.guesses if request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION else (request.label,)
        labels = [shown(label) for label in named if label in offered]
        return [{**common, "type": "choices", "value": {"choices": labels}}] if labels else []
    size = request.size
    if size is None:
        return []
    return [
        {
            **common,
            "id": f"box{number}",
            "type": "rectanglelabels",
            "original_width": size.width,
            "original_height": size.height,
            "image_rotation": 0,
            "value": {
                "x": box.left * 100 / size.width,
                "y": box.top * 100 / size.height,
                "width": box.width * 100 / size.width,
                "height": box.height * 100 / size.height,
                "rotation": 0,
                "rectanglelabels": [shown(box.label)],
            },
        }
        for number, box in enumerate(request.boxes)
        if box.label in offered
    ]


def name_of(task: Mapping[str, Any]) -> str | None:
    """Give the name of the review that a task stands for; ``None`` if it is not one of ours."""
    meta = task.get("meta")
    name = meta.get(NAME) if isinstance(meta, Mapping) else None
    return name if isinstance(name, str) else None


def is_open(task: Mapping[str, Any]) -> bool:
    """Whether somebody may still answer a task."""
    return not task.get("is_labeled") and ENDED_AT not in task["meta"]


def state_of(tasks: Sequence[Mapping[str, Any]], url: str) -> ReviewState:
    """Give the state of a review from its task; there are several where two runs opened it at the same moment.

    :param url: of Label Studio.
    """
    first = min(tasks, key=lambda task: int(task["id"]))
    if any(task.get("is_labeled") and ENDED_AT not in task["meta"] for task in tasks):
        status = ReviewStatus.COMPLETED
    else:
        status = ReviewStatus.OPEN if any(map(is_open, tasks)) else ReviewStatus.STOPPED
    created = min(_moment(task["created_at"]) for task in tasks)
    where = f"{url}/projects/{first['project']}/data?task={first['id']}" if status.is_final else None
    return ReviewState(first["meta"][NAME], status, created, where)


def answered(tasks: Iterable[Mapping[str, Any]], labels: Iterable[str]) -> Answered | None:
    """Read a review's question and the answers to it.

    A person counts once, with what they submitted or changed last. Skipped images are refused, and what was submitted
    after the review was stopped. Of a person nothing is kept but Label Studio's number of them.

    :param labels: that the project at Label Studio offers, some perhaps only since the review was opened.
    :return: ``None`` for what this package did not ask.
    """
    request: ReviewRequest | None = None
    latest: dict[str, tuple[str, AnyAnswer | RefusedAnswer]] = {}
    for task in tasks:
        try:
            request = from_json(ReviewRequest, task["meta"][REQUEST])
        except (ValidationError, KeyError, TypeError) as error:
            log.warning("Task %s of Label Studio holds no request of ours: %s", task.get("id"), error)
            continue
        widened = replace(request, labels=(*request.labels, *sorted(set(labels) - set(request.labels))))
        for annotation in task.get("annotations") or []:
            read = _read(annotation, widened, task["meta"].get(ENDED_AT))
            at = _moment(annotation.get("updated_at") or annotation["created_at"])
            latest[read.reviewer] = max((at, read), latest.get(read.reviewer, ("", read)), key=lambda each: each[0])
    if request is None:
        return None
    counted = [each for _, each in sorted(latest.values(), key=lambda each: (each[0], each[1].reviewer))]
    answers = tuple(each for each in counted if not isinstance(each, RefusedAnswer))
    refused = tuple(each for each in counted if isinstance(each, RefusedAnswer))
    for each in refused:
        log.warning("An answer to %s is not counted: %s.", request.name, each.why)
    return Answered(request, answers, refused)


def _read(annotation: Mapping[str, Any], request: ReviewRequest, ended_at: str | None) -> AnyAnswer | RefusedAnswer:
    by = annotation.get("completed_by")
    number = by.get("id") if isinstance(by, Mapping) else by
    reviewer = "unknown" if number is None else f"label-studio-{number}"
    try:
        return _answer(annotation, reviewer, request, ended_at)
    except AnswerRefused as error:
        return RefusedAnswer(reviewer, str(error))


def _answer(annotation: Mapping[str, Any], reviewer: str, request: ReviewRequest, ended_at: str | None) -> AnyAnswer:
    """Read one annotation.

    :raises AnswerRefused: it cannot be counted.
    """
    submitted_at = _moment(annotation.get("updated_at") or annotation["created_at"])
    if annotation.get("was_cancelled"):
        raise AnswerRefused("the image was skipped")
    if ended_at is not None and submitted_at > ended_at:
        raise AnswerRefused(f"it was submitted at {submitted_at}, after the review had been stopped")
    spent = annotation.get("lead_time")
    seconds = float(spent) if is_number(spent) else None
    results = annotation.get("result")
    if not isinstance(results, list):
        raise AnswerRefused("it has no list of results")
    if request.task is ProjectTask.OBJECT_DETECTION:
        boxes, size, notes = read_boxes(_boxes(results, request), request)
        return BoxesAnswer(reviewer, boxes, size, submitted_at, seconds, notes)
    chosen = _choices(results, request)
    if request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        return LabelsAnswer(reviewer, read_labels({"labels": chosen}, request), submitted_at, seconds)
    if len(chosen) != 1:
        raise AnswerRefused(f"it has {len(chosen)} labels instead of one")
    return ReviewAnswer(reviewer, read_label({"label": chosen[0]}, request), submitted_at, seconds)


def _values(results: list[Any], kind: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Give each result with its value.

    :raises AnswerRefused: there is one of another kind, or of another control.
    """
    for each in results:
        if not isinstance(each, Mapping) or not isinstance(each.get("value"), Mapping):
            raise AnswerRefused("it has a result without a value")
        if each.get("type") != kind or each.get("from_name") != FIELD:
            raise AnswerRefused(f"it has a result of type {each.get('type')!r} by {each.get('from_name')!r}")
    return [(each, each["value"]) for each in results]


def _choices(results: list[Any], request: ReviewRequest) -> list[Any]:
    chosen = [
        _label(label, request) for _, value in _values(results, "choices") for label in value.get("choices") or []
    ]
    if not chosen:
        raise AnswerRefused(f"it has no label, not even '{NONE_OF_THE_ABOVE}'")
    return chosen


def _label(given: Any, request: ReviewRequest) -> Any:
    """Give the label that people see by this text."""
    return next((label for label in request.labels if shown(label) == given), given)


def _boxes(results: list[Any], request: ReviewRequest) -> dict[str, Any]:
    """Give boxes in pixels, which Label Studio has in percent of the upright picture.

    :raises AnswerRefused: one is turned, or has no label; or there is none, and the picture's size is not known.
    """
    entries: list[dict[str, Any]] = []
    size = request.size
    sides: tuple[Any, Any] = (size.width, size.height) if size else (None, None)
    for result, value in _values(results, "rectanglelabels"):
        sides = (result.get("original_width"), result.get("original_height"))
        if value.get("rotation") or result.get("image_rotation"):
            raise AnswerRefused("a box is turned")
        labels = value.get("rectanglelabels")
        if not isinstance(labels, list) or len(labels) != 1:
            raise AnswerRefused("a box has no label, or several")
        numbers = [value.get(name) for name in ("x", "y", "width", "height")]
        if not all(map(is_number, (*sides, *numbers))):
            raise AnswerRefused("a box has no numbers as x, y, width and height, or its picture none as its sides")
        left, top, width, height = (
            _pixels(number, side) for number, side in zip(numbers, (*sides, *sides), strict=True)
        )
        entries.append(
            {"label": _label(labels[0], request), "left": left, "top": top, "width": width, "height": height}
        )
    if sides == (None, None):
        raise AnswerRefused("it has no box, and the size of the picture is not known")
    return {
        "inputImageProperties": {"width": sides[0], "height": sides[1]},
        "boundingBoxes": entries,
    }


def _pixels(percent: Any, side: Any) -> float:
    """Give a share of a side in pixels, without the noise that percents leave behind the point."""
    return float(round(percent * side / 100, 3))


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")
