"""The size of an image in S3: as a person sees it, however much there is before it in the file."""

from __future__ import annotations

import pytest
from PIL import Image

from custom_labels.datasets.annotations.annotation import ImageSize
from custom_labels.datasets.picture_records import read_image_size
from custom_labels.s3.store import S3Store
from tests.kit.pictures import encoded, picture, png

KEY = "images_for_detection/a"


def put(store: S3Store, body: bytes) -> str:
    return str(store.call("put_object", KEY, Body=body)["ETag"]).strip('"')


def jpeg(orientation: int, padding: int = 0) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = encoded(picture(1, (96, 64)), "JPEG", exif=exif)
    segment = b"\xff\xe2\xff\xff" + bytes(65_533)
    return plain[:2] + segment * padding + plain[2:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_as_its_exif_data_turn_it(store: S3Store, orientation: int) -> None:
    size = ImageSize(96, 64) if orientation < 5 else ImageSize(64, 96)

    assert read_image_size(store, KEY, put(store, jpeg(orientation))) == size


def test_a_png_is_never_turned(store: S3Store) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    etag = put(store, encoded(picture(1, (96, 64)), "PNG", exif=exif))

    assert read_image_size(store, KEY, etag) == ImageSize(96, 64)


def test_a_size_behind_a_large_preview_is_found(store: S3Store) -> None:
    assert read_image_size(store, KEY, put(store, jpeg(6, padding=3))) == ImageSize(64, 96)


@pytest.mark.parametrize("body", [b"no image", b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff" + bytes(70_000)])
def test_what_is_no_picture_has_no_size(store: S3Store, body: bytes) -> None:
    assert read_image_size(store, KEY, put(store, body)) is None


def test_another_image_by_now_has_no_size(store: S3Store) -> None:
    etag = put(store, png(1))
    put(store, png(2))

    assert read_image_size(store, KEY, etag) is None
    store.call("delete_object", KEY)
    assert read_image_size(store, KEY, etag) is None
