"""Boxes in ratios and in pixels: nothing is cut off on the way, and what is clipped can be annotated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels.aws.predictions import Box as Ratios
from custom_labels.aws.predictions import DetectedLabel
from custom_labels.datasets.annotations.annotation import Box, Code, ImageSize
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.datasets.annotations.pixels import clip, in_pixels

SIZE = ImageSize(640, 480)


def test_a_box_in_pixels_keeps_its_fractions() -> None:
    found = in_pixels(DetectedLabel("bee", 87.5, Ratios(0.1234, 0.5, 0.25, 1 / 3)), SIZE)

    assert found == Box("bee", 0.1234 * 640, 240, 160, 480 / 3, 0.875)
    assert in_pixels(DetectedLabel("bee", 87.5), SIZE) is None


@pytest.mark.parametrize(
    ("given_box", "inside"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((-5, 20, 30, 40), (0, 20, 25, 40)),
        ((630, 470, 30, 40), (630, 470, 10, 10)),
        ((-5, -5, 1000, 1000), (0, 0, 640, 480)),
        ((700, 20, 30, 40), (640, 20, 0, 40)),
        ((10, -50, 30, 40), (10, 0, 30, 0)),
    ],
    ids=["inside", "left", "lower right", "around", "beside", "above"],
)
def test_what_is_off_the_image_is_cut_off(given_box: tuple[float, ...], inside: tuple[float, ...]) -> None:
    assert clip(Box("bee", *given_box), SIZE) == Box("bee", *inside)


sides = st.floats(-2000, 2000)


@given(sides, sides, st.floats(0, 3000), st.floats(0, 3000))
def test_what_is_clipped_is_never_off_the_frame(left: float, top: float, width: float, height: float) -> None:
    found = clip(Box("bee", left, top, width, height), SIZE)

    refusal = judge_box(found, SIZE)
    assert refusal is None or refusal.code is Code.BOUNDING_BOX_TOO_SMALL
    assert clip(found, SIZE) == found
