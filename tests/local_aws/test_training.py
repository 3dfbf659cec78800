"""CreateProjectVersion: what is trained, what is refused, and the files that a training writes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.support import BUCKET, OUTPUT, Aws, line, pattern, wait_for

BROKEN = b"\x89PNG no picture at all"


def summary_of(aws: Aws, version: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(aws.read(version["ManifestSummary"]["S3Object"]["Name"])))


def code_of(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def asset(version: dict[str, Any], side: str, part: str) -> str:
    """Return the key of a manifest that a described version refers to."""
    (found,) = version[f"{side}DataResult"][part]["Assets"]
    return str(found["GroundTruthManifest"]["S3Object"]["Name"])


def test_version_is_described_with_its_files_when_trained(aws: Aws) -> None:
    version = aws.train(aws.colour_project(), Tags={"a": "b"}, VersionDescription="first")
    assert version["Status"] == "TRAINING_COMPLETED"
    assert version["StatusMessage"] == "The model is ready to run."
    assert version["EvaluationResult"]["F1Score"] == pytest.approx(1.0)
    assert version["BillableTrainingTimeInSeconds"] >= 1
    assert version["TrainingEndTimestamp"] > version["CreationTimestamp"]
    assert (version["VersionDescription"], version["OutputConfig"]) == ("first", OUTPUT)
    tags = aws.rekognition.list_tags_for_resource(ResourceArn=version["ProjectVersionArn"])["Tags"]
    assert tags == {"a": "b"}


def test_files_have_the_documented_shapes_when_trained(aws: Aws) -> None:
    version = aws.train(aws.colour_project())
    evaluation = json.loads(aws.read(version["EvaluationResult"]["Summary"]["S3Object"]["Name"]))
    assert evaluation["AggregatedEvaluationResults"]["F1Score"] == version["EvaluationResult"]["F1Score"]
    assert evaluation["EvaluationDetails"]["Labels"] == ["bars", "dots"]
    assert evaluation["EvaluationDetails"]["NumberOfTrainingImages"] == 8
    assert [item["NumberOfTestingImages"] for item in evaluation["LabelEvaluationResults"]] == [2, 2]
    assert set(evaluation["LabelEvaluationResults"][0]["Metrics"]) == {"F1Score", "Precision", "Recall", "Threshold"}
    assert summary_of(aws, version)["statistics"]["training"] == {
        "use_case": "IMAGE_LEVEL_LABELS",
        "total_json_lines": 8,
        "valid_json_lines": 8,
        "invalid_json_lines": 0,
        "ignored_json_lines": 0,
        "error_json_line_indices": [],
        "errors": [],
    }
    tested = [json.loads(text) for text in aws.read(asset(version, "Testing", "Output")).splitlines()]
    metadata = tested[0]["rekognition-custom-labels-evaluation-0-metadata"]
    assert metadata["rekognition-custom-labels-evaluation-details"]["is-true-positive"] is True
    assert len(aws.read(asset(version, "Training", "Output")).splitlines()) == 8
    assert len(aws.read(asset(version, "Training", "Validation")).splitlines()) == 8
    assert len(aws.read(asset(version, "Testing", "Input")).splitlines()) == 4


def test_training_gives_the_same_model_when_repeated(forgetful_aws: Aws) -> None:
    aws = forgetful_aws
    project = aws.colour_project(labels=("dots", "bars", "rows"))
    first, second = (
        json.loads(aws.read(aws.train(project, name)["EvaluationResult"]["Summary"]["S3Object"]["Name"]))
        for name in ("v1", "v2")
    )
    assert first["LabelEvaluationResults"] == second["LabelEvaluationResults"]


def test_two_versions_train_at_once_but_not_three(aws: Aws) -> None:
    project = aws.colour_project()
    arguments = {"ProjectArn": project, "OutputConfig": OUTPUT}
    aws.control.durations(training=1)
    for name in ("v1", "v2"):
        aws.rekognition.create_project_version(VersionName=name, **arguments)
    with pytest.raises(ClientError, match=r"LimitExceededException.*2 trainings are in progress"):
        aws.rekognition.create_project_version(VersionName="v3", **arguments)
    assert code_of(aws.rekognition.create_project_version, VersionName="v1", **arguments) == "ResourceInUseException"
    assert aws.trained(project, "v1")["Status"] == aws.trained(project, "v2")["Status"] == "TRAINING_COMPLETED"


def test_training_waiter_returns_when_trained(aws: Aws) -> None:
    project = aws.colour_project()
    aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)
    waiter = aws.rekognition.get_waiter("project_version_training_completed")
    waiter.wait(ProjectArn=project, VersionNames=["v1"], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert aws.version(project, "v1")["Status"] == "TRAINING_COMPLETED"


def test_versions_are_listed_newest_first_over_pages(aws: Aws) -> None:
    project = aws.colour_project()
    aws.control.outcomes({"operation": "training", "version": "*", "status": "TRAINING_FAILED", "message": "x"})
    for name in ("a", "b", "c"):
        aws.train(project, name)
    pages = aws.rekognition.get_paginator("describe_project_versions").paginate(
        ProjectArn=project, PaginationConfig={"PageSize": 2}
    )
    names = [[item["ProjectVersionArn"].split("/")[3] for item in page["ProjectVersionDescriptions"]] for page in pages]
    assert names == [["c", "b"], ["a"]]


@pytest.mark.parametrize(
    ("kinds", "code", "says"),
    [
        pytest.param([], "InvalidParameterException", "has no datasets", id="no datasets"),
        pytest.param(["TRAIN"], "InvalidParameterException", "has no TEST dataset", id="no test dataset"),
    ],
)
def test_training_is_refused_without_datasets(aws: Aws, kinds: list[str], code: str, says: str) -> None:
    project = aws.project()
    for kind in kinds:
        aws.dataset(project, kind)
    with pytest.raises(ClientError, match=rf"{code}.*{says}"):
        aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)


def test_training_is_refused_and_holds_no_slot_when_the_output_has_no_bucket(aws: Aws) -> None:
    project = aws.colour_project()
    for number in range(3):  # one more than may be trained at a time
        with pytest.raises(ClientError, match=r"InvalidParameterException.*S3Bucket"):
            aws.rekognition.create_project_version(
                ProjectArn=project, VersionName=f"v{number}", OutputConfig={"S3KeyPrefix": "x"}
            )
    assert aws.rekognition.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"] == []


def test_version_cannot_be_started_when_its_training_failed(aws: Aws) -> None:
    project = aws.colour_project()
    aws.control.outcomes({"operation": "training", "version": "*", "status": "TRAINING_FAILED", "message": "x"})
    version = aws.train(project)["ProjectVersionArn"]
    with pytest.raises(ClientError, match=r"InvalidParameterException.*TRAINING_FAILED"):
        aws.rekognition.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)


def test_training_is_refused_while_a_dataset_is_created(aws: Aws) -> None:
    project = aws.project()
    aws.dataset(project, "TRAIN")
    aws.control.durations(dataset_create=60)
    aws.rekognition.create_dataset(ProjectArn=project, DatasetType="TEST")
    with pytest.raises(ClientError, match=r"ResourceInUseException.*CREATE_IN_PROGRESS"):
        aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)


def test_dataset_is_in_use_while_trained_on(aws: Aws) -> None:
    project = aws.colour_project()
    aws.control.durations(training=60)
    aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)
    dataset = aws.rekognition.describe_projects()["ProjectDescriptions"][0]["Datasets"][0]["DatasetArn"]
    assert code_of(aws.rekognition.delete_dataset, DatasetArn=dataset) == "ResourceInUseException"


def train_on(aws: Aws, train: list[str], test: list[str]) -> dict[str, Any]:
    project = aws.project()
    aws.dataset(project, "TRAIN", train)
    aws.dataset(project, "TEST", test)
    return aws.train(project)


def test_training_fails_when_there_is_one_label(aws: Aws) -> None:
    version = train_on(aws, aws.colour_lines({"dots": 3}), aws.colour_lines({"dots": 2}, "test"))
    assert version["Status"] == "TRAINING_FAILED"
    assert "ERROR_MANIFEST_TOO_FEW_LABELS" in version["StatusMessage"]
    codes = [error["code"] for error in summary_of(aws, version)["statistics"]["training"]["errors"]]
    assert codes == ["ERROR_MANIFEST_TOO_FEW_LABELS"]
    assert "EvaluationResult" not in version


def test_training_fails_when_labels_do_not_overlap(aws: Aws) -> None:
    train = aws.colour_lines({"dots": 3, "bars": 3, "rows": 3})
    version = train_on(aws, train, aws.colour_lines({"plain": 2, "dots": 2}, "test"))
    assert "ERROR_INSUFFICIENT_LABEL_OVERLAP: Less than 50% label overlap" in version["StatusMessage"]
    assert [error["code"] for error in summary_of(aws, version)["errors"]] == ["ERROR_INSUFFICIENT_LABEL_OVERLAP"]


def test_training_fails_when_too_many_images_are_broken(aws: Aws) -> None:
    train, test = aws.colour_lines({"dots": 3, "bars": 3}), aws.colour_lines({"dots": 2, "bars": 2}, "test")
    project = aws.project()
    aws.dataset(project, "TRAIN", train)
    aws.dataset(project, "TEST", test)
    for number in range(3):
        aws.put(f"train/dots/{number}.png", BROKEN)
    version = aws.train(project)
    assert "ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST" in version["StatusMessage"]
    assert summary_of(aws, version)["statistics"]["training"]["error_json_line_indices"] == [1, 2, 3]
    validated = aws.read(asset(version, "Training", "Validation")).splitlines()
    assert json.loads(validated[0])["errors"][0]["code"] == "ERROR_INVALID_IMAGE"
    assert "ERROR_MANIFEST_TOO_FEW_USABLE_LABELS" in version["StatusMessage"]


def test_training_leaves_out_a_broken_image_when_few_are(aws: Aws) -> None:
    train, test = aws.colour_lines({"dots": 4, "bars": 4}), aws.colour_lines({"dots": 2, "bars": 2}, "test")
    aws.put("train/dots/0.png", BROKEN)
    version = train_on(aws, train, test)
    statistics = summary_of(aws, version)["statistics"]["training"]
    assert (version["Status"], statistics["invalid_json_lines"]) == ("TRAINING_COMPLETED", 1)


def test_training_fails_when_both_sides_share_an_image(aws: Aws) -> None:
    lines = aws.colour_lines({"dots": 3, "bars": 3})
    assert "share 1 images" in train_on(aws, lines, [lines[0], *aws.colour_lines({"bars": 1}, "test")])["StatusMessage"]


def test_training_fails_when_images_are_in_two_buckets(aws: Aws) -> None:
    aws.s3.create_bucket(Bucket="second")
    aws.put("x.png", pattern("dots", 1), bucket="second")
    train = [*aws.colour_lines({"dots": 3, "bars": 3}), line("x.png", "dots", bucket="second")]
    version = train_on(aws, train, aws.colour_lines({"dots": 2, "bars": 2}, "test"))
    assert "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS" in version["StatusMessage"]


def test_training_fails_when_its_output_bucket_is_missing(aws: Aws) -> None:
    project = aws.colour_project()
    place = {"S3Bucket": "missing-bucket", "S3KeyPrefix": "x"}
    aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=place)
    assert "Unable to write to output S3 bucket. missing-bucket" in aws.trained(project, "v1")["StatusMessage"]


def test_training_fails_as_scripted_and_only_as_often(aws: Aws) -> None:
    project = aws.colour_project()
    aws.control.outcomes(
        {"operation": "training", "version": "v*", "status": "TRAINING_FAILED", "message": "as told", "times": 1}
    )
    failed = aws.train(project, "v1")
    assert (failed["Status"], failed["StatusMessage"]) == ("TRAINING_FAILED", "as told")
    assert aws.train(project, "v2")["Status"] == "TRAINING_COMPLETED"


def manifests(aws: Aws) -> dict[str, Any]:
    """Return TrainingData and TestingData for a project without datasets."""
    train = aws.manifest("a.manifest", aws.colour_lines({"dots": 5, "bars": 5}))
    test = aws.manifest("b.manifest", aws.colour_lines({"dots": 2, "bars": 2}, "test"))
    return {"TrainingData": {"Assets": [train]}, "TestingData": {"Assets": [test]}}


def test_version_is_trained_on_manifests_when_there_are_no_datasets(aws: Aws) -> None:
    version = aws.train(aws.project(), **manifests(aws))
    assert version["Status"] == "TRAINING_COMPLETED"
    assert asset(version, "Training", "Input") == "a.manifest"


def test_manifest_is_split_when_the_test_set_is_to_be_made(aws: Aws) -> None:
    version = aws.train(aws.project(), **{**manifests(aws), "TestingData": {"AutoCreate": True}})
    statistics = summary_of(aws, version)["statistics"]
    assert (statistics["training"]["total_json_lines"], statistics["testing"]["total_json_lines"]) == (8, 2)


def test_manifests_are_refused_when_there_are_datasets(aws: Aws) -> None:
    project = aws.project()
    aws.dataset(project, "TRAIN")
    with pytest.raises(ClientError, match=r"InvalidParameterException.*TrainingData and TestingData must not be given"):
        aws.rekognition.create_project_version(
            ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT, **manifests(aws)
        )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.manifest", None, "The manifest file extension or contents are invalid."),
        ("c.manifest", b"", "The manifest file is empty."),
        ("c.manifest", b"\xff\xfe\n", "The manifest file extension or contents are invalid."),
    ],
    ids=["missing", "empty", "no text"],
)
def test_training_fails_without_a_summary_when_a_manifest_cannot_be_read(
    aws: Aws, name: str, content: bytes | None, says: str
) -> None:
    data = manifests(aws)
    if content is not None:
        aws.put(name, content)
    data["TrainingData"] = {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": name}}}]}
    version = aws.train(aws.project(), **data)
    assert version["StatusMessage"].startswith(says)
    assert "ManifestSummary" not in version


def test_version_goes_on_training_for_its_least_time(aws: Aws) -> None:
    project = aws.colour_project()
    aws.control.durations(training=2)
    started = time.monotonic()
    aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)
    wait_for(lambda: aws.version(project, "v1")["Status"], "TRAINING_COMPLETED")
    assert time.monotonic() - started >= 2
