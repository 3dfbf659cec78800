"""What happens at AWS wakes DAGs: S3's event in a queue, seen by the triggerer, makes a run."""

from __future__ import annotations

import pytest

from tests.running.conftest import Running
from tests.support import BUCKET, picture, s3

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.xdist_group("running")]


def test_an_image_wakes_the_detect_dag(running: Running) -> None:
    running.api.unpause("digits_detect")
    running.ended("digits_detect", lambda run: run["run_type"] == "scheduled")

    s3(running.aws).put_object(
        Bucket=BUCKET, Key="images_for_detection/new image.png", Body=picture("rows", 1), ContentType="image/png"
    )

    run = running.ended("digits_detect", lambda run: run["run_type"] == "asset_triggered", seconds=60)
    assert run["state"] == "success"
    assert "no version was deployed yet" in run["note"]
