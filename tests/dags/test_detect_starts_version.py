"""A live version that is stopped: the cost guard stops it when idle, and images that wait start it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.deployment.service import Cause, StoppedByGuard
from custom_labels.deployment.service_records import change_service
from custom_labels.deployment.serving_records import ServingLog
from tests.kit import guard_runs
from tests.kit.dag_runs import Variables, record, statuses
from tests.kit.detect_runs import (
    detect,
    end_of,
    make_queues,
    point_to,
    put,
    put_and_announce,
    results,
    serve,
    train_versions,
    version_arn,
)
from tests.kit.guard_runs import guard, know, lock_holder, store
from tests.kit.support import effects, meanwhile, picture, rekognition, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


@pytest.fixture
def quick(digits: LocalAws, variables: Variables) -> LocalAws:
    """A project with its queues, whose version is asked as fast as may be, and of which nobody is asked anything."""
    variables.set(detections_per_unit_second=1000, enable_a2i_workflow="false", start_when_images_wait="true")
    make_queues(digits)
    return digits


def test_an_idle_version_is_stopped_and_started_when_images_wait(quick: LocalAws, variables: Variables) -> None:
    serve(quick)
    know("v1", minimum_inference_units=2)
    ServingLog(store()).started("v1", 1, datetime.now(UTC) - timedelta(hours=3))
    variables.set(idle_stop_hours=2)
    idle = guard()
    stopped = statuses(quick)
    put_and_announce(quick, "a.png")

    started, after = detect(), guard()

    assert (guard_runs.end_of(idle), stopped) == (("success", "guarded"), {"v1": "STOPPED"})
    assert "the detect DAG starts it when images wait" in str(idle.note)
    assert (end_of(started), len(results(quick))) == (("success", "detected"), 1)
    assert [each.units for each in ServingLog(store()).read("v1").intervals] == [1, 2]
    assert (guard_runs.end_of(after), statuses(quick)) == (("success", "nothing_to_guard"), {"v1": "RUNNING"})
    assert record(quick, "service")["stopped"] is None
    assert lock_holder() is None


def test_the_lock_is_given_back_when_the_version_cannot_be_started(quick: LocalAws) -> None:
    quick.control.quotas(running_models=0)
    point_to(quick, train_versions(quick, "v1"), "v1")
    put_and_announce(quick, "a.png")

    run = detect()

    assert (run.state, run.failed) == ("failed", {"start_live"})
    assert "cannot be started" in str(run.note)
    assert lock_holder() is None


def test_a_run_ends_well_when_the_cost_guard_stops_the_version_under_it(
    quick: LocalAws, variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_labels.aws.inference.STALLED_SECONDS", 1.0)
    monkeypatch.setattr("custom_labels.detection.work.CHUNK_IMAGES", 5)
    variables.set(detections_per_unit_second=10, start_when_images_wait="false")
    project = serve(quick)
    for number in range(60):
        put(quick, f"{number:02}.png", picture("rows", number % 5))

    def close_window() -> None:
        """Do what the cost guard does when the window closes, once twenty images were put to the version."""
        wait_until(lambda: effects(quick, "DetectCustomLabels") >= 20, 300)
        stopped = StoppedByGuard("v1", Cause.WINDOW, datetime.now(UTC).isoformat())
        change_service(store(), lambda memory: replace(memory, stopped=stopped))
        rekognition(quick).stop_project_version(ProjectVersionArn=version_arn(quick, project, "v1"))

    with meanwhile(close_window):
        run = detect()

    left = record(quick, "last_run/digits_detect")["facts"]["Left until the version runs again"]
    assert end_of(run) == ("success", "detected")
    assert 0 < left < 60
    assert len(results(quick)) == 60 - left
