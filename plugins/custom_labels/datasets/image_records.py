"""Reading images to see whether Custom Labels would take them: the first 64 KiB, the end, and more where needed.

``snapshots/checks/images.sqlite`` remembers what was found, so that no image is read twice. Losing it costs only
reading again. It is written by a run that holds the project's lock.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from custom_labels.core.keys import CHECKS
from custom_labels.datasets.annotations.picture_size import PictureFacts
from custom_labels.datasets.image_table import ImageTable, ListedImage
from custom_labels.datasets.images import MAXIMUM_BYTES, LeftOut, Tally, etag_is_md5, judge_header
from custom_labels.datasets.pictures import JPEG, PNG, UNREADABLE, open_picture, picture_facts
from custom_labels.datasets.split import position
from custom_labels.s3.errors import ARCHIVED, CHANGED, CUSTOMER_KEY, MISSING, REFUSED, StorageError, error_code
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

READERS = 32
"""Images read at once."""
_BATCH = 32 * READERS
NAMED = 3
"""Refused images that the log names with S3's own words."""
PROBES = 5
"""Images known to be good that are read again, where all others were refused, to tell whose fault it is."""
HEAD_BYTES = 64 * 1024
TAIL_BYTES = 1024
"""Read of a larger image in a second call: enough for its end and some padding, at 0.40 USD a million images."""
_REASONS = (
    *((MISSING, LeftOut.VANISHED), (CHANGED, LeftOut.REPLACED)),
    *((CUSTOMER_KEY, LeftOut.CUSTOMER_KEY), (ARCHIVED, LeftOut.ARCHIVED)),
)
"""What S3's codes mean for the one object that was asked for; any other is that it may not be read."""
_PNG_END, _JPEG_END, _PADDING = b"\0\0\0\0IEND\xaeB`\x82", b"\xff\xd9", b"\0\xff\r\n\t "
# Whole images, up to 15 MB each, are read by few threads at once, so that memory stays bounded.
_large_reads = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Checked:
    """What is known of one object after it was read.

    :param position: of its content, by the MD5: the ETag where S3 says that it is that, else computed. Copies made in
        different ways (one PUT, a multipart upload, another key for encryption) so have the same. None if left out.
    :param reason: why it is left out, if it is.
    :param detail: what S3 answered, where it refused to give the object.
    :param picture: what its file says of the picture, where it can be read.
    """

    position: str | None
    reason: LeftOut | None = None
    detail: str = ""
    picture: PictureFacts | None = field(default=None, compare=False)


def fetch_checks(store: S3Store, images: ImageTable, folder: Path) -> Path:
    """Let a table of images know what earlier checks found; give the local file of that."""
    path = folder / "checks.sqlite"
    store.download(CHECKS, path)
    images.use_checks(path)
    return path


def check_images(store: S3Store, images: ImageTable, tally: Tally) -> int:
    """Check the images that no earlier check knows, and give their number.

    :param tally: takes the images that cannot be read now.
    :raises StorageError: S3 gave none of the images that were asked for.
    """
    read = refused = 0
    refusal = ""
    while batch := images.some(_BATCH, known=False):
        found = check_all(store, batch)
        images.settle(((image, one.position, one.reason) for image, one in zip(batch, found, strict=True)), tally)
        images.note_pictures((image, one.picture) for image, one in zip(batch, found, strict=True) if one.picture)
        read += len(batch)
        for detail in filter(None, (checked.detail for checked in found)):
            refused += 1
            refusal = refusal or detail
            if refused <= NAMED:
                log.warning("An image is left out. %s", detail)
    if refused and refused == read and all(probe.detail for probe in check_all(store, images.some(PROBES, known=True))):
        # Then it is not the images' fault, and without them nothing can be trained.
        raise StorageError(f"None of the {refused} images that were to be checked could be read. {refusal}")
    return read


