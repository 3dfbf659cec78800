"""The detect DAG, run for real on the embedded AWS: what becomes of images, events and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dags.detect_support import (
    count_messages,
    detect,
    end_of,
    keys,
    make_queues,
    put_and_announce,
    results,
    serve,
)
from tests.dags.running import Variables

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def inbox(digits: LocalAws, variables: Variables) -> LocalAws:
    """A project with a version that serves, asked as fast as may be, and reviews that nobody is asked for."""
    variables.set(detections_per_unit_second=1000, enable_a2i_workflow="false", minimum_label_detection_confidence=0)
    make_queues(digits)
    serve(digits)
    return digits


def test_an_announced_image_is_detected(inbox: LocalAws) -> None:
    put_and_announce(inbox, "a.png")

    run = detect()

    assert end_of(run) == ("success", "detected"), run
    assert [(each["key"], each["label"], each["decision"]) for each in results(inbox)] == [
        ("images_for_detection/a.png", "rows", "accepted")
    ]
    assert count_messages(inbox) == 0
    assert keys(inbox, "detection_work/") == []
