"""The size in a line against the picture: a lie, and pictures that their Exif data turn."""

from __future__ import annotations

import pytest

from custom_labels.datasets.annotations.annotation import ImageSize
from custom_labels.datasets.annotations.picture_size import PictureFacts, SizeVerdict, judge_size


@pytest.mark.parametrize(
    ("size", "orientation", "verdict"),
    [
        pytest.param((640, 480), 1, SizeVerdict.FITS, id="the picture's"),
        pytest.param((480, 640), 1, SizeVerdict.WRONG, id="turned by nothing"),
        pytest.param((641, 480), 1, SizeVerdict.WRONG, id="a pixel more"),
        pytest.param((320, 240), 1, SizeVerdict.WRONG, id="of a smaller copy"),
        pytest.param((640, 480), 3, SizeVerdict.TURNED, id="upside down"),
        pytest.param((480, 640), 6, SizeVerdict.TURNED, id="of the upright picture"),
        pytest.param((640, 480), 6, SizeVerdict.WRONG, id="of the picture as it is stored"),
        pytest.param((480, 640), 5, SizeVerdict.TURNED, id="mirrored and turned"),
    ],
)
def test_boxes_are_of_the_upright_picture(size: tuple[int, int], orientation: int, verdict: SizeVerdict) -> None:
    assert judge_size(ImageSize(*size), PictureFacts(640, 480, orientation)) is verdict