def check_all(store: S3Store, images: Collection[ListedImage]) -> list[Checked]:
    """Read some images, many at once; the first error ends it."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda image: check_image(store, image.key, image.etag), images))


def check_image(store: S3Store, key: str, etag: str) -> Checked:
    """Read an image's beginning and end, and judge it.

    An object of at most 64 KiB is read whole. Of a larger one the header and the last bytes are: where they are no
    image's end, it is read whole as well, so that one that is cut off is not taken for one with something behind it.
    Damage in the middle passes; Custom Labels names such an image after the training, see ``refusals_records``.

    :param key: relative to the project's prefix.
    :param etag: as listed, without quotes; another one by now means that it was replaced.
    :raises StorageError: S3 refused for a reason that is not the object's own.
    """
    from botocore.exceptions import ClientError

    try:
        return _check(store, key, etag)
    except ClientError as error:
        reason = next((reason for codes, reason in _REASONS if error_code(error) in codes), LeftOut.DENIED)
        return Checked(None, reason, str(store.explain("get_object", key, error)) if reason.is_refused else "")


def _check(store: S3Store, key: str, etag: str) -> Checked:
    wanted: dict[str, Any] = {"expect": CHANGED | MISSING | REFUSED, "IfMatch": f'"{etag}"'}
    head, answer = store.read_bytes(key, **wanted, Range=f"bytes=0-{HEAD_BYTES - 1}")
    if answer["ETag"].strip('"') != etag:  # not every server of the S3 protocol heeds If-Match on a read
        return Checked(None, LeftOut.REPLACED)
    size = int(answer.get("ContentRange", "/0").rpartition("/")[2]) or len(head)
    if size > MAXIMUM_BYTES:
        return Checked(None, LeftOut.TOO_HEAVY)
    needs_content = not etag_is_md5(etag, answer.get("ServerSideEncryption"), answer.get("SSECustomerAlgorithm"))
    (reason, picture), content_id = judge_bytes(head, whole=size == len(head)), etag
    if size == len(head):
        content_id = _md5(head) if needs_content else etag
    elif reason in {None, LeftOut.CORRUPT} and (needs_content or reason or not _ends_well(store, key, head, wanted)):
        # A JPEG may carry a preview and colour tables of more than 64 KiB before its dimensions, and videos behind it.
        with _large_reads:
            body, _ = store.read_bytes(key, **wanted)
            reason, picture = judge_bytes(body, whole=not is_complete(body))
            content_id = _md5(body) if needs_content else etag
    return Checked(None if reason else position(content_id), reason, picture=picture)


def _ends_well(store: S3Store, key: str, head: bytes, wanted: dict[str, Any]) -> bool:
    """Read the last bytes of an image, and say whether they are an image's end."""
    tail, _ = store.read_bytes(key, **wanted, Range=f"bytes=-{TAIL_BYTES}")
    return is_complete(head[: len(PNG)] + tail)


def is_complete(data: bytes) -> bool:
    """Say whether an image ends as its format demands; one that does not may yet be whole, with more behind it.

    :param data: its bytes, or the first and the last of them.
    """
    if data.startswith(PNG):
        return data.endswith(_PNG_END)
    return data.rstrip(_PADDING).endswith(_JPEG_END)


def judge_bytes(data: bytes, *, whole: bool) -> tuple[LeftOut | None, PictureFacts | None]:
    """Judge an image by its first bytes, and say what they tell of the picture.

    :param whole: whether these are all its bytes, so that its end is checked too.
    :return: why Custom Labels would refuse it, ``None`` when it would not; and its size.
    """
    from PIL import Image

    picture = None
    if not data.startswith((PNG, JPEG)):
        return LeftOut.FORMAT, picture
    try:
        with open_picture(data) as image:
            picture = picture_facts(image)
            reason = judge_header(image.format or "", image.width, image.height)
            if reason is None and whole and image.format == "PNG":
                image.verify()
            elif reason is None and whole:
                image.draft("L", (64, 64))  # Pillow verifies nothing of a JPEG; decoding an eighth of the size is cheap
                image.load()
    except Image.DecompressionBombError:
        return LeftOut.TOO_LARGE, picture
    except UNREADABLE:
        return LeftOut.CORRUPT, picture
    return reason, picture


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
