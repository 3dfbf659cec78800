"""Two rounds of the loop, by ``dag.test()``: what people say of the first version's doubts trains the second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.dag_runs import Variables, record, run_dag, statuses, train
from tests.kit.detect_runs import detect, end_of
from tests.kit.harvests import copies, harvest
from tests.kit.review_project import loops, set_up_review, wait_until_ended
from tests.kit.support import BUCKET, LABELS, effects, picture, put_images, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

# The demo shows the same in a real Airflow; here it is for an Airflow of other versions.
pytestmark = [pytest.mark.slow, pytest.mark.matrix]

IMAGES = 10


def live(aws: LocalAws) -> Any:
    return record(aws, "live")["version_name"]


def test_the_loop_closes(digits: LocalAws, variables: Variables) -> None:
    variables.set(detections_per_unit_second=1000, minimum_label_detection_confidence=100, daily_review_budget=1000)
    review_project = set_up_review(digits)
    assert run_dag("bootstrap").ends == {"ready"}
    put_images(digits, 10)

    first = train()

    assert first.ends == {"deployed"}, first
    version = live(digits)

    for label in LABELS:
        for number in range(IMAGES):
            key = f"images_for_detection/{label}/{number:04d}.png"
            s3(digits).put_object(Bucket=BUCKET, Key=key, Body=picture(label, 100 + number))
    digits.control.workforce(seconds=0)

    detected = detect()

    assert end_of(detected) == ("success", "detected")
    asked = loops(review_project)
    assert len(asked) == 2 * IMAGES, "every one is in doubt"
    wait_until_ended(review_project, *asked)

    harvested = harvest()

    assert harvested.tasks["trigger_training"] == "success"
    assert sorted(copies(digits)) == sorted(label for label in LABELS for _ in range(10 + IMAGES))

    second = train()

    assert second.ends == {"deployed"}, second
    assert live(digits) != version
    assert statuses(digits) == {version: "STOPPED", live(digits): "RUNNING"}
    assert effects(digits, "CreateProjectVersion") == 2
    assert train().ends == {"nothing_to_do"}
