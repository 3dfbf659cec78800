"""Whether boxes were drawn on the picture that they belong to: its size, and how it is turned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from custom_labels.datasets.annotations.annotation import ImageSize

UPRIGHT = 1
"""Exif's orientation of a picture that is stored as it is shown; 5 to 8 are turned by a quarter."""
_QUARTER_TURN = 5


@dataclass(frozen=True)
class PictureFacts:
    """What a picture's file says.

    :param width: of the pixels as they are stored; likewise ``height``.
    :param orientation: Exif's, 1 to 8; of a PNG always 1, since Rekognition never turns one.
    """

    width: int
    height: int
    orientation: int = UPRIGHT

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a person sees the picture."""
        size = (self.width, self.height)
        return size[::-1] if self.orientation >= _QUARTER_TURN else size


class SizeVerdict(StrEnum):
    """How the size in a line fits the picture."""

    FITS = "fits"
    TURNED = "turned"
    WRONG = "wrong"


def judge_size(size: ImageSize, picture: PictureFacts) -> SizeVerdict:
    """Say whether boxes can be taken to be of a picture.

    Rekognition turns a JPEG by its Exif orientation and gives boxes of the upright picture (API reference,
    OrientationCorrection); that Custom Labels trains on such boxes too is not written anywhere. So they must be of the
    upright picture. Where the file is turned, a tool that ignores Exif has drawn them elsewhere: by a quarter the size
    shows it, upside down or mirrored it does not. ``TURNED`` is to be used with a warning: storing the picture upright
    removes the doubt.

    :param size: what the line says.
    """
    if (size.width, size.height) != picture.upright:
        return SizeVerdict.WRONG
    return SizeVerdict.FITS if picture.orientation == UPRIGHT else SizeVerdict.TURNED
