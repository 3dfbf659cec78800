"""Variants of an object for a training with few of them: a little moved, resized and turned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from include.local_aws.boxes import Floats as Doubles
from include.local_aws.training.crops import around, cut

_LARGEST_TURN = 20
_SHIFT = 0.04
_GROWTH = 0.06
_PATCH = 64


def varied(
    picture: Image.Image, box: Doubles, count: int, random: np.random.Generator
) -> Iterator[tuple[Image.Image, Doubles]]:
    """Give so many pictures with the object in them and where it is; the first is as it was."""
    yield picture, box
    for number in range(1, count):
        shifted = jittered(box, random)
        yield (
            turned(picture, shifted, float(random.uniform(-_LARGEST_TURN, _LARGEST_TURN)))
            if number % 2
            else (
                picture,
                shifted,
            )
        )


def jittered(box: Doubles, random: np.random.Generator) -> Doubles:
    """Return the box a little moved and resized."""
    size = box[2:] * np.exp(random.normal(0, _GROWTH, 2))
    middle = box[:2] + box[2:] / 2 + random.normal(0, _SHIFT, 2) * box[2:]
    return np.concatenate([middle - size / 2, size])


def turned(picture: Image.Image, box: Doubles, degrees: float) -> tuple[Image.Image, Doubles]:
    """Return the object and what is around it, turned about its middle."""
    side = 2 * max(box[2:])
    part = Image.fromarray(cut(picture, around(box, side, side), (2 * _PATCH, 2 * _PATCH)))
    size = box[2:] * (2 * _PATCH / side)
    place = np.concatenate([_PATCH - size / 2, size])
    return part.rotate(degrees, Image.Resampling.BILINEAR), place
