"""The bootstrap DAG: what it makes once, what it only checks, and how it says what is missing."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels import __version__
from custom_labels.core.settings import projects_dir
from tests.conftest import ROOT
from tests.kit.dag_runs import Run, record, run_dag
from tests.kit.review_project import set_up_surroundings
from tests.kit.support import BUCKET, client, make_bucket_elsewhere, put_images, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

MADE = (
    "rekognition.CreateProject",
    "sagemaker.CreateHumanTaskUi",
    "sagemaker.CreateFlowDefinition",
)


@pytest.fixture
def surroundings(aws: LocalAws, airflow_db: None) -> dict[str, str]:
    """All that an operator makes."""
    return set_up_surroundings(aws)


def effects(aws: LocalAws) -> dict[str, int]:
    calls = aws.control.calls()
    return {name: int(calls.get(name, {}).get("effects", 0)) for name in MADE}


def note_of(run: Run) -> str:
    """Give the note that people read on the run."""
    return str(run.note)


def last_run(aws: LocalAws) -> Any:
    return record(aws, "last_run/digits_bootstrap")


def test_the_first_run_makes_what_can_be_made(
    aws: LocalAws, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_DIGITS__STATUS_POLL_SECONDS", "1")
    aws.control.durations(flow_create=1, project_create=1)

    run = run_dag("bootstrap")

    assert (run.state, run.ends) == ("success", {"ready"})
    assert effects(aws) == dict.fromkeys(MADE, 1)
    assert set(record(aws, "review")["current"]) == {"1"}
    facts = last_run(aws)["facts"]
    assert facts["queue detections"] == surroundings["detections"]
    assert facts["bucket CORS"] == "GET is allowed"
    assert facts["versions"].startswith(f"custom_labels {__version__}, Airflow {version('apache-airflow-core')} ")


def test_a_second_run_adopts_everything(aws: LocalAws, surroundings: dict[str, str]) -> None:
    run_dag("bootstrap")
    made, recorded = effects(aws), record(aws, "review")

    run = run_dag("bootstrap")

    assert run.state == "success"
    assert run.note == "Project is ready: everything that digits.yaml names is there; unpause the DAGs."
    assert effects(aws) == made
    assert record(aws, "review") == recorded


def test_more_reviewers_get_a_flow_of_their_own(
    aws: LocalAws, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dag("bootstrap")
    before = record(aws, "review")
    monkeypatch.setenv("AIRFLOW_VAR_DIGITS__REVIEWERS_PER_IMAGE", "3")

    run_dag("bootstrap")

    after = record(aws, "review")
    assert set(after["current"]) == {"1", "3"}
    assert after["current"]["1"] == before["current"]["1"]


def test_a_missing_queue_is_reported_with_its_way_out(aws: LocalAws, surroundings: dict[str, str]) -> None:
    client(aws, "sqs").delete_queue(QueueUrl=surroundings["dead_letters"])

    run = run_dag("bootstrap")

    assert run.failed == {"check_everything"}
    assert "1 of 17 things" in note_of(run)
    assert f"There is no queue {surroundings['dead_letters']}" in note_of(run)
    assert "correct 'queues.dead_letters' in digits.yaml" in note_of(run)


def test_all_problems_are_reported_at_once(aws: LocalAws, airflow_db: None) -> None:
    s3(aws).create_bucket(Bucket=BUCKET)

    run = run_dag("bootstrap")

    detail = last_run(aws)["detail"]
    assert run.state == "failed"
    assert run.failed == {"set_up_review", "check_everything"}
    assert [line.split(":")[0] for line in detail.splitlines()[1:]] == [
        f"- {subject}"
        for subject in (
            "SNS topic",
            "queue detections",
            "queue dead_letters",
            "queue reviews",
            "announcement of images",
            "announcement of reviews",
            "review role",
            "review workteam",
            "bucket CORS",
            "review flows",
        )
    ]


def test_without_a_bucket_everything_else_is_still_checked(aws: LocalAws, surroundings: dict[str, str]) -> None:
    s3(aws).delete_bucket(Bucket=BUCKET)

    run = run_dag("bootstrap")

    assert run.state == "failed"
    assert "NoSuchBucket" in note_of(run)
    assert "check_everything" in run.failed


@pytest.mark.matrix
def test_a_notification_that_is_wrong_is_named(aws: LocalAws, surroundings: dict[str, str]) -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:custom-labels-digits-detections"
    found: Any = {"QueueConfigurations": [{"Id": "mine", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3(aws).put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=found)

    run = run_dag("bootstrap")

    assert run.failed == {"check_everything"}
    assert "1 of 17 things" in note_of(run)
    assert "The notification 'mine'" in note_of(run)
    assert "has no prefix, so that what the project writes itself is announced as new images, too" in note_of(run)


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ("{{ task.input.taskObject | no_such_filter }}", "A2I cannot render the worker page for a doubt review"),
        ("{{ task.input.key | grant_read_access }}", "is not a valid S3 URI"),
        ("images/a.png", "has no 'src' that shows the image"),
        ("{{ task.input.confidence | minus: nothing | grant_read_access }}", "is not a valid S3 URI"),
    ],
    ids=["filter", "no uri", "no image", "number"],
)
def test_a_page_that_cannot_be_rendered_is_no_ready_project(
    aws: LocalAws,
    surroundings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    shown: str,
    message: str,
) -> None:
    own_page(monkeypatch, tmp_path, f'<crowd-image-classifier name="shown" src="{shown}"></crowd-image-classifier>')

    run = run_dag("bootstrap")

    assert run.failed == {"check_everything"}
    assert "review page" in note_of(run)
    assert message in note_of(run)
    assert "'review.a2i.template' of digits.yaml is 'mine.html'" in note_of(run)


@pytest.mark.matrix
def test_an_image_that_the_page_cannot_read_is_reported(
    aws: LocalAws, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The link is made well, and the object behind it is refused: reviewers would see a broken image."""
    wrong = "{{ task.input.taskObject | replace: 'custom-labels-digits', 'another-bucket' | grant_read_access }}"
    own_page(monkeypatch, tmp_path, f'<img src="{wrong}"><crowd-image-classifier name="shown">')

    run = run_dag("bootstrap")

    assert run.failed == {"check_everything"}
    assert "is refused with HTTP 404" in note_of(run)


