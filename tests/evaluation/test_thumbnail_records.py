"""Pictures of every kind: what is checked, and what a person is shown."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from custom_labels.datasets.image_records import judge_bytes
from custom_labels.evaluation.thumbnail_records import shrink
from tests.kit.picture_cases import CASES, PictureCase, are_close, seen

each_case = pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])


@each_case
def test_a_thumbnail_shows_what_a_person_sees(case: PictureCase) -> None:
    uri = shrink(case.body) or ""

    with Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")))) as small:
        assert small.size == case.size
        assert are_close(seen(small), case.quarters)


@each_case
def test_a_valid_picture_passes_the_check(case: PictureCase) -> None:
    assert judge_bytes(case.body, whole=True)[0] is None
