"""Reading one image: what is found in its bytes."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from custom_labels.datasets.annotations.picture_size import PictureFacts
from custom_labels.datasets.image_records import HEAD_BYTES, Checked, check_image, judge_bytes
from custom_labels.datasets.images import MAXIMUM_BYTES, LeftOut
from custom_labels.datasets.split import position
from custom_labels.s3.store import S3Store
from tests.kit.fixtures import Bucket
from tests.kit.pictures import encoded, picture, png

NOISE = Image.frombytes("RGB", (300, 300), random.Random(1).randbytes(300 * 300 * 3))
JPEG = encoded(picture(1, (200, 100)), "JPEG")
LARGE_PNG, LARGE_JPEG = encoded(NOISE, "PNG"), encoded(NOISE, "JPEG", quality=95)


def turned_by(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


LATE_JPEG = encoded(NOISE, "JPEG", quality=90, icc_profile=random.Random(2).randbytes(100_000))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(png(1), None, id="small PNG"),
        pytest.param(JPEG, None, id="small JPEG"),
        pytest.param(LARGE_PNG, None, id="PNG above 64 KiB"),
        pytest.param(LARGE_JPEG, None, id="JPEG above 64 KiB"),
        pytest.param(LATE_JPEG, None, id="JPEG with its size behind 64 KiB"),
        pytest.param(png(1, (10, 10)), LeftOut.TOO_SMALL, id="ten pixels"),
        pytest.param(png(1, (4097, 64)), LeftOut.TOO_LARGE, id="too wide"),
        pytest.param(png(1, (1300, 64)), LeftOut.ASPECT, id="too long"),
        pytest.param(b"some text", LeftOut.FORMAT, id="text"),
        pytest.param(encoded(picture(1), "GIF"), LeftOut.FORMAT, id="GIF"),
        pytest.param(png(1)[:-30], LeftOut.CORRUPT, id="PNG cut off"),
        pytest.param(JPEG[:-200], LeftOut.CORRUPT, id="JPEG cut off"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"x" * 100, LeftOut.CORRUPT, id="PNG made up"),
        pytest.param(b"\xff\xd8\xff" + b"x" * 100_000, LeftOut.CORRUPT, id="JPEG made up"),
        pytest.param(png(1) + b"x" * MAXIMUM_BYTES, LeftOut.TOO_HEAVY, id="above 15 MB"),
        pytest.param(LARGE_PNG[:-100], LeftOut.CORRUPT, id="large PNG cut off near its end"),
        pytest.param(LARGE_JPEG[:-100], LeftOut.CORRUPT, id="large JPEG cut off near its end"),
        pytest.param(LARGE_JPEG[:-30_000], LeftOut.CORRUPT, id="large JPEG cut off in its middle"),
        pytest.param(LARGE_JPEG + bytes(500), None, id="large JPEG with padding"),
        pytest.param(LARGE_JPEG + b"ftyp" * 20_000, None, id="large JPEG with a video behind it"),
        pytest.param(LARGE_PNG + b"more" * 20_000, None, id="large PNG with something behind it"),
        pytest.param(LATE_JPEG[:-100], LeftOut.CORRUPT, id="JPEG with its size behind 64 KiB, cut off"),
    ],
)
def test_check_image(store: S3Store, bucket: Bucket, body: bytes, reason: LeftOut | None) -> None:
    bucket.put("cat/1.png", body)
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    checked = check_image(store, "images_labeled_by_folder/cat/1.png", md5)
    assert checked == Checked(None if reason else position(md5), reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(LARGE_JPEG, None, id="whole JPEG"),
        pytest.param(LARGE_JPEG[:-100], LeftOut.CORRUPT, id="JPEG cut off"),
        pytest.param(LARGE_PNG[:-100], LeftOut.CORRUPT, id="PNG cut off"),
    ],
)
def test_check_image_when_its_etag_says_nothing(
    store: S3Store, bucket: Bucket, body: bytes, reason: LeftOut | None
) -> None:
    bucket.put("cat/1.png", body, ServerSideEncryption="aws:kms")
    key = "images_labeled_by_folder/cat/1.png"
    etag = store.call("head_object", key)["ETag"].strip('"')
    assert check_image(store, key, etag).reason is reason


def test_cases_are_what_they_are_called() -> None:
    assert min(len(LARGE_PNG), len(LARGE_JPEG)) > HEAD_BYTES
    assert judge_bytes(LATE_JPEG[:HEAD_BYTES], whole=False)[0] is LeftOut.CORRUPT


def test_a_huge_picture_in_a_small_file_is_not_decoded() -> None:
    header = bytearray(png(1))
    header[16:24] = (60_000).to_bytes(4, "big") * 2
    assert judge_bytes(bytes(header), whole=True)[0] in {LeftOut.TOO_LARGE, LeftOut.CORRUPT}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([png(1), JPEG]), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8))
def test_damaged_bytes_are_judged_and_never_raise(body: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(body)
    for place, value in changes:
        damaged[place % len(body)] = value
    judge_bytes(bytes(damaged), whole=True)
    judge_bytes(bytes(damaged[: len(body) // 2]), whole=True)


@pytest.mark.parametrize(
    ("format_", "exif", "orientation"),
    [
        pytest.param("JPEG", b"", 1, id="no Exif data"),
        pytest.param("JPEG", turned_by(6), 6, id="turned"),
        pytest.param("JPEG", turned_by(9), 1, id="turned by what is none"),
        pytest.param("JPEG", b"Exif\0\0MM\0*\xff\xff", 1, id="Exif data that are damaged"),
        pytest.param("PNG", turned_by(6), 1, id="a PNG is never turned"),
    ],
)
def test_the_size_and_the_turn_of_a_picture_are_known(
    store: S3Store, bucket: Bucket, format_: str, exif: bytes, orientation: int
) -> None:
    body = encoded(picture(1, (200, 100)), format_, exif=exif)
    bucket.put("cat/1.png", body)

    checked = check_image(store, "images_labeled_by_folder/cat/1.png", hashlib.md5(body).hexdigest())

    assert (checked.reason, checked.picture) == (None, PictureFacts(200, 100, orientation))
