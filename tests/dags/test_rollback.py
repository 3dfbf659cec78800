"""The rollback DAG on the embedded AWS: which version serves and runs in the end, and what is on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.training.retraining import AttemptState, TrainingAttempt
from custom_labels.training.training_records import change_trainings, read_trainings
from tests.kit.dag_runs import Variables, record, run_dag, statuses
from tests.kit.deploy_runs import copied, registry, serve_in_turn, trained
from tests.kit.detect_runs import start
from tests.kit.support import BUCKET, effects, put_images, rekognition, s3

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

roll_back = partial(run_dag, "rollback")


def serves(aws: LocalAws) -> str:
    return str(record(aws, "live")["version_name"])


def test_the_previous_version_serves_again_and_the_run_says_why(digits: LocalAws) -> None:
    project = serve_in_turn(digits, "v1", "v2")
    # A train run that died after its swap: nobody may resume it once a person rolled its version back.
    attempt = TrainingAttempt("0" * 64, project, "v2", "digits_train/run1")
    change_trainings(registry().store, lambda trainings: trainings.claim(attempt))

    run = roll_back({"reason": "v2 takes every 7 for a 1"})

    assert (run.state, run.ends) == ("success", {"rolled_back"}), run.note
    assert serves(digits) == "v1"
    assert statuses(digits) == {"v1": "RUNNING", "v2": "STOPPED"}
    assert "version v1 serves instead of v2: v2 takes every 7 for a 1" in str(run.note)
    now, before = record(digits, "versions/v1"), record(digits, "versions/v2")
    assert (now["status"], now["minimum_inference_units"], now.get("replaced_by")) == ("RUNNING", 1, None)
    assert (before["status"], before["replaced_by"]) == ("STOPPED", "v1")
    assert before["rolled_back"]["reason"] == "v2 takes every 7 for a 1"
    assert before["rolled_back"]["by"] == "dag_test"
    assert record(digits, "serving/v1")["intervals"][-1]["until"] is None
    assert [each["state"] for each in record(digits, "trainings")["attempts"]] == [AttemptState.DEPLOYED]
    assert read_trainings(registry().store).open == []

    again = roll_back()

    assert (again.ends, serves(digits)) == ({"nothing_to_roll_back"}, "v1")
    assert "put back instead of v2 already; name the version" in str(again.note)


def test_a_version_that_is_kept_serves_without_a_start_and_others_make_place(
    digits: LocalAws, variables: Variables
) -> None:
    digits.control.quotas(running_models=5)
    variables.set(keep_replaced_hours=2)
    project = serve_in_turn(digits, "v1", "v2", "v3")
    for name in ("v1", "v2"):
        start(digits, project, name)
    before = effects(digits, "StartProjectVersion")

    run = roll_back()

    assert run.ends == {"rolled_back"}, run.note
    assert (serves(digits), effects(digits, "StartProjectVersion")) == ("v2", before)
    assert statuses(digits) == {"v1": "STOPPED", "v2": "RUNNING", "v3": "RUNNING"}
    kept = datetime.fromisoformat(record(digits, "versions/v3")["kept_until"]) - datetime.now(UTC)
    assert timedelta(hours=1.9) < kept < timedelta(hours=2)
    assert record(digits, "versions/v2").get("kept_until") is None


@pytest.mark.parametrize("made", [trained, copied])
def test_a_named_version_serves_where_nothing_did(digits: LocalAws, made: Callable[[LocalAws, str], str]) -> None:
    made(digits, "v1")

    run = roll_back({"version": "v1"})

    assert run.ends == {"rolled_back"}, run.note
    assert serves(digits) == "v1"
    assert statuses(digits)["v1"] == "RUNNING"


def test_a_version_that_the_registry_does_not_know_is_left_alone(digits: LocalAws) -> None:
    project = serve_in_turn(digits, "v1")
    rekognition(digits).create_project_version(
        ProjectArn=project, VersionName="canary", OutputConfig={"S3Bucket": BUCKET, "S3KeyPrefix": "c"}
    )

    run = roll_back({"version": "canary"})

    assert (run.state, run.failed) == ("failed", {"choose_version"})
    assert "Version 'canary' is not one of this project" in str(run.note)
    assert statuses(digits)["v1"] == "RUNNING"


def test_the_live_version_makes_room_where_the_quota_is_full_and_that_is_wanted(
    digits: LocalAws, variables: Variables
) -> None:
    digits.control.quotas(running_models=1)
    variables.set(when_quota_is_full="stop_then_start")
    serve_in_turn(digits, "v1", "v2")

    run = roll_back()

    assert run.ends == {"rolled_back"}, run.note
    assert statuses(digits) == {"v1": "RUNNING", "v2": "STOPPED"}
    assert record(digits, "versions/v2")["stopped_for"] is None


@pytest.mark.parametrize(
    ("setting", "failed", "words"),
    [
        (
            "stop_then_start",
            "version_is_running",
            "Version v2, which was stopped for v1, was started again and serves; nothing served for",
        ),
        (
            "fail",
            "start_version",
            "Nothing was stopped; stop a model that is not needed, let the live version make room (set 'when_quota_",
        ),
    ],
)
def test_the_live_version_serves_after_a_failure_with_a_full_quota(
    digits: LocalAws, variables: Variables, setting: str, failed: str, words: str
) -> None:
    digits.control.quotas(running_models=1)
    variables.set(when_quota_is_full=setting)
    serve_in_turn(digits, "v1", "v2")
    digits.control.outcomes({"operation": "start", "version": "v1", "status": "FAILED", "message": "No capacity."})

    run = roll_back()

    assert (run.state, run.failed) == ("failed", {failed})
    assert words in str(run.note)
    assert serves(digits) == "v2"
    assert statuses(digits)["v2"] == "RUNNING"
    assert record(digits, "versions/v2").get("stopped_for") is None


def test_the_live_version_serves_again_where_the_other_one_answered_wrongly(
    digits: LocalAws, variables: Variables
) -> None:
    digits.control.quotas(running_models=1)
    variables.set(when_quota_is_full="stop_then_start")
    serve_in_turn(digits, "v1", "v2")
    for key in put_images(digits, 10):
        s3(digits).delete_object(Bucket=BUCKET, Key=key)

    run = roll_back()

    assert (run.state, run.failed) == ("failed", {"smoke_test"})
    assert "no known image could be put to it" in str(run.note)
    assert "nothing served for at most" in str(run.note)
    assert serves(digits) == "v2"
    assert statuses(digits) == {"v1": "STOPPED", "v2": "RUNNING"}


def test_nothing_is_rolled_back_where_nothing_was_replaced(digits: LocalAws) -> None:
    serve_in_turn(digits, "v1")

    run: Any = roll_back()

    assert (run.state, run.ends) == ("success", {"nothing_to_roll_back"})
    assert "version v1, which serves, replaced no other" in str(run.note)
