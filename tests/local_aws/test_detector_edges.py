"""A detector is trained whatever the boxes are like."""

from __future__ import annotations

import pytest
from PIL import Image

from include.local_aws.boxes import Box
from include.local_aws.training.object_detection import train
from include.local_aws.training.orders import Example, Order
from tests.local_aws.support import pattern


@pytest.mark.parametrize(
    ("size", "box"),
    [
        pytest.param((64, 64), (0, 0, 64, 64), id="fills the image", marks=pytest.mark.matrix),
        pytest.param((1024, 1024), (5, 5, 1.1, 1.1), id="hardly a pixel"),
        pytest.param((640, 64), (0, 20, 640, 4), id="very wide", marks=pytest.mark.matrix),
    ],
)
def test_a_detector_is_trained_on_one_image(size: tuple[int, int], box: tuple[float, float, float, float]) -> None:
    example = Example(pattern("dots", 1, size), (), (Box("a", *box),))
    result = train(Order("OBJECT_LOCALIZATION", ("a",), 0, 1, 1), iter([example, example]))
    assert result.tested[0].size == size
    for other in ((4000, 200), (64, 1280)):
        assert all(found.name == "a" for found in result.predictor.find(Image.new("RGB", other)))
