"""The steps of the cost guard by themselves: when the lock is taken, and what is written down beforehand."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.service_window import ServiceWindow
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.service_records import read_service
from custom_labels.deployment.serving_records import ServingLog
from custom_labels.errors import NothingToDo
from custom_labels.operations import guard_tasks
from custom_labels.operations.guard import Acting, Action, Decision
from custom_labels.operations.guard_tasks import account
from custom_labels.operations.settings import GuardSettings
from custom_labels.operations.versions import RecordedVersion
from custom_labels.s3.errors import StorageError
from tests.kit.detect_runs import point_to, serve, train_versions
from tests.kit.guard_runs import CLOSED, hold_deployment_lock, know, lock_holder, store
from tests.kit.support import BUCKET, s3
from tests.kit.task_contexts import default_settings, project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

NIGHT = from_json(ServiceWindow, json.loads(CLOSED))


settings = partial(default_settings, GuardSettings)


@pytest.fixture(autouse=True)
def lock_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Variables that are read where the lock is taken."""
    for name in ("LOCK_LEASE_MINUTES", "LOCK_GRACE_MINUTES"):
        monkeypatch.setenv(f"AIRFLOW_VAR_DIGITS__{name}", "15")


@pytest.fixture
def guard_run(aws: LocalAws) -> ProjectContext:
    """A run of the cost guard; v1 serves."""
    serve(aws, "v1")
    know("v1")
    aws.control.clear_calls()
    return project_context("digits_cost_guard")


def test_no_lock_is_touched_where_nothing_is_to_be_done(aws: LocalAws, guard_run: ProjectContext) -> None:
    found = guard_tasks.inspect.function(guard_run, settings())

    assert (found.choice, found.actions) == (Acting.NOT_DUE, ())
    assert {name: each["calls"] for name, each in aws.control.calls().items()} == {
        "rekognition.DescribeProjectVersions": 1,
        "s3.GetObject": 4,
        "s3.ListObjectsV2": 2,
    }


def test_a_stop_is_written_down_under_the_lock_before_it_happens(guard_run: ProjectContext) -> None:
    found = guard_tasks.inspect.function(guard_run, settings(service_window=NIGHT))

    assert [(each.version_name, each.action) for each in found.actions] == [("v1", Action.STOP)]
    assert lock_holder() == guard_run.owner
    assert read_service(store()).has_stopped("v1")
    assert ServingLog(store()).read("v1").open is not None


def test_nothing_is_written_down_while_another_run_deploys(guard_run: ProjectContext) -> None:
    hold_deployment_lock()

    found = guard_tasks.inspect.function(guard_run, settings(service_window=NIGHT))

    assert (found.choice, found.deploying) == (Acting.NOT_DUE, "digits_train/another")
    assert read_service(store()).stopped is None
    assert lock_holder() == "digits_train/another"


def test_a_second_try_gives_back_the_lock_that_the_first_one_took(guard_run: ProjectContext) -> None:
    guard_run.deployment_lock.hold()

    guard_tasks.inspect.function(project_context("digits_cost_guard", is_repeated=True), settings())

    assert lock_holder() is None


def test_the_lock_is_given_back_where_inspecting_under_it_fails(aws: LocalAws, guard_run: ProjectContext) -> None:
    aws.control.denied({"bucket": BUCKET, "operation": "s3.PutObject", "key": "registry/service.json"})

    with pytest.raises(StorageError, match=r"registry/service\.json"):
        guard_tasks.inspect.function(guard_run, settings(service_window=NIGHT))

    aws.control.denied()
    assert lock_holder() is None


def test_a_stop_is_forgotten_when_the_version_runs_again(guard_run: ProjectContext) -> None:
    guard_tasks.inspect.function(guard_run, settings(service_window=NIGHT))

    found = guard_tasks.inspect.function(guard_run, settings())

    assert found.choice is Acting.NOT_DUE
    assert read_service(store()).stopped is None
    assert lock_holder() is None


def test_a_version_that_was_deleted_by_hand_takes_its_manifests_along(aws: LocalAws, guard_run: ProjectContext) -> None:
    know("gone")
    s3(aws).put_object(Bucket=BUCKET, Key="manifests/gone/train.manifest", Body=b"x")
    found = guard_tasks.inspect.function(guard_run, settings(keep_versions=2))

    first = account.function(guard_run, settings(keep_versions=2), found)

    assert (found.choice, first.deleted) == (Acting.NOT_DUE, ("gone",))
    assert (guard_run.registry.version("gone", RecordedVersion) or RecordedVersion()).deleted_at
    assert s3(aws).list_objects_v2(Bucket=BUCKET, Prefix="manifests/")["KeyCount"] == 0


def test_manifests_stay_while_a_training_may_be_about_to_read_them(aws: LocalAws, guard_run: ProjectContext) -> None:
    know("gone")
    s3(aws).put_object(Bucket=BUCKET, Key="manifests/gone/train.manifest", Body=b"x")
    training = project_context("digits_train")
    training.lock.hold()
    inspect = guard_tasks.inspect.function

    during = account.function(guard_run, settings(keep_versions=2), inspect(guard_run, settings(keep_versions=2)))
    training.lock.release()
    after = account.function(guard_run, settings(keep_versions=2), inspect(guard_run, settings(keep_versions=2)))

    assert (during.deleted, after.deleted) == (("gone",), ())
    assert s3(aws).list_objects_v2(Bucket=BUCKET, Prefix="manifests/")["KeyCount"] == 0


def test_nothing_is_counted_where_nothing_was_inspected(guard_run: ProjectContext) -> None:
    with pytest.raises(NothingToDo):
        account.function(guard_run, settings(), None)


def test_a_version_is_started_with_the_units_that_it_had(aws: LocalAws) -> None:
    point_to(aws, train_versions(aws, "v1"), "v1")
    know("v1", minimum_inference_units=2, maximum_inference_units=3, stopped_for="version v2")

    found = guard_tasks.inspect.function(project_context("digits_cost_guard"), settings())

    assert [(each.action, each.units) for each in found.actions] == [(Action.START, Units(2, 3))]


@pytest.mark.parametrize(
    ("units", "arguments"),
    [(None, {}), (Units(2, 3), {"min_inference_units": 2, "max_inference_units": 3})],
)
def test_an_action_is_for_the_task_of_its_kind(units: Units | None, arguments: dict[str, int]) -> None:
    action = to_json(Decision("v1", "arn", Action.START, "it is due", units=units))

    assert guard_tasks.arguments_of(action, Action.START) == {"project_arn": "arn", "version_name": "v1", **arguments}
    with pytest.raises(AirflowSkipException, match="v1: start"):
        guard_tasks.arguments_of(action, Action.STOP)
