"""What every operator does on AWS: the same in a worker and deferred, and the same when it is run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator, CustomLabelsReplaceDatasetOperator
from custom_labels.aws.operators.versions import (
    CustomLabelsDeleteVersionOperator,
    CustomLabelsStartVersionOperator,
    CustomLabelsStopVersionOperator,
    CustomLabelsTrainVersionOperator,
)
from custom_labels.aws.sensors.rekognition import CustomLabelsDatasetSensor, CustomLabelsVersionSensor
from tests.kit.support import BUCKET, effects, manifests, put_images, put_manifest, rekognition
from tests.kit.task_contexts import run

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

SLOWLY = dict.fromkeys(
    ("project_create", "dataset_create", "dataset_delete", "version_start", "version_stop", "version_delete"), 0.2
)
MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["in a worker", "deferred"])
QUICK: dict[str, Any] = {"waiter_delay": 0, "waiter_max_attempts": 2000}


def create_project(**more: Any) -> str:
    arn: str = run(CustomLabelsCreateProjectOperator(task_id="a_task", project_name="birds", **QUICK, **more))
    return arn


def replace(project_arn: str, uri: str, dataset_type: str = "TRAIN", **more: Any) -> str:
    arn: str = run(
        CustomLabelsReplaceDatasetOperator(
            task_id="a_task", project_arn=project_arn, dataset_type=dataset_type, manifest_uri=uri, **QUICK, **more
        )
    )
    return arn


def version(cls: type, project_arn: str, name: str = "v1", **more: Any) -> Any:
    return run(cls(task_id="a_task", project_arn=project_arn, version_name=name, **QUICK, **more))


def train(project_arn: str, name: str = "v1", **more: Any) -> Any:
    output = f"s3://{BUCKET}/evaluation"
    return version(CustomLabelsTrainVersionOperator, project_arn, name, output_uri=output, **more)


@pytest.fixture
def project(aws: LocalAws) -> str:
    """A project with both datasets."""
    arn = create_project()
    for dataset_type, uri in manifests(aws).items():
        replace(arn, uri, dataset_type)
    return arn


@pytest.fixture
def trained(project: str) -> str:
    """A project with a trained version v1."""
    train(project)
    return project


@MODES
def test_a_project_is_created_once_and_then_adopted(aws: LocalAws, deferrable: bool) -> None:
    aws.control.durations(**SLOWLY)
    first, second = create_project(deferrable=deferrable), create_project(deferrable=deferrable)

    assert first == second
    assert effects(aws, "CreateProject") == 1


@MODES
def test_a_dataset_made_from_the_same_manifest_is_adopted(aws: LocalAws, deferrable: bool) -> None:
    aws.control.durations(**SLOWLY)
    arn, uri = create_project(), manifests(aws)["TRAIN"]

    first, second = replace(arn, uri, deferrable=deferrable), replace(arn, uri, deferrable=deferrable)

    assert first == second
    assert effects(aws, "CreateDataset") == 1


@MODES
def test_a_dataset_of_another_manifest_is_replaced(aws: LocalAws, deferrable: bool) -> None:
    aws.control.durations(**SLOWLY)
    arn, uris = create_project(), manifests(aws)

    first, second = replace(arn, uris["TRAIN"]), replace(arn, uris["TEST"], deferrable=deferrable)

    assert first != second
    assert effects(aws, "DeleteDataset") == 1
    described = rekognition(aws).describe_dataset(DatasetArn=second)["DatasetDescription"]
    assert described["DatasetStats"]["TotalEntries"] == 4


def test_a_sensor_says_how_many_lines_a_dataset_has_that_an_operator_did_not_wait_for(aws: LocalAws) -> None:
    aws.control.durations(dataset_create=1)

    dataset = replace(create_project(), manifests(aws)["TEST"], wait_for_completion=False)
    status = rekognition(aws).describe_dataset(DatasetArn=dataset)["DatasetDescription"]["Status"]
    sensor = CustomLabelsDatasetSensor(task_id="a_task", dataset_arn=dataset, poke_interval=1)
    run(sensor)

    assert status == "CREATE_IN_PROGRESS"
    assert sensor.details(sensor.describe()) == ": 4 entries, 4 labelled, 0 with errors"


@MODES
def test_a_manifest_that_aws_refuses_fails_with_its_message(aws: LocalAws, deferrable: bool) -> None:
    put_images(aws, 2)
    uri = put_manifest(aws, "bad.manifest", [])

    with pytest.raises(AirflowException, match="CREATE_FAILED instead of created"):
        replace(create_project(), uri, deferrable=deferrable)


@MODES
def test_a_version_is_trained_once_and_then_adopted(aws: LocalAws, project: str, deferrable: bool) -> None:
    first, second = train(project, deferrable=deferrable), train(project, deferrable=deferrable)

    assert first == second
    assert first.split("/version/")[1].split("/")[0] == "v1"
    assert effects(aws, "CreateProjectVersion") == 1


@MODES
def test_a_lost_response_of_the_paid_call_is_adopted(aws: LocalAws, project: str, deferrable: bool) -> None:
    lost = {"operation": "rekognition.CreateProjectVersion", "kind": "lost_response", "share": 1, "times": 1}
    aws.control.faults(lost)

    train(project, deferrable=deferrable)

    assert effects(aws, "CreateProjectVersion") == 1


@MODES
def test_a_failed_training_fails_for_good_with_aws_message(aws: LocalAws, project: str, deferrable: bool) -> None:
    aws.control.outcomes(
        {"operation": "training", "version": "v1", "status": "TRAINING_FAILED", "message": "The sky fell."}
    )

    with pytest.raises(AirflowFailException, match=r"'v1' is TRAINING_FAILED instead of trained: The sky fell\."):
        train(project, deferrable=deferrable)


@MODES
def test_a_training_that_its_images_fail_names_the_codes(aws: LocalAws, deferrable: bool) -> None:
    arn = create_project()
    keys = put_images(aws, 6, labels=["rows"])
    replace(arn, put_manifest(aws, "train.manifest", keys[:4]), "TRAIN")
    replace(arn, put_manifest(aws, "test.manifest", keys[4:]), "TEST")

    with pytest.raises(AirflowFailException, match="ERROR_MANIFEST_TOO_FEW_LABELS"):
        train(arn, deferrable=deferrable)


def test_the_training_quota_is_an_error_that_a_retry_may_mend(aws: LocalAws, project: str) -> None:
    aws.control.quotas(trainings=0)

    with pytest.raises(AirflowException, match="Nothing was started or paid") as raised:
        train(project)

    assert not isinstance(raised.value, AirflowFailException)


@MODES
def test_start_and_stop_are_safe_to_repeat(aws: LocalAws, trained: str, deferrable: bool) -> None:
    aws.control.durations(**SLOWLY)
    for _ in range(2):
        version(CustomLabelsStartVersionOperator, trained, deferrable=deferrable)
    for _ in range(2):
        version(CustomLabelsStopVersionOperator, trained, deferrable=deferrable)

    assert (effects(aws, "StartProjectVersion"), effects(aws, "StopProjectVersion")) == (1, 1)


@MODES
def test_a_version_that_fails_while_starting_says_so(aws: LocalAws, trained: str, deferrable: bool) -> None:
    aws.control.outcomes({"operation": "start", "version": "v1", "status": "FAILED", "message": "No capacity."})

    with pytest.raises(AirflowException, match=r"'v1' is FAILED instead of running: No capacity\."):
        version(CustomLabelsStartVersionOperator, trained, deferrable=deferrable)


def test_the_running_quota_names_the_way_out(aws: LocalAws, trained: str) -> None:
    aws.control.quotas(running_models=0)

    with pytest.raises(AirflowException, match="Nothing was stopped"):
        version(CustomLabelsStartVersionOperator, trained)


def running(aws: LocalAws, project: str) -> set[str]:
    found = rekognition(aws).describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]
    return {each["ProjectVersionArn"].split("/")[3] for each in found if each["Status"] == "RUNNING"}


def start_second(project: str, **more: Any) -> Any:
    """Start v2; v1 may be stopped if there is no other way."""
    first = {"project_arn": project, "version_name": "v1"}
    return version(CustomLabelsStartVersionOperator, project, "v2", stop_first=first, **more)


@pytest.fixture
def two(trained: str) -> str:
    """A project with a running version v1 and a trained version v2."""
    train(trained, "v2")
    version(CustomLabelsStartVersionOperator, trained)
    return trained


@MODES
@pytest.mark.parametrize(("places", "left"), [(1, {"v2"}), (2, {"v1", "v2"})], ids=["no place", "a place is free"])
def test_a_version_makes_room_for_another_only_where_the_quota_is_full(
    aws: LocalAws, two: str, deferrable: bool, places: int, left: set[str]
) -> None:
    aws.control.quotas(running_models=places)
    aws.control.durations(**SLOWLY)

    start_second(two, deferrable=deferrable)

    assert running(aws, two) == left


def test_a_full_quota_is_for_good_where_the_version_that_makes_room_is_stopped(aws: LocalAws, two: str) -> None:
    aws.control.quotas(running_models=0)

    with pytest.raises(AirflowFailException, match="is stopped already, so others take the places"):
        start_second(two)

    assert running(aws, two) == set()


def test_a_failed_start_is_for_good_where_another_version_was_stopped_for_it(aws: LocalAws, two: str) -> None:
    aws.control.quotas(running_models=1)
    aws.control.outcomes({"operation": "start", "version": "v2", "status": "FAILED", "message": "No capacity."})

    with pytest.raises(AirflowFailException, match=r"'v2' is FAILED instead of running: No capacity\."):
        start_second(two)


def test_a_starting_version_is_stopped_as_soon_as_it_runs(aws: LocalAws, trained: str) -> None:
    client = rekognition(aws)
    aws.control.durations(version_start=2)
    arn = client.describe_project_versions(ProjectArn=trained)["ProjectVersionDescriptions"][0]["ProjectVersionArn"]
    client.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)

    version(CustomLabelsStopVersionOperator, trained)

    assert effects(aws, "StopProjectVersion") == 1


def test_a_version_that_is_not_there_cannot_be_started(trained: str) -> None:
    with pytest.raises(AirflowFailException, match="'v9' is not there and cannot be started"):
        version(CustomLabelsStartVersionOperator, trained, "v9")


@MODES
def test_delete_is_safe_to_repeat(aws: LocalAws, trained: str, deferrable: bool) -> None:
    aws.control.durations(**SLOWLY)
    for _ in range(2):
        version(CustomLabelsDeleteVersionOperator, trained, deferrable=deferrable)

    assert rekognition(aws).describe_project_versions(ProjectArn=trained)["ProjectVersionDescriptions"] == []


@MODES
def test_a_wait_that_takes_too_long_gives_up_and_says_how_to_go_on(
    aws: LocalAws, project: str, deferrable: bool
) -> None:
    aws.control.durations(training=30)

    with pytest.raises(AirflowException, match=r"not trained after 2 s.*clear this task"):
        run(
            CustomLabelsTrainVersionOperator(
                task_id="a_task",
                project_arn=project,
                version_name="v1",
                output_uri=f"s3://{BUCKET}/evaluation",
                waiter_delay=1,
                waiter_max_attempts=2,
                deferrable=deferrable,
            )
        )


@MODES
def test_sensors_wait_for_what_they_are_asked_for(trained: str, deferrable: bool) -> None:
    dataset = replace(trained, f"s3://{BUCKET}/train.manifest")

    run(CustomLabelsDatasetSensor(task_id="a_task", dataset_arn=dataset, deferrable=deferrable))
    run(
        CustomLabelsVersionSensor(
            task_id="a_task", project_arn=trained, version_name="v1", until="trained", deferrable=deferrable
        )
    )


@MODES
def test_a_sensor_fails_at_once_where_its_goal_cannot_be_reached(trained: str, deferrable: bool) -> None:
    sensor = CustomLabelsVersionSensor(
        task_id="a_task", project_arn=trained, version_name="v1", until="deleted", deferrable=deferrable
    )

    with pytest.raises(AirflowException, match="TRAINING_COMPLETED instead of deleted"):
        run(sensor)


def test_a_sensor_refuses_a_goal_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="expected one of copied, deleted, running, settled, stopped, trained"):
        CustomLabelsVersionSensor(task_id="a_task", project_arn="arn", version_name="v1", until="perfect")
