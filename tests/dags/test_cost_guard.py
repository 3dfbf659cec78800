"""The cost guard, run for real on the embedded AWS: what it stops, starts, leaves alone, tells and deletes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.deployment.serving_records import ServingLog
from custom_labels.detection.detection_records import write_log
from tests.kit.dag_runs import Variables, record, statuses
from tests.kit.detect_runs import make_queues, point_to, serve, start, train_versions
from tests.kit.guard_runs import CLOSED, OPEN, end_of, guard, hold_deployment_lock, know, lock_holder, store, subscribe
from tests.kit.saved_states import made_once
from tests.kit.step_runs import guard_by_steps
from tests.kit.support import BUCKET, client, effects, rekognition, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def running(digits: LocalAws) -> LocalAws:
    """Three versions that run: v1 serves, v2 was left by a DAG that died, v3 is not the registry's."""
    digits.control.quotas(running_models=5)
    three_running(digits)
    return digits


@made_once
def three_running(aws: LocalAws) -> str:
    project = serve(aws, "v1", "v2", "v3")
    for name in ("v2", "v3"):
        start(aws, project, name)
    for name in ("v1", "v2"):
        know(name)
    return project


def test_an_unmanaged_version_is_stopped_and_a_foreign_one_is_reported_once(running: LocalAws) -> None:
    queue = subscribe(running)

    first, second = guard(), guard()

    assert end_of(first) == ("success", "guarded")
    assert statuses(running) == {"v1": "RUNNING", "v2": "STOPPED", "v3": "RUNNING"}
    assert "stopped version v2: it runs without serving; version v1 serves" in str(first.note)
    assert "version v3 is unmanaged" in str(first.note)
    assert end_of(second) == ("success", "nothing_to_guard")
    assert effects(running, "StopProjectVersion") == 1
    messages = client(running, "sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(messages) == 1
    assert lock_holder() is None
    (interval,) = ServingLog(store()).read("v2").intervals
    assert (interval.until is not None, interval.is_exact) == (True, True)
    assert record(running, "versions/v3") is None
    cost = record(running, "versions/v1")["cost"]
    assert cost["training_usd"] > 0
    ledger = record(running, f"costs/{datetime.now(UTC):%Y-%m}")
    assert set(ledger["versions"]) == {"v1", "v2", "v3"}


@pytest.mark.slow
def test_nothing_is_stopped_while_a_deployment_is_under_way_and_all_is_when_it_died(running: LocalAws) -> None:
    hold_deployment_lock()

    during = guard()
    s3(running).delete_object(Bucket=BUCKET, Key="registry/deployment_lock.json")
    s3(running).delete_object(Bucket=BUCKET, Key="registry/live.json")
    hold_deployment_lock(minutes_ago=91)
    after = guard()

    assert end_of(during) == ("success", "nothing_to_guard")
    assert "a deployment is under way: digits_train/another" in str(during.note)
    assert end_of(after) == ("success", "guarded")
    assert statuses(running) == {"v1": "STOPPED", "v2": "STOPPED", "v3": "RUNNING"}, "no version serves any more"
    assert lock_holder() is None


@pytest.mark.slow
def test_a_version_that_cannot_be_stopped_keeps_no_other_running(running: LocalAws) -> None:
    know("v3")
    running.control.statuses({"resource": "*/version/v2/*", "status": "RUNNING", "message": "It hangs."})

    run = guard()

    running.control.statuses()
    assert (run.state, run.failed) == ("failed", {"stop"})
    assert "It hangs." in str(run.note)
    assert statuses(running)["v3"] == "STOPPED"
    assert record(running, f"costs/{datetime.now(UTC):%Y-%m}")["total_usd"] > 0
    assert lock_holder() is None


def test_the_live_version_is_stopped_outside_of_the_window_and_started_within(
    digits: LocalAws, variables: Variables
) -> None:
    serve(digits)
    know("v1")
    variables.set(service_window=CLOSED)
    night = guard()
    stopped = statuses(digits)
    variables.set(service_window=OPEN)

    morning = guard()

    assert (end_of(night), stopped) == (("success", "guarded"), {"v1": "STOPPED"})
    assert "outside of the service window" in str(night.note)
    assert (end_of(morning), statuses(digits)) == (("success", "guarded"), {"v1": "RUNNING"})
    assert "the service window is open again" in str(morning.note)
    assert len(ServingLog(store()).read("v1").intervals) == 2


def test_an_idle_version_is_reported_by_default_with_what_it_costs(digits: LocalAws) -> None:
    serve(digits)
    know("v1")
    ServingLog(store()).started("v1", 1, datetime.now(UTC) - timedelta(days=3))

    first, second = guard_by_steps(), guard_by_steps()
    write_log(store(), "a-run", [])
    asked = guard_by_steps()

    assert [run.outcome for run in (first, second)] == ["live_version_idle", "nothing_to_guard"]
    assert statuses(digits) == {"v1": "RUNNING"}
    for run in (first, second):
        assert "version v1 serves, not asked since " in run.note
        assert "(3 days): $96.00 a day" in run.note
        assert "'digits__monthly_budget_usd' is not set" in run.note
    assert " min): $96.00 a day" in asked.note


@pytest.mark.slow
def test_a_budget_is_reported_once_and_never_called_kept(digits: LocalAws, variables: Variables) -> None:
    serve(digits)
    know("v1")
    ServingLog(store()).started("v1", 1, datetime.now(UTC).replace(day=1, hour=0, minute=0))
    variables.set(monthly_budget_usd=0.01, idle_alert_hours=0)

    first, second = guard_by_steps(), guard_by_steps()

    assert [run.outcome for run in (first, second)] == ["budget_exceeded", "nothing_to_guard"]
    for run in (first, second):
        assert "more than the $0.01 of 'digits__monthly_budget_usd'" in run.note
        assert "in order" not in run.note
    assert "; most: serving v1: $" in first.note


def test_a_version_that_was_trained_before_tags_were_set_is_tagged_once(digits: LocalAws) -> None:
    project = serve(digits)
    know("v1")

    guard_by_steps()
    guard_by_steps()

    aws = rekognition(digits)
    (version,) = aws.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]
    tags = aws.list_tags_for_resource(ResourceArn=version["ProjectVersionArn"])["Tags"]
    assert tags["custom-labels-project"] == "digits"
    assert effects(digits, "TagResource") == 1


