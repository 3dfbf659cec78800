"""Calls that are throttled, fail or lose their answers, a version that does not answer: nothing is lost or doubled."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from custom_labels.detection.detect_batch_operator import DetectBatchOperator
from tests.kit.dag_runs import Variables
from tests.kit.detect_runs import (
    count_messages,
    detect,
    end_of,
    make_queues,
    put_and_announce,
    results,
    serve,
    start,
    version_arn,
    wait_for_status,
)
from tests.kit.support import effects, meanwhile, rekognition, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_retries", "short_detector_retries")]

NAMES = [f"{number}.png" for number in range(8)]


@pytest.fixture
def short_detector_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pause for a fraction of the usual time."""
    monkeypatch.setattr("custom_labels.aws.inference.FIRST_PAUSE", 0.02)
    monkeypatch.setattr("custom_labels.aws.inference.LONGEST_PAUSE", 0.2)
    monkeypatch.setattr("custom_labels.aws.inference.STALLED_SECONDS", 1.0)
    monkeypatch.setattr("custom_labels.detection.detect_batch_operator.DetectBatchOperator.pause_seconds", 1)
    monkeypatch.setattr("custom_labels.detection.detect_batch_operator.DetectBatchOperator.patience_seconds", 300)


@pytest.fixture
def inbox(digits: LocalAws, variables: Variables) -> LocalAws:
    """A version that serves, and images for it."""
    variables.set(detections_per_unit_second=500, enable_a2i_workflow="false")
    make_queues(digits)
    serve(digits)
    put_and_announce(digits, *NAMES)
    return digits


DETECT = "rekognition.DetectCustomLabels"


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "*", "kind": "throttle", "share": 0.5},
        {"operation": DETECT, "kind": "throttle", "share": 0.9},
        {"operation": "*", "kind": "error", "share": 0.1},
        {"operation": DETECT, "kind": "lost_response", "times": 4},
        {"operation": "s3.PutObject", "kind": "lost_response", "times": 8},
        {"operation": "sqs.*", "kind": "lost_response", "times": 3},
    ],
    ids=[
        "half of all calls are throttled",
        "nine of ten detections are throttled",
        "a tenth of all calls fail",
        "answers of detections are lost",
        "answers of writes are lost",
        "answers of the queue are lost",
    ],
)
def test_every_image_has_one_result_when(inbox: LocalAws, fault: dict[str, object]) -> None:
    inbox.control.faults(fault)

    run = detect({"visibility_seconds": 1})

    inbox.control.faults()
    if count_messages(inbox):  # taken by a call whose answer was lost: visible again by now
        detect()
    assert end_of(run) == ("success", "detected")
    found = [(each["key"], each["etag"]) for each in results(inbox)]
    assert len(found) == len(set(found)) == len(NAMES)
    assert count_messages(inbox) == 0


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set as soon as a batch has given its worker slot up."""
    waits, defer = threading.Event(), DetectBatchOperator.defer

    def seen(self: DetectBatchOperator, **kwargs: Any) -> NoReturn:
        waits.set()
        defer(self, **kwargs)

    monkeypatch.setattr(DetectBatchOperator, "defer", seen)
    return waits


def test_a_batch_gives_its_slot_up_and_goes_on_when_nothing_is_answered(
    inbox: LocalAws, waits: threading.Event
) -> None:
    inbox.control.faults({"operation": DETECT, "kind": "throttle"})

    def recover() -> None:
        assert waits.wait(300)
        inbox.control.faults()

    with meanwhile(recover):
        run = detect()

    assert end_of(run) == ("success", "detected")
    assert len(results(inbox)) == len(NAMES)


@pytest.fixture
def project(inbox: LocalAws, monkeypatch: pytest.MonkeyPatch) -> str:
    """The project's ARN; its live version answers no image before ``stop_when_collected`` is through."""
    monkeypatch.setattr("custom_labels.aws.inference.STALLED_SECONDS", 300.0)
    inbox.control.faults({"operation": DETECT, "kind": "throttle"})
    return rekognition(inbox).describe_projects()["ProjectDescriptions"][0]["ProjectArn"]


def stop_when_collected(aws: LocalAws, project: str) -> None:
    """Stop the live version between the look at its status and the first answer."""
    wait_until(lambda: "sqs.ReceiveMessage" in aws.control.calls(), 300)
    rekognition(aws).stop_project_version(ProjectVersionArn=version_arn(aws, project, "v1"))
    wait_for_status(aws, project, "v1", "STOPPED")
    aws.control.faults()


def test_a_batch_waits_for_a_version_that_was_stopped_and_goes_on_when_it_runs(
    inbox: LocalAws, project: str, waits: threading.Event
) -> None:
    def stop_and_start() -> None:
        stop_when_collected(inbox, project)
        assert waits.wait(300)
        start(inbox, project, "v1")

    with meanwhile(stop_and_start):
        run = detect()

    assert end_of(run) == ("success", "detected")
    assert len(results(inbox)) == len(NAMES)
    assert count_messages(inbox) == 0


def test_a_batch_gives_up_with_the_way_out_when_the_version_does_not_come_back(
    inbox: LocalAws, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_labels.detection.detect_batch_operator.DetectBatchOperator.patience_seconds", 0)

    with meanwhile(lambda: stop_when_collected(inbox, project)):
        run = detect()

    assert (run.state, run.failed) == ("failed", {"detect_batch"})
    assert "ResourceNotReadyException" in str(run.note)
    assert "start it, or run the train DAG" in str(run.note)
    assert count_messages(inbox) == len(NAMES)
    assert effects(inbox, "DetectCustomLabels") == 0
