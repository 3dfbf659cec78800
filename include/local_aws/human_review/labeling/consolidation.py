"""What several workers say of an image together, as the functions of AWS for each kind of task write it.

Sources: the SageMaker guide's pages on annotation consolidation and on labeling job output data. AWS weighs workers by
how often they agree with others; here each has the same weight.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL import Image

from include.local_aws.boxes import Box, overlaps, rows
from include.local_aws.human_review.labeling.managed import Result
from include.local_aws.human_review.labeling.state import LabelingObject
from include.local_aws.human_review.questions import read_box
from include.local_aws.human_review.state import Region
from include.local_aws.human_review.templates import split_s3_uri
from include.local_aws.objects import ObjectDenied, ObjectMissing
from include.local_aws.pictures import UNREADABLE, open_picture, upright_size

_SAME = 0.5
"""Boxes that overlap by so much, as intersection over union, are one."""
Labeled = tuple[Any, dict[str, Any]]


class CannotConsolidate(ValueError):
    """No label comes of the answers; the text is the object's failure-reason."""


def consolidate(region: Region, item: LabelingObject) -> Labeled:
    """Return an object's label and metadata from its workers' answers; raises CannotConsolidate."""
    field = item.job.kind.field
    contents = [answer.content.get(field) for answer in item.answers.values()]
    answers = [content for content in contents if isinstance(content, dict)]
    if len(answers) < len(contents):
        raise CannotConsolidate(f"ClientError: An answer has no '{field}', by which the task type reads it.")
    label, metadata = _RESULTS[item.job.kind.result](region, item, answers)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    common = {"human-annotated": "yes", "creation-date": now, "job-name": f"labeling-job/{item.job.name}"}
    return label, {**metadata, **common}


def _one(_region: Region, item: LabelingObject, answers: Sequence[Mapping[str, Any]]) -> Labeled:
    votes = Counter(str(answer.get("label")) for answer in answers)
    name, most = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
    if name not in item.job.labels:
        raise CannotConsolidate(f"ClientError: The answer {name!r} is none of the label categories.")
    metadata = {"class-name": name, "confidence": _share(most, answers), "type": "groundtruth/image-classification"}
    return item.job.labels.index(name), metadata


def _verdict(region: Region, item: LabelingObject, answers: Sequence[Mapping[str, Any]]) -> Labeled:
    label, metadata = _one(region, item, answers)
    comments = [{"comment": str(answer["workerComment"])} for answer in answers if answer.get("workerComment")]
    feedback = {"worker-feedback": comments} if comments else {}
    return label, {**metadata, "type": "groundtruth/label-verification", **feedback}


def _several(_region: Region, item: LabelingObject, answers: Sequence[Mapping[str, Any]]) -> Labeled:
    votes = Counter(label for answer in answers for label in answer.get("labels", ()))
    ids = {str(index): name for index, name in enumerate(item.job.labels) if votes[name]}
    metadata = {
        "class-map": ids,
        "confidence-map": {index: _share(votes[name], answers) for index, name in ids.items()},
        "type": "groundtruth/image-classification-multilabel",
    }
    return [int(index) for index in ids], metadata


def _boxes(region: Region, item: LabelingObject, answers: Sequence[Mapping[str, Any]]) -> Labeled:
    width, height = _size(region, item.line["source-ref"])
    groups: list[list[Box]] = []
    for answer in answers:
        for box in map(read_box, answer.get("boundingBoxes", ())):
            _group_of(box, groups).append(box)
    kept = [group for group in groups if 2 * len(group) > len(answers)]
    drawn = [(_mean(group), _share(len(group), answers)) for group in kept]
    class_ids = {name: index for index, name in enumerate(item.job.labels)}
    label = {
        "image_size": [{"width": width, "height": height, "depth": 3}],
        "annotations": [
            {"class_id": class_ids[box.label], **{side: round(getattr(box, side)) for side in Box._fields[1:]}}
            for box, _ in drawn
        ],
    }
    metadata: dict[str, Any] = {
        "objects": [{"confidence": share} for _, share in drawn],
        "class-map": {str(class_ids[name]): name for name in sorted({box.label for box, _ in drawn})},
        "type": "groundtruth/object-detection",
    }
    if item.job.kind.changes:
        is_adjusted = any(answer.get("initialValueModified") for answer in answers)
        metadata["adjustment-status"] = "adjusted" if is_adjusted else "unadjusted"
    return label, metadata


def _group_of(box: Box, groups: list[list[Box]]) -> list[Box]:
    """Return the boxes that a box is one with, a new group if there are none."""
    for group in groups:
        if group[0].label == box.label and overlaps(rows([group[0]]), rows([box]))[0, 0] >= _SAME:
            return group
    groups.append([])
    return groups[-1]


def _mean(group: Sequence[Box]) -> Box:
    return Box(group[0].label, *(float(side) for side in rows(group).mean(axis=0)))


def _size(region: Region, uri: str) -> tuple[int, int]:
    try:
        with open_picture(region.objects.read(*split_s3_uri(uri))) as image:
            return upright_size(image)
    except (ObjectMissing, ObjectDenied, Image.DecompressionBombError, *UNREADABLE) as error:
        raise CannotConsolidate(f"ClientError: The image {uri} cannot be read: {error}.") from None


def _share(votes: int, answers: Sequence[object]) -> float:
    return round(votes / len(answers), 2)


_RESULTS: dict[Result, Callable[[Region, LabelingObject, Sequence[Mapping[str, Any]]], Labeled]] = {
    Result.LABEL: _one,
    Result.LABELS: _several,
    Result.BOXES: _boxes,
    Result.VERDICT: _verdict,
}
