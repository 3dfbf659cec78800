"""Annotations as COCO JSON, written as they come: memory grows with the labels, not with the images."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from custom_labels.datasets.annotations.annotation import Annotation

NOT_HELD = (
    "COCO has no place for when an image was annotated, by whom, and in which labeling job; nor for the number of an "
    "image's channels, nor for the size of an image that has no boxes."
)


def write_coco(
    file: IO[str], annotations: Iterable[Annotation], labels: Sequence[str], uri_prefix: str, created: str
) -> int:
    """Write a COCO file; give the number of its images.

    An image has its key as ``file_name`` and its S3 URI as ``coco_url``; a confidence below 1 is the ``score`` of the
    annotation. A label of a whole image is an annotation without ``bbox``.

    :param labels: those of the annotations, in the order of their ids.
    :param uri_prefix: ``s3://bucket/prefix/`` of the project.
    :param created: when this was so, ISO 8601.
    """
    info = {"description": f"Images of {uri_prefix}. {NOT_HELD}", "date_created": created}
    ids = {label: number for number, label in enumerate(labels, start=1)}
    categories = [{"id": number, "name": label, "supercategory": ""} for label, number in ids.items()]
    file.write(f'{{"info":{_text(info)},\n"licenses":[],\n"categories":{_text(categories)},\n"images":[')
    images = 0
    # Both lists are as long as the images are many, and one must be finished before the other begins.
    with tempfile.TemporaryFile("w+", encoding="ascii") as shapes:
        numbers = itertools.count(1)
        for images, annotation in enumerate(annotations, start=1):
            file.write(f"{',' if images > 1 else ''}\n{_text(_image(images, annotation, uri_prefix))}")
            for shape in _shapes(images, annotation, ids, numbers):
                shapes.write(f"{',' if shape['id'] > 1 else ''}\n{_text(shape)}")
        shapes.seek(0)
        file.write('\n],\n"annotations":[')
        shutil.copyfileobj(shapes, file)
    file.write("\n]}\n")
    return images


def _image(number: int, annotation: Annotation, uri_prefix: str) -> dict[str, Any]:
    uri = annotation.source_ref
    size = {"width": annotation.size.width, "height": annotation.size.height} if annotation.size else {}
    return {"id": number, "file_name": uri.removeprefix(uri_prefix), "coco_url": uri, **size}


def _shapes(
    image: int, annotation: Annotation, ids: dict[str, int], numbers: Iterator[int]
) -> Iterator[dict[str, Any]]:
    for box in annotation.boxes:
        sides = [box.left, box.top, box.width, box.height]
        place = {"bbox": sides, "area": box.width * box.height, "segmentation": [], "iscrowd": 0}
        yield {"id": next(numbers), "image_id": image, "category_id": ids[box.label], **place, **_score(box.confidence)}
    for each in annotation.image_labels:
        yield {"id": next(numbers), "image_id": image, "category_id": ids[each.label], **_score(each.confidence)}


def _score(confidence: float) -> dict[str, float]:
    return {} if confidence == 1 else {"score": confidence}


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
