"""The train DAG, run for real on the embedded AWS: every way it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.training.training_records import read_trainings
from tests.kit.dag_runs import Variables, record, statuses, train
from tests.kit.deploy_runs import registry
from tests.kit.detect_runs import serve, start
from tests.kit.support import BUCKET, client, effects, meanwhile, picture, put_images, rekognition, s3, wait_until
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def versions(aws: LocalAws, status: str) -> list[str]:
    return [name for name, present in statuses(aws).items() if present == status]


def test_two_rounds_train_swap_and_stop_the_replaced_version(digits: LocalAws, variables: Variables) -> None:
    put_images(digits, 10)

    first = train()

    champion = record(digits, "live")
    assert (first.state, first.ends, first.failed) == ("success", {"deployed"}, set())
    assert statuses(digits) == {champion["version_name"]: "RUNNING"}
    assert record(digits, f"versions/{champion['version_name']}")["gate"]["passed"] is True
    assert "New version serves" in str(first.note)

    variables.set(minimum_inference_units=2, maximum_inference_units=3)
    put_images(digits, 10, start=10)
    second = train()

    live = record(digits, "live")
    assert inference_units(digits, live["version_name"]) == (2, 3)
    assert (second.state, second.ends, second.failed) == ("success", {"deployed"}, set())
    assert live["previous_version_name"] == champion["version_name"]
    assert statuses(digits) == {live["version_name"]: "RUNNING", champion["version_name"]: "STOPPED"}
    assert effects(digits, "CreateProjectVersion") == 2

    third = train_by_steps()

    assert (third.state, third.ends) == ("success", {"nothing_to_do"})
    assert "exactly these images" in str(third.note)
    assert effects(digits, "CreateProjectVersion") == 2


def inference_units(aws: LocalAws, version_name: str) -> tuple[int | None, int | None]:
    """Give the units that a version was started with, at least and at most."""
    arn = rekognition(aws).describe_projects()["ProjectDescriptions"][0]["ProjectArn"]
    found = rekognition(aws).describe_project_versions(ProjectArn=arn, VersionNames=[version_name])
    version = found["ProjectVersionDescriptions"][0]
    return version.get("MinInferenceUnits"), version.get("MaxInferenceUnits")


def test_too_few_new_images_are_nothing_to_do(digits: LocalAws) -> None:
    put_images(digits, 4)

    run = train()

    assert (run.state, run.ends) == ("success", {"nothing_to_do"})
    assert "8 untrained images of 8, a training needs 10" in str(run.note)
    assert record(digits, "last_run/digits_train")["outcome"] == "nothing_to_do"
    assert effects(digits, "CreateProject") == 0
    assert record(digits, "learning_curve") is None


def test_a_run_by_params_goes_below_the_minimum(digits: LocalAws) -> None:
    put_images(digits, 4)

    assert train_by_steps({"minimum_untrained_images": 8}).tasks["training_is_done"] == "success"


def test_training_that_is_off_stays_off_unless_overridden(digits: LocalAws, variables: Variables) -> None:
    variables.set(enable_automatic_training="False")
    put_images(digits, 10)

    off = train()
    overridden = train_by_steps({"even_if_training_is_off": True})

    assert (off.state, off.ends) == ("success", {"training_is_off"})
    assert "digits__enable_automatic_training" in str(off.note)
    assert overridden.ends == {"deployed"}


def test_a_refused_version_never_serves_and_is_not_trained_again(digits: LocalAws, variables: Variables) -> None:
    variables.set(minimum_f1_score="1.0")
    put_noise(digits, 12)

    refused, again, forced = train(), train_by_steps(), train_by_steps({"force": True})

    assert (refused.state, refused.ends) == ("success", {"gate_failed"})
    assert "is below the minimum of 1" in str(refused.note)
    assert (again.state, again.ends) == ("success", {"nothing_to_do"})
    assert forced.ends == {"gate_failed"}
    assert effects(digits, "CreateProjectVersion") == 2
    assert effects(digits, "StartProjectVersion") == 0
    assert record(digits, "live") is None


def put_noise(aws: LocalAws, count: int) -> None:
    """Put images whose labels say nothing, so that no model can be perfect."""
    put_images(aws, 0)
    for number in range(count):
        for label in ("heads", "tails"):
            body = picture("rows", 1000 + 2 * number + (label == "tails"))
            s3(aws).put_object(Bucket=BUCKET, Key=f"images_labeled_by_folder/{label}/{number}.png", Body=body)


def test_a_failed_training_is_a_failed_run_and_is_not_repeated(digits: LocalAws) -> None:
    put_images(digits, 10)
    digits.control.outcomes(
        {"operation": "training", "version": "*", "status": "TRAINING_FAILED", "message": "The sky fell."}
    )

    failed, again = train(), train_by_steps()

    assert (failed.state, failed.failed) == ("failed", {"training_is_done"})
    assert read_trainings(registry().store).open == []
    assert "The sky fell." in str(failed.note)
    assert (again.state, again.ends) == ("success", {"nothing_to_do"})
    assert effects(digits, "CreateProjectVersion") == 1


@pytest.mark.matrix
def test_a_version_that_fails_to_start_leaves_the_live_one(digits: LocalAws) -> None:
    serve(digits, "champion")
    put_images(digits, 10, start=10)
    digits.control.outcomes({"operation": "start", "version": "*", "status": "FAILED", "message": "No capacity."})

    failed = train()

    assert (failed.state, failed.failed) == ("failed", {"version_is_running"})
    assert "No capacity." in str(failed.note)
    assert record(digits, "live")["version_name"] == "champion"
    assert versions(digits, "RUNNING") == ["champion"]

    digits.control.outcomes()
    resumed = train_by_steps()

    assert resumed.ends == {"deployed"}
    assert effects(digits, "CreateProjectVersion") == 2
    assert statuses(digits)["champion"] == "STOPPED"


def test_a_full_running_quota_leaves_the_live_one_and_says_the_way_out(digits: LocalAws) -> None:
    serve(digits, "champion")
    put_images(digits, 10, start=10)
    digits.control.quotas(running_models=1)

    failed = train_by_steps()

    assert failed.state == "failed"
    assert "ask for a higher quota" in str(failed.note)
    assert record(digits, "live")["version_name"] == "champion"
    assert versions(digits, "RUNNING") == ["champion"]


def test_a_version_that_fails_its_smoke_test_is_stopped_and_does_not_serve(digits: LocalAws) -> None:
    keys = put_images(digits, 10)
    digits.control.durations(version_start=3)

    def delete_all() -> None:
        """Delete all images between the training and the smoke test."""
        wait_until(lambda: bool(effects(digits, "StartProjectVersion")), 300)
        for key in keys:
            s3(digits).delete_object(Bucket=BUCKET, Key=key)

    with meanwhile(delete_all):
        failed = train()

    assert failed.failed == {"smoke_test"}
    assert "no known image could be put to it" in str(failed.note)
    assert failed.tasks["stop_challenger"] == "success"
    assert versions(digits, "STOPPED") == list(statuses(digits))
    assert record(digits, "live") is None


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [("minimum_f1_score", "high", "expected a number from 0 to 1"), ("minimum_inference_units", "0", "from 1 to")],
    ids=["no number", "out of range"],
)
def test_a_bad_variable_stops_the_run_before_any_call(
    digits: LocalAws, variables: Variables, setting: str, value: str, words: str
) -> None:
    queue = subscribe(digits)
    variables.set(**{setting: value})
    digits.control.clear_calls()

    run = train()

    assert (run.state, run.failed) == ("failed", {"load_settings"})
    assert f"Variable 'digits__{setting}' is '{value}': " in str(run.note)
    assert words in str(run.note)
    assert not [name for name in digits.control.calls() if name.startswith("rekognition.")]
    assert ["run failed" in message["Subject"] for message in received(digits, queue)] == [True]


def test_a_missing_bucket_says_where_it_is_set(digits: LocalAws) -> None:
    queue = subscribe(digits)

    run = train()

    assert run.state == "failed"
    assert "NoSuchBucket" in str(run.note)
    assert "'bucket' in the project's YAML file is 'custom-labels-digits'" in str(run.note)
    assert ["run failed" in message["Subject"] for message in received(digits, queue)] == [True]


def test_a_denied_bucket_names_the_permissions(digits: LocalAws) -> None:
    put_images(digits, 1)
    digits.control.denied({"bucket": BUCKET, "operation": "s3.*"})

    run = train_by_steps()

    assert run.state == "failed"
    assert "AccessDenied" in str(run.note)
    assert "s3:ListBucket" in str(run.note)


def test_one_label_only_cannot_be_trained_and_costs_nothing(digits: LocalAws) -> None:
    put_images(digits, 20, labels=["rows"])

    run = train_by_steps()

    assert (run.state, run.failed) == ("failed", {"prepare_images"})
    assert "Too few labels to train: 1 ('rows')" in str(run.note)
    assert effects(digits, "CreateProject") == 0


def test_no_images_are_nothing_to_do(digits: LocalAws) -> None:
    put_images(digits, 0)

    run = train_by_steps()

    assert (run.state, run.ends) == ("success", {"nothing_to_do"})
    assert "no labelled images" in str(run.note)


@pytest.mark.matrix
def test_every_outcome_is_sent_to_the_topic(digits: LocalAws, variables: Variables) -> None:
    queue = subscribe(digits)
    put_images(digits, 10)
    variables.set(enable_automatic_training="false")
    train()
    variables.set(enable_automatic_training="true")
    train()
    digits.control.outcomes(
        {"operation": "training", "version": "*", "status": "TRAINING_FAILED", "message": "The sky fell."}
    )
    put_images(digits, 10, start=10)
    train()

    subjects = [message["Subject"] for message in received(digits, queue)]

    assert any("training is switched off" in subject for subject in subjects)
    assert any("new version serves" in subject for subject in subjects)
    assert any("training failed" in subject for subject in subjects)


def subscribe(aws: LocalAws) -> str:
    queues, topics = client(aws, "sqs"), client(aws, "sns")
    url: str = queues.create_queue(QueueName="messages")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = topics.create_topic(Name="custom-labels-digits")["TopicArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def received(aws: LocalAws, queue: str) -> list[dict[str, Any]]:
    found = []
    while batch := client(aws, "sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in batch:
            found.append(json.loads(message["Body"]))
            client(aws, "sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_only_the_replaced_version_is_stopped(digits: LocalAws) -> None:
    """A version that somebody else runs in the project is none of our business."""
    digits.control.quotas(running_models=5)
    project = serve(digits, "champion", "canary")
    start(digits, project, "canary")
    put_images(digits, 10, start=10)

    assert train_by_steps().ends == {"deployed"}
    assert statuses(digits)["champion"] == "STOPPED"
    assert statuses(digits)["canary"] == "RUNNING"
