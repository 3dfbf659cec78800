"""Composed scenes: known boxes, the same ones for the same seed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageChops

from include.demo.scenes import LABELS, SceneStyle, _place_logos, compose, scenes

PLAIN = SceneStyle(size=(320, 240), sides=(56, 90), clutter=(0, 0), empty_share=0, logos=(1, 1))


def test_scenes_are_the_same_when_the_seed_is_and_others_when_it_is_not() -> None:
    first, again, other = ([scene.jpeg() for scene in scenes(2, seed, PLAIN)] for seed in (1, 1, 2))
    assert first == again
    assert first[0] != first[1] != other[1]
    assert compose(1, 1, PLAIN).jpeg() == first[1]


def test_boxes_lie_in_the_frame_and_have_known_labels() -> None:
    style = SceneStyle(logos=(2, 4), empty_share=0)
    for scene in scenes(5, 3, style):
        assert scene.picture.size == style.size
        assert scene.placed
        for placed in scene.placed:
            assert placed.label in LABELS
            assert placed.left >= 0
            assert placed.top >= 0
            assert placed.left + placed.width <= scene.picture.width
            assert placed.top + placed.height <= scene.picture.height
            assert 56 <= max(placed.width, placed.height) <= 200


@pytest.mark.parametrize("seed", range(6))
def test_the_box_is_the_smallest_around_what_was_drawn(seed: int) -> None:
    picture = Image.new("RGB", PLAIN.size, "white")
    (placed,) = _place_logos(np.random.default_rng(seed), picture, 1, PLAIN)
    drawn = ImageChops.difference(picture, Image.new("RGB", PLAIN.size, "white")).getbbox()
    box = (placed.left, placed.top, placed.left + placed.width, placed.top + placed.height)
    assert drawn is not None
    assert np.abs(np.subtract(drawn, box)).max() <= 1


def test_some_scenes_are_empty_and_a_jpeg_can_be_read() -> None:
    style = SceneStyle(size=(320, 240), sides=(56, 90), empty_share=0.5)
    made = list(scenes(16, 5, style))
    assert 0 < sum(not scene.placed for scene in made) < 16
    with Image.open(io.BytesIO(made[0].jpeg())) as image:
        assert (image.format, image.size) == ("JPEG", (320, 240))
