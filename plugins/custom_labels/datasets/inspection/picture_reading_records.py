"""Reading the images that were not looked at yet: each once, few at a time, and never a reason not to train."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, ImageSize
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.images import MAXIMUM_BYTES
from custom_labels.datasets.inspection.memory_records import PictureMemory, Unseen, box_part
from custom_labels.datasets.inspection.picture_features import Features, describe
from custom_labels.datasets.manifest import annotated_line
from custom_labels.datasets.pictures import UNREADABLE, open_picture, shrink_upright
from custom_labels.s3.errors import ARCHIVED, CHANGED, CUSTOMER_KEY, MISSING, REFUSED
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

log = logging.getLogger(__name__)

READERS = 4
"""Images read at once, up to 15 MB each, and up to 64 MB while they are decoded."""
BATCH = 256
KEPT_EVERY = 2_048
"""Images after which what was seen is kept, so that a run that is killed goes on there; then after twice as many, and
so on, since the whole file is written."""
_SIDE, _SIDE_WITH_BOXES = 128, 512
"""Pixels of the longer side that a picture is looked at with."""
_SMALLEST_CROP = 4
_SAME_FORM = 0.05
"""Difference of the proportions of a picture and of what its boxes were drawn on, from which it is another picture."""
_NOT_NOW = CHANGED | MISSING | REFUSED | ARCHIVED | CUSTOMER_KEY | {"InvalidRange"}


def read_unseen(store: S3Store, memory: PictureMemory, *, publish: bool, has_boxes: bool) -> int:
    """Look at the images of the snapshot that nothing is remembered of, and give their number.

    :param publish: whether what was seen is kept in S3, as it is where there is something new.
    :raises StorageError: S3 refused for a reason that is not an object's own.
    """
    read = kept = 0
    with ThreadPoolExecutor(READERS) as pool:
        for batch in memory.unseen(BATCH):
            boxes = [_boxes(memory, image) if has_boxes else None for image in batch]
            found = list(pool.map(lambda image, line: _read(store, image, line), batch, boxes))
            memory.remember((image, parts) for image, parts in zip(batch, found, strict=True) if parts is not None)
            read += len(batch)
            if publish and read - kept >= max(KEPT_EVERY, kept):
                memory.keep(store)
                kept = read
    if publish and read > kept:
        memory.keep(store)
    return read


def _boxes(memory: PictureMemory, image: Unseen) -> Annotation:
    return read_boxes_of(memory.body(image.key))


def read_boxes_of(body: str) -> Annotation:
    """Read the boxes of an image as a snapshot keeps them."""
    return KINDS[ProjectTask.OBJECT_DETECTION].read(annotated_line("s3://any-bucket/image", body))


def _read(store: S3Store, image: Unseen, annotation: Annotation | None) -> dict[str, Features] | None:
    """Read and describe an image; nothing in it if it cannot be decoded, ``None`` if it cannot be had now."""
    from botocore.exceptions import ClientError
    from PIL import Image

    wanted = {"IfMatch": f'"{image.etag}"', "Range": f"bytes=0-{MAXIMUM_BYTES - 1}"}
    try:
        body, answer = store.read_bytes(image.key, expect=_NOT_NOW, **wanted)
    except ClientError as error:
        log.warning("An image is not looked at. %s", store.explain("get_object", image.key, error))
        return None
    if answer["ETag"].strip('"') != image.etag:  # not every server of the S3 protocol heeds If-Match on a read
        return None
    try:
        with open_picture(body) as opened:
            picture = shrink_upright(opened, _SIDE if annotation is None else _SIDE_WITH_BOXES)
    except (Image.DecompressionBombError, *UNREADABLE):
        return {}
    return {"": describe(picture), **(_crops(picture, annotation) if annotation else {})}


def _crops(picture: Picture, annotation: Annotation) -> dict[str, Features]:
    """Describe what is within the boxes, as far as they are of this picture and not too small."""
    size = annotation.size or ImageSize(*picture.size)
    if abs(picture.width * size.height / (picture.height * size.width) - 1) > _SAME_FORM:
        return {}
    scale = picture.width / size.width
    found: dict[str, Features] = {}
    for box in annotation.boxes:
        left, top, width, height = (side * scale for side in box.sides)
        if min(width, height) >= _SMALLEST_CROP:
            found[box_part(box)] = describe(
                picture.crop((int(left), int(top), round(left + width), round(top + height)))
            )
    return found