@pytest.mark.slow
def test_old_versions_go_with_their_manifests_and_stay_on_record(digits: LocalAws, variables: Variables) -> None:
    variables.set(keep_versions=2)
    names = ("v1", "v2", "v3", "v4", "v5")
    project = train_versions(digits, *names)
    point_to(digits, project, "v1")
    for name in names:
        know(name)
        s3(digits).put_object(Bucket=BUCKET, Key=f"manifests/{name}/train.manifest", Body=b"x")
        s3(digits).put_object(Bucket=BUCKET, Key=f"snapshots/{name}/snapshot.json", Body=b"x")

    first, second = guard(), guard()

    assert [end_of(run) for run in (first, second)] == [("success", "guarded"), ("success", "nothing_to_guard")]
    assert set(statuses(digits)) == {"v1", "v4", "v5"}, "the live one is old, and is kept"
    assert [bool(record(digits, f"versions/{name}").get("deleted_at")) for name in names] == [0, 1, 1, 0, 0]
    left = {entry["Key"] for entry in s3(digits).list_objects_v2(Bucket=BUCKET, Prefix="manifests/")["Contents"]}
    assert left == {f"manifests/{name}/train.manifest" for name in ("v1", "v4", "v5")}
    assert len(s3(digits).list_objects_v2(Bucket=BUCKET, Prefix="snapshots/")["Contents"]) == 5


def test_an_empty_project_has_nothing_to_guard(digits: LocalAws) -> None:
    s3(digits).create_bucket(Bucket=BUCKET)
    make_queues(digits)

    assert end_of(guard()) == ("success", "nothing_to_guard")
