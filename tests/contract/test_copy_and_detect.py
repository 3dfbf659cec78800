"""What the operators that adopt a dataset, copy a version and detect a batch do on AWS, and with bad input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from custom_labels.aws.operators.copies import CustomLabelsCopyVersionOperator
from custom_labels.aws.operators.datasets import CustomLabelsCreateDatasetOperator, CustomLabelsCreateProjectOperator
from custom_labels.aws.operators.detection import CustomLabelsDetectOperator
from custom_labels.aws.operators.versions import CustomLabelsStartVersionOperator
from tests.contract.test_operators import MODES, QUICK, create_project, project, train, trained, version
from tests.kit.support import BUCKET, FOLDER, effects, manifests, rekognition, s3
from tests.kit.task_contexts import run

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["project", "trained"]

OUTPUT = f"s3://{BUCKET}/results/run.jsonl"
IMAGE = f"s3://{BUCKET}/{FOLDER}rows/0000.png"
ARN = "arn:aws:rekognition:us-east-1:123456789012:project/birds/version/v1/1700000000000"


def create_dataset(project_arn: str, uri: str, **more: Any) -> str:
    arn: str = run(
        CustomLabelsCreateDatasetOperator(
            task_id="a_task", project_arn=project_arn, dataset_type="TRAIN", manifest_uri=uri, **QUICK, **more
        )
    )
    return arn


@MODES
def test_a_dataset_is_created_once_and_then_adopted_whatever_it_was_made_from(aws: LocalAws, deferrable: bool) -> None:
    arn, uris = create_project(), manifests(aws)

    made = [create_dataset(arn, uri, deferrable=deferrable) for uri in (uris["TRAIN"], uris["TRAIN"], uris["TEST"])]

    assert len(set(made)) == 1
    assert (effects(aws, "CreateDataset"), effects(aws, "DeleteDataset")) == (1, 0)


def test_a_dataset_whose_response_was_lost_is_adopted(aws: LocalAws) -> None:
    arn, uri = create_project(), manifests(aws)["TRAIN"]
    aws.control.faults({"operation": "rekognition.CreateDataset", "kind": "lost_response", "share": 1, "times": 1})

    create_dataset(arn, uri)

    assert effects(aws, "CreateDataset") == 1


def arn_of(aws: LocalAws, project_arn: str, name: str = "v1") -> str:
    found = rekognition(aws).describe_project_versions(ProjectArn=project_arn, VersionNames=[name])
    return found["ProjectVersionDescriptions"][0]["ProjectVersionArn"]


def other_project() -> str:
    arn: str = run(CustomLabelsCreateProjectOperator(task_id="a_task", project_name="other", **QUICK))
    return arn


def copy(aws: LocalAws, source: str, destination: str, **more: Any) -> str:
    given = {"source_version_arn": arn_of(aws, source), "output_uri": f"s3://{BUCKET}/copies", **more}
    arn: str = version(CustomLabelsCopyVersionOperator, destination, source_project_arn=source, **given)
    return arn


@MODES
def test_a_version_is_copied_once_and_can_be_started(aws: LocalAws, trained: str, deferrable: bool) -> None:
    destination = other_project()

    first, second = (copy(aws, trained, destination, deferrable=deferrable) for _ in range(2))
    version(CustomLabelsStartVersionOperator, destination)

    assert first == second == arn_of(aws, destination)
    assert effects(aws, "CopyProjectVersion") == 1


def test_a_copy_whose_response_was_lost_is_adopted(aws: LocalAws, trained: str) -> None:
    destination = other_project()
    aws.control.faults({"operation": "rekognition.CopyProjectVersion", "kind": "lost_response", "share": 1, "times": 1})

    copy(aws, trained, destination)

    assert effects(aws, "CopyProjectVersion") == 1


@MODES
def test_a_failed_copy_is_final_and_names_the_way_out(aws: LocalAws, trained: str, deferrable: bool) -> None:
    with pytest.raises(AirflowFailException, match=r"COPYING_FAILED instead of copied: .*no-bucket.*Delete arn:"):
        copy(aws, trained, other_project(), output_uri="s3://no-bucket/copies", deferrable=deferrable)


def test_a_copy_of_another_version_is_not_adopted(aws: LocalAws, trained: str) -> None:
    destination = other_project()
    copy(aws, trained, destination)
    train(trained, "v2")

    with pytest.raises(AirflowFailException, match=r"is a copy of .*/version/v1/.*, not of .*/version/v2/"):
        copy(aws, trained, destination, source_version_arn=arn_of(aws, trained, "v2"))


def detect(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = run(CustomLabelsDetectOperator(task_id="a_task", **{"rate": 50, **more}))
    return found


@pytest.fixture
def serving(aws: LocalAws, trained: str) -> str:
    """The ARN of a running version."""
    aws.control.quotas(detect_tps_per_unit=1000)
    arn: str = version(CustomLabelsStartVersionOperator, trained)
    return arn


def test_a_batch_is_written_as_json_lines_and_summed_up(aws: LocalAws, serving: str) -> None:
    store = s3(aws)
    store.put_object(Bucket=BUCKET, Key="bad#1?.png", Body=b"no image")
    aws.control.faults({"operation": "rekognition.DetectCustomLabels", "kind": "throttle", "share": 1, "times": 2})
    uris = [IMAGE, f"s3://{BUCKET}/bad#1?.png", f"s3://{BUCKET}/gone.png"]

    summary = detect(version_arn=serving, image_uris=uris, output_uri=OUTPUT)

    lines = store.get_object(Bucket=BUCKET, Key="results/run.jsonl")["Body"].read().decode().splitlines()
    results = [json.loads(line) for line in lines]
    assert summary["counts"] == {"answered": 1, "unreadable": 1, "gone": 1}
    assert (summary["images"], summary["output_uri"]) == (3, OUTPUT)
    assert [each["image"] for each in results] == uris
    assert results[0]["labels"][0]["name"] == "rows"
    assert [each["message"].split(":")[0] for each in summary["not_answered"]] == [
        "InvalidImageFormatException",
        "InvalidS3ObjectException",
    ]


def test_a_small_batch_is_returned_where_no_output_is_given(serving: str) -> None:
    summary = detect(version_arn=serving, bucket=BUCKET, keys=[f"{FOLDER}rows/0001.png"], minimum_confidence=100)

    assert summary["results"][0]["status"] == "answered"
    assert detect(version_arn=serving, image_uris=[])["counts"] == {}


def test_a_version_that_does_not_run_is_an_error(aws: LocalAws, trained: str) -> None:
    with pytest.raises(AirflowException, match=r"does not answer.*No result was written; start the version"):
        detect(version_arn=arn_of(aws, trained), image_uris=[IMAGE] * 5, output_uri=OUTPUT)


def test_results_that_cannot_be_written_are_an_error(serving: str) -> None:
    with pytest.raises(AirflowException, match=r"could not be written to s3://no-bucket/a: .*Correct 'output_uri'"):
        detect(version_arn=serving, image_uris=[IMAGE], output_uri="s3://no-bucket/a")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"version_arn": "v1"}, "'version_arn' of task 'a_task' is 'v1'"),
        ({"version_arn": None}, "got nothing for 'version_arn'"),
        ({"image_uris": None}, "expected a list for one of the two"),
        ({"keys": ["a"]}, "expected a list for one of the two"),
        ({"image_uris": None, "keys": ["a"]}, "'bucket' of task 'a_task' is 'None'"),
        ({"image_uris": "['s3://a/b']"}, "render_template_as_native_obj"),
        ({"image_uris": ["https://a/b"]}, "expected s3://bucket/key"),
        ({"image_uris": [IMAGE] * 101}, "has 101 images and no 'output_uri'"),
        ({"output_uri": "s3://bucket"}, "'output_uri' of task 'a_task' has 's3://bucket'"),
        ({"rate": 0}, "'rate' of task 'a_task' is '0'"),
        ({"rate": "fast"}, "'rate' of task 'a_task' is 'fast'"),
        ({"minimum_confidence": 101}, "expected a number from 0 to 100"),
    ],
)
def test_bad_input_is_named_before_any_image_is_sent(given: dict[str, Any], words: str) -> None:
    with pytest.raises(AirflowFailException, match=words):
        detect(**{"version_arn": ARN, "image_uris": [IMAGE], **given})
