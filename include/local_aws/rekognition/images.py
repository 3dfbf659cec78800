"""Check an image as Custom Labels does, before training on it or detecting in it.

Limits are those of the guide's page on guidelines and quotas: PNG or JPEG, 64 to 4096 pixels a side, at most
15 MB in S3, at most 20 times as long as wide.
"""

from __future__ import annotations

from enum import Enum

from PIL import Image

from include.local_aws.pictures import UNREADABLE, open_picture, upright_size

SMALLEST_SIDE = 64
LARGEST_SIDE = 4096
LARGEST_BYTES = 15 * 1024 * 1024
LONGEST_RATIO = 20


class ImageProblem(Enum):
    """What keeps an image from being used."""

    TOO_LARGE = "too many bytes"
    FORMAT = "not a readable PNG or JPEG image"
    DIMENSION = "sides or their ratio out of range"


def find_problem(content: bytes, *, decode: bool) -> ImageProblem | None:
    """Return what is wrong with an encoded image, None if nothing is; `decode` reads it to the end."""
    if len(content) > LARGEST_BYTES:
        return ImageProblem.TOO_LARGE
    try:
        with open_picture(content) as image:
            sides = image.size
            if min(sides) < SMALLEST_SIDE or max(sides) > LARGEST_SIDE or max(sides) > LONGEST_RATIO * min(sides):
                return ImageProblem.DIMENSION
            if decode:
                image.load()
    except (Image.DecompressionBombError, *UNREADABLE):
        return ImageProblem.FORMAT
    return None


def size_of(content: bytes) -> tuple[int, int]:
    """Return width and height, upright, of an image in which no problem was found."""
    with open_picture(content) as image:
        return upright_size(image)
