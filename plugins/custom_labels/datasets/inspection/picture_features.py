"""What is remembered of a picture: a perceptual hash, and 512 bytes that near copies and similar things have alike.

The bytes are, in order: 16 x 16 values of brightness, 8 x 8 of each of the two colour differences (YCbCr), and for each
of 4 x 4 fields how strong its edges are in eight directions (a histogram of oriented gradients).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

LENGTH = 512
"""Bytes of the features of a picture."""
BRIGHTNESS = 16
COLOUR = 8
_SHAPE = BRIGHTNESS**2 + 2 * COLOUR**2
"""Bytes of brightness and colour, before those of edges."""
_EDGE_SIDE, _FIELDS, _DIRECTIONS = 32, 4, 8
FLAT = 4.0
"""Standard deviation of the brightness, of 255, below which a picture shows nothing that could be compared."""
SAME_COLOUR = 20.0
"""Difference of the mean colours, of 255, up to which pictures may be near copies."""
PLAIN_SHARE = 0.25
PLAIN_STEP = 8
"""A picture is plain where a quarter of it has one brightness: drawings and digits on paper resemble each other."""
LIKE = 0.98
LIKE_PLAIN = 0.998
"""Correlation from which pictures are near copies, and from which plain ones are."""


@dataclass(frozen=True)
class Features:
    """What is remembered of a picture.

    :param hash: of 64 bits, ``None`` of a flat picture, which has no structure to hash.
    :param content: the bytes.
    """

    hash: int | None
    content: bytes


def describe(picture: Picture) -> Features:
    """Compute the hash and the bytes of a picture.

    :param picture: upright, in RGB, with sides of some hundred pixels.
    """
    import imagehash
    import numpy as np
    from PIL import Image

    bands = picture.convert("YCbCr").split()
    bright = np.asarray(bands[0].resize((BRIGHTNESS, BRIGHTNESS), Image.Resampling.BOX), np.uint8)
    colours = [np.asarray(each.resize((COLOUR, COLOUR), Image.Resampling.BOX), np.uint8) for each in bands[1:]]
    edges = _edges(np.asarray(bands[0].resize((_EDGE_SIDE, _EDGE_SIDE), Image.Resampling.BOX), np.float32))
    is_flat = float(bright.std()) < FLAT
    bits = None if is_flat else int(str(imagehash.phash(picture)), 16)
    return Features(bits, b"".join(each.tobytes() for each in (bright, *colours, edges)))


def _edges(bright: Any) -> Any:
    """Sum up the edges by field and direction; roots, so that one strong edge does not outweigh all others."""
    import numpy as np

    down, across = np.gradient(bright)
    strength = np.hypot(down, across).ravel()
    direction = ((np.arctan2(down, across) % np.pi) * (_DIRECTIONS / np.pi)).astype(np.int64).ravel() % _DIRECTIONS
    rows, columns = np.indices(bright.shape).reshape(2, -1) // (_EDGE_SIDE // _FIELDS)
    bins = (rows * _FIELDS + columns) * _DIRECTIONS + direction
    sums = np.sqrt(np.bincount(bins, strength, _FIELDS * _FIELDS * _DIRECTIONS))
    return (255 * sums / max(float(sums.max()), 1.0)).astype(np.uint8)


def are_near_copies(one: Any, other: Any) -> Any:
    """Say of rows of features, pairwise, which show near copies: as bright and as colourful as each other or not.

    :param one: array of n rows of bytes; likewise ``other``.
    :return: array of n truth values.
    """
    import numpy as np

    (first, first_colour, first_plain), (second, second_colour, second_plain) = _compared(one), _compared(other)
    alike = np.einsum("ij,ij->i", first, second)
    limit = np.where(first_plain | second_plain, LIKE_PLAIN, LIKE)
    return (alike >= limit) & (np.abs(first_colour - second_colour).max(axis=1) <= SAME_COLOUR)


def _compared(rows: Any) -> tuple[Any, Any, Any]:
    """Give structure of length 1 without mean brightness and colour, the mean colours, and which rows are plain."""
    import numpy as np

    bright = rows[:, : BRIGHTNESS**2].astype(np.float32)
    colours = rows[:, BRIGHTNESS**2 : _SHAPE].astype(np.float32).reshape(len(rows), 2, -1)
    means = colours.mean(axis=2)
    centred = bright - bright.mean(axis=1, keepdims=True)
    # A value of colour stands for four of brightness.
    parts = np.concatenate((centred, 2 * (colours - means[:, :, None]).reshape(len(rows), -1)), axis=1)
    levels = (rows[:, : BRIGHTNESS**2] // PLAIN_STEP).astype(np.int64)
    steps = 256 // PLAIN_STEP
    counts = np.zeros((len(rows), steps), np.int64)
    np.add.at(counts, (np.arange(len(rows))[:, None], levels), 1)
    plain = counts.max(axis=1) >= PLAIN_SHARE * BRIGHTNESS**2
    return parts / np.maximum(np.linalg.norm(parts, axis=1, keepdims=True), 1e-6), means, plain
