"""A batch that is tried again: what has a result is not put to the version again, and counts all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from custom_labels.aws.inference import EndpointUnavailable
from custom_labels.detection.detect_batch_operator import BatchWork
from custom_labels.detection.detect_tasks import collect_images
from custom_labels.detection.settings import DetectionSettings
from tests.kit.detect_runs import keys, make_queues, put, results, serve, version_arn, wait_for_status, waiting
from tests.kit.support import effects, picture, rekognition
from tests.kit.task_contexts import default_settings, project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


def test_a_second_try_passes_over_what_has_a_result(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    make_queues(aws)
    project = serve(aws)
    for number in range(3):
        put(aws, f"{number}.png", picture("rows", number))
    put(aws, "bad.png", b"no image")
    settings = default_settings(
        DetectionSettings, detections_per_unit_second=1000, minimum_label_detection_confidence=100
    )
    ctx = project_context("digits_detect")
    (batch,) = collect_images(ctx, settings).batches
    monkeypatch.setattr("custom_labels.detection.work.CHUNK_IMAGES", 2)

    first = BatchWork(ctx, settings, batch)
    first.finish(is_repeated=False)
    asked, files = effects(aws, "DetectCustomLabels"), keys(aws, "reviews/waiting/")
    second = BatchWork(ctx, settings, batch)
    second.finish(is_repeated=True)

    assert (first.counts["review"], first.counts["unreadable"], first.chunks_answered) == (3, 1, 2)
    assert +second.counts == +first.counts
    assert [text.partition(":")[0] for text in second.result().examples] == ["images_for_detection/bad.png"]
    assert effects(aws, "DetectCustomLabels") == asked
    assert (len(results(aws)), len(waiting(aws)), keys(aws, "reviews/waiting/")) == (4, 3, files)

    put(aws, "last.png", picture("rows", 9))
    (rest,) = collect_images(ctx, settings).batches
    rekognition(aws).stop_project_version(ProjectVersionArn=version_arn(aws, project, "v1"))
    wait_for_status(aws, project, "v1", "STOPPED")
    third = BatchWork(ctx, settings, rest)
    with pytest.raises(EndpointUnavailable):
        third.finish(is_repeated=True)

    assert third.chunks_answered == 0
