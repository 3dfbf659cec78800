"""Pictures of every kind: what is refused, and what a model is trained on."""

from __future__ import annotations

import pytest

from include.local_aws.pictures import open_picture, upright_rgb
from include.local_aws.rekognition.images import find_problem
from include.local_aws.training.features import SIDE, pixels
from tests.kit.picture_cases import CASES, PictureCase, are_close, seen

each_case = pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])


@each_case
def test_pixels_are_what_a_person_sees(case: PictureCase) -> None:
    with open_picture(case.body) as image:
        picture = upright_rgb(image)

    assert picture.size == case.size
    assert are_close(seen(picture), case.quarters)


@each_case
def test_a_model_is_trained_on_what_a_person_sees(case: PictureCase) -> None:
    with open_picture(case.body) as image:
        rows = pixels(image)

    quarters = [tuple(map(int, rows[y, x])) for y in (SIDE // 4, 3 * SIDE // 4) for x in (SIDE // 4, 3 * SIDE // 4)]
    assert are_close(quarters, case.quarters)  # type: ignore[arg-type]


@each_case
def test_a_valid_picture_is_accepted(case: PictureCase) -> None:
    assert find_problem(case.body, decode=True) is None
