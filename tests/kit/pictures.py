"""Small pictures, each different."""

from __future__ import annotations

import functools
import io
import random

from PIL import Image


def picture(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Draw a picture that depends on the seed."""
    colour = random.Random(seed).randbytes(3)
    return Image.new("RGB", size, tuple(colour))


@functools.cache
def png(seed: int = 0, size: tuple[int, int] = (64, 64)) -> bytes:
    """Give a PNG file."""
    file = io.BytesIO()
    picture(seed, size).save(file, "PNG")
    return file.getvalue() + b""


def encoded(image: Image.Image, format: str, **options: object) -> bytes:  # noqa: A002
    """Give a picture as a file of some format."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()
