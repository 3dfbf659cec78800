"""The teardown of a project, run for real on the embedded AWS: what is gone, what stays, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from custom_labels.core.names import PROJECT_TAG
from custom_labels.training.training_records import read_trainings
from tests.kit.dag_runs import Variables, record, run_dag, statuses, train
from tests.kit.deploy_runs import serve_in_turn
from tests.kit.detect_runs import OUTPUT, make_queues, train_versions
from tests.kit.guard_runs import end_of, lock_holder, store, subscribe
from tests.kit.review_project import make_request, open_one, set_up_review, set_up_surroundings
from tests.kit.support import BUCKET, client, effects, put_images, rekognition, s3
from tests.kit.teardown_runs import delete_all, models, objects, review_set_up, tear_down

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


@pytest.fixture
def two_versions(digits: LocalAws) -> LocalAws:
    """Two versions, of which the newer one serves and runs."""
    serve_in_turn(digits, "v1", "v2")
    return digits


def test_a_dry_run_names_all_of_it_with_its_price_and_changes_nothing(two_versions: LocalAws) -> None:
    before = models(two_versions), objects(two_versions, BUCKET)
    two_versions.control.clear_changes()

    run = run_dag("teardown")

    assert end_of(run) == ("success", "teardown_planned")
    assert (models(two_versions), objects(two_versions, BUCKET)) == before
    assert two_versions.control.changes() == []
    note = str(run.note)
    assert "all of it costs 96.00 USD a day" in note
    assert "| version v2 | RUNNING with 1 inference unit, serves | 96.00 | stopped and deleted |" in note
    assert "| version v1 | TRAINING_COMPLETED, does not serve | 0.00 | deleted |" in note
    assert "| TRAIN dataset | CREATE_COMPLETE | 0.00 | deleted |" in note
    assert f"| images and records in s3://{BUCKET}/ |" in note
    assert run.tasks["acquire_lock"] == "skipped"


def test_all_of_it_is_gone_and_every_image_label_and_record_stays(two_versions: LocalAws) -> None:
    queue = subscribe(two_versions)
    foreign = train_versions.__wrapped__(two_versions, project_name="digits-2")  # type: ignore[attr-defined]
    before = objects(two_versions, BUCKET)
    others = models(two_versions, "digits-2")

    run = tear_down()

    assert end_of(run) == ("success", "torn_down"), run
    assert models(two_versions) == others != []
    assert foreign in others[0]
    after = objects(two_versions, BUCKET)
    assert before.keys() <= after.keys()
    changed = {key for key in before if after[key] != before[key]}
    assert {key.partition("/")[0] for key in changed} == {"registry"}
    assert record(two_versions, "live") == {}
    assert [record(two_versions, f"versions/{name}")["deleted_at"] is not None for name in ("v1", "v2")] == [True] * 2
    assert "which cost 96.00 USD a day" in str(run.note)
    assert "models cost nothing now" in str(run.note)
    facts = record(two_versions, "last_run/digits_teardown")["facts"]
    assert facts["Stack"] == "python -m include.infra teardown digits"
    assert facts["Taken away"].startswith("version v")
    assert len(client(two_versions, "sqs").receive_message(QueueUrl=queue)["Messages"]) == 1
    assert lock_holder() is None

    again = tear_down()

    assert end_of(again) == ("success", "nothing_to_tear_down")
    assert effects(two_versions, "DeleteProject") == 1


def test_nothing_starts_by_itself_afterwards(two_versions: LocalAws) -> None:
    put_images(two_versions, 10)
    make_queues(two_versions)
    assert tear_down().ends == {"torn_down"}

    ends = [run_dag(kind).ends for kind in ("train", "rollback", "scale", "cost_guard", "detect")]

    nothing = ("nothing_to_do", "nothing_to_roll_back", "nothing_to_scale", "nothing_to_guard", "nothing_serves")
    assert ends == [{end} for end in nothing]
    assert "trigger digits_bootstrap" in str(train({"force": True}).note)
    assert models(two_versions) == []


def test_the_same_images_are_trained_anew_once_the_project_is_set_up_again(
    digits: LocalAws, variables: Variables
) -> None:
    variables.set(minimum_f1_score=0)
    set_up_surroundings(digits)
    put_images(digits, 10)
    assert run_dag("bootstrap").ends == {"ready"}
    assert train().ends == {"deployed"}
    (first,) = statuses(digits)

    assert tear_down().ends == {"torn_down"}
    assert review_set_up(digits) == []
    assert train().ends == {"nothing_to_do"}
    assert run_dag("bootstrap").ends == {"ready"}
    again = train()

    assert again.ends == {"deployed"}, again
    (second,) = statuses(digits)
    assert second != first
    assert second.rpartition("-")[2] == first.rpartition("-")[2], "the same images"
    assert record(digits, "live")["version_name"] == second
    trainings = read_trainings(store())
    assert [each.version_name for each in trainings.every] == [first, second]
    assert trainings.torn_down is None


def test_open_reviews_end_and_what_they_were_opened_with_is_gone(digits: LocalAws) -> None:
    review_project = set_up_review(digits, (1, 2))
    open_one(review_project.backend, make_request(digits))
    digits.control.durations(loop_stop=2, flow_delete=2)

    run = tear_down()

    assert run.ends == {"torn_down"}, run
    assert review_set_up(digits) == []
    assert "1 open reviews of flow" in record(digits, "last_run/digits_teardown")["facts"]["Taken away"]


def test_a_training_under_way_is_waited_for(digits: LocalAws, variables: Variables) -> None:
    project = train_versions(digits)
    digits.control.durations(training=4)
    rekognition(digits).create_project_version(ProjectArn=project, VersionName="v9", OutputConfig=OUTPUT)  # type: ignore[arg-type]

    run = tear_down()

    assert run.ends == {"torn_down"}, run
    assert run.tasks["trainings_are_over"] == "success"
    assert models(digits) == []


def test_a_training_that_takes_too_long_leaves_all_as_it_was(digits: LocalAws, variables: Variables) -> None:
    variables.set(training_timeout_hours=0.0005)
    project = train_versions(digits)
    digits.control.durations(training=3600)
    rekognition(digits).create_project_version(ProjectArn=project, VersionName="v9", OutputConfig=OUTPUT)  # type: ignore[arg-type]
    before = models(digits)

    run = tear_down()

    assert run.state == "failed"
    assert run.failed == {"trainings_are_over"}
    assert "clear this task to go on waiting" in str(run.note)
    assert models(digits) == before
    assert read_trainings(store()).torn_down is None
    assert lock_holder() is None


def test_a_project_that_carries_anothers_tag_is_left_alone(two_versions: LocalAws) -> None:
    arn = rekognition(two_versions).describe_projects()["ProjectDescriptions"][0]["ProjectArn"]
    rekognition(two_versions).tag_resource(ResourceArn=arn, Tags={PROJECT_TAG: "cats"})
    before = models(two_versions)

    run = tear_down()

    assert (run.state, run.failed) == ("failed", {"list_what_there_is"})
    assert f"carries the tag {PROJECT_TAG}=cats" in str(run.note)
    assert models(two_versions) == before


def versions_of(aws: LocalAws) -> list[str]:
    """List all versions of objects and marks of deleted ones."""
    found = s3(aws).list_object_versions(Bucket=BUCKET)
    return sorted({each["Key"] for kind in ("Versions", "DeleteMarkers") for each in found.get(kind, [])})  # type: ignore[attr-defined]


KEPT = ["registry/last_run/digits_teardown.json", "registry/project.json", "registry/trainings.json"]


@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
def test_images_and_records_go_only_below_the_projects_own_folders(digits: LocalAws, *, versioned: bool) -> None:
    put_images(digits, 3)
    if versioned:
        s3(digits).put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key in ("somebody_elses/a.png", "annotations.txt", "images_for_detection/a.png", "registry/versions/v1.json"):
        for body in (b"{}", b"{ }"):
            s3(digits).put_object(Bucket=BUCKET, Key=key, Body=body)
    s3(digits).delete_object(Bucket=BUCKET, Key="images_labeled_by_folder/rows/0000.png")

    run = delete_all()

    assert run.ends == {"torn_down"}, run
    locks = {"registry/lock.json", "registry/deployment_lock.json"}
    left = [key for key in (versions_of(digits) if versioned else objects(digits, BUCKET)) if key not in locks]
    assert sorted(left) == sorted([*KEPT, "somebody_elses/a.png", "annotations.txt"])
    assert "were deleted there" in str(run.note)
    assert delete_all().ends == {"nothing_to_tear_down"}


@pytest.mark.parametrize("typed", ["", "Digits", "digits-2"])
def test_no_object_is_deleted_unless_the_projects_name_is_typed(two_versions: LocalAws, typed: str) -> None:
    before = models(two_versions), objects(two_versions, BUCKET)

    run = delete_all(typed)

    assert (run.state, run.failed) == ("failed", {"list_what_there_is"})
    assert "Type 'digits' there" in str(run.note)
    assert models(two_versions) == before[0]
    assert before[1].items() <= objects(two_versions, BUCKET).items()