@pytest.mark.matrix
def test_the_page_is_rendered_with_an_image_of_the_project(aws: LocalAws, surroundings: dict[str, str]) -> None:
    put_images(aws, 1)

    run_dag("bootstrap")

    assert last_run(aws)["facts"]["review page"].startswith(f"rendered with s3://{BUCKET}/images_labeled_by_folder/")
    assert "Contents" not in s3(aws).list_objects_v2(Bucket=BUCKET, Prefix="registry/bootstrap.png")


def own_page(monkeypatch: pytest.MonkeyPatch, folder: Path, page: str) -> None:
    """Let the project have a page of its own."""
    digits = (projects_dir() / "digits.yaml").read_text()
    (folder / "digits.yaml").write_text(digits.replace("  a2i:\n", "  a2i:\n    template: mine.html\n"))
    (folder / "mine.html").write_text(page)
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(folder))


def test_a_bucket_in_another_region_is_reported_with_its_way_out(aws: LocalAws, airflow_db: None) -> None:
    make_bucket_elsewhere(aws)

    run = run_dag("bootstrap")

    assert "check_everything" in run.failed
    assert f"- bucket: The bucket '{BUCKET}' is in eu-west-1, and Custom Labels is called in us-east-1" in note_of(run)
    assert "Set 'region_name' of digits.yaml" in note_of(run)


def test_without_a_region_the_run_says_where_to_set_one(
    aws: LocalAws, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = (ROOT / "include" / "projects" / "digits.yaml").read_text()
    (tmp_path / "digits.yaml").write_text(shipped.replace("region_name: us-east-1", ""))
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    connection = json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])
    del connection["extra"]["region_name"]
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))

    run = run_dag("bootstrap")

    assert run.failed == {"load_settings", "check_everything"}
    assert "1 of 1 things" in note_of(run)
    assert effects(aws) == dict.fromkeys(MADE, 0)
    assert (
        "No AWS region is known for project 'digits': 'region_name' in digits.yaml is empty, and so is the region of "
        "the Airflow connection 'aws_default'. Set one of the two to the region of the bucket."
    ) in note_of(run)
