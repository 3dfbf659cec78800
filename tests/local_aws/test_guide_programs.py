"""The programs of the Custom Labels guide reach their end, and say what the guide says they do."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError

from tests.local_aws import guide_programs as guide
from tests.local_aws.guide_converters import coco_lines, csv_lines, ground_truth_line, multi_label_line
from tests.local_aws.guide_programs import boto
from tests.local_aws.support import BUCKET, Aws, line, pattern, wait_for

PLACE = f"s3://{BUCKET}/"
NAME = "guide"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"*","Resource":"*"}]}'


@dataclass(frozen=True)
class Trained:
    """A project as the guide's programs make it, with one model, which serves."""

    aws: Aws
    client: Any
    project: str
    train: str
    test: str
    model: str


@pytest.fixture(scope="module")
def trained(shared_aws: Aws) -> Trained:
    aws, client = shared_aws, boto(shared_aws, boto3.client, "rekognition")
    project = guide.create_project(client, NAME)
    aws.put("train.manifest", "\n".join(aws.colour_lines({"dots": 5, "bars": 5})))
    train = guide.create_dataset(client, project, "train", guide.manifest_source(BUCKET, "train.manifest"))
    test = guide.create_dataset(client, project, "test")
    guide.update_dataset_entries(client, test, "\n".join(aws.colour_lines({"dots": 2, "bars": 2}, "test")))
    model, status = guide.train_model(client, project, "v1", BUCKET, "output", team="vision")
    assert status == "TRAINING_COMPLETED"
    assert guide.start_model(client, project, model, 1) == "RUNNING"
    return Trained(aws, client, project, train, test, model)


@pytest.fixture
def project(trained: Trained) -> Iterator[str]:
    """A project of a test's own beside the trained one."""
    client = trained.client
    made = guide.create_project(client, "own")
    wait_for(lambda: guide.describe_projects(client, "own")[0]["Status"], "CREATED")
    yield made
    for found in guide.describe_projects(client, "own"):
        for version in client.describe_project_versions(ProjectArn=made)["ProjectVersionDescriptions"]:
            guide.delete_model(client, made, version["ProjectVersionArn"])
        for dataset in found["Datasets"]:
            guide.delete_dataset(client, dataset["DatasetArn"])
        guide.delete_project(client, made)


def test_projects_are_described_by_name_and_all(trained: Trained, project: str) -> None:
    assert [found["ProjectArn"] for found in guide.describe_projects(trained.client, "own")] == [project]
    [found] = guide.describe_projects(trained.client, NAME)
    assert (found["Status"], {one["DatasetType"] for one in found["Datasets"]}) == ("CREATED", {"TRAIN", "TEST"})
    assert {found["ProjectArn"] for found in guide.describe_projects(trained.client)} == {project, trained.project}


def test_dataset_is_described_with_its_counts(trained: Trained) -> None:
    found = trained.client.describe_dataset(DatasetArn=trained.train)["DatasetDescription"]
    assert found["CreationTimestamp"] <= found["LastUpdatedTimestamp"]
    assert (found["Status"], found["StatusMessageCode"]) == ("CREATE_COMPLETE", "SUCCESS")
    assert found["DatasetStats"] == {"TotalLabels": 2, "TotalEntries": 10, "LabeledEntries": 10, "ErrorEntries": 0}


@pytest.mark.parametrize("size", [100, 3], ids=["one page", "pages of three"])
def test_entries_are_listed_from_an_empty_token(trained: Trained, size: int) -> None:
    entries = guide.list_dataset_entries(trained.client, trained.train, size=size)
    assert len({json.loads(entry)["source-ref"] for entry in entries}) == 10
    assert guide.list_dataset_entries(trained.client, trained.train, errors_only=True) == []


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"Labeled": True}, 10),
        ({"Labeled": False}, 0),
        ({"ContainsLabels": ["dots"]}, 5),
        ({"SourceRefContains": "bars/1"}, 1),
        ({"ContainsLabels": ["dots"], "SourceRefContains": "bars"}, 0),
    ],
    ids=["labeled", "not labeled", "label", "name", "label and name"],
)
def test_entries_are_listed_by_filters(trained: Trained, filters: dict[str, Any], count: int) -> None:
    found = trained.client.list_dataset_entries(DatasetArn=trained.train, **filters)
    assert len(found["DatasetEntries"]) == count


def test_labels_are_listed(trained: Trained) -> None:
    found = trained.client.list_dataset_labels(DatasetArn=trained.train)["DatasetLabelDescriptions"]
    assert {label["LabelName"]: label["LabelStats"]["EntryCount"] for label in found} == {"dots": 5, "bars": 5}


def test_datasets_are_copied_distributed_and_deleted(trained: Trained, project: str) -> None:
    train = guide.create_dataset(trained.client, project, "train", guide.dataset_source(trained.train))
    test = guide.create_dataset(trained.client, project, "test")
    guide.distribute_dataset_entries(trained.client, train, test)
    counts = [len(guide.list_dataset_entries(trained.client, dataset)) for dataset in (train, test)]
    assert counts == [8, 2]
    for dataset in (train, test):
        guide.delete_dataset(trained.client, dataset)
    guide.delete_project(trained.client, project)
    assert guide.describe_projects(trained.client, "own") == []


def test_failed_import_is_reported_by_its_status(trained: Trained, project: str) -> None:
    trained.aws.put("bad.manifest", "no JSON\n")
    with pytest.raises(RuntimeError, match="CREATE_FAILED"):
        guide.create_dataset(trained.client, project, "train", guide.manifest_source(BUCKET, "bad.manifest"))


def test_project_is_refused_when_its_name_is_taken(trained: Trained) -> None:
    with pytest.raises(trained.client.exceptions.ResourceInUseException):
        guide.create_project(trained.client, NAME)


def test_model_is_described_with_all_that_the_guide_prints(trained: Trained) -> None:
    found = guide.describe_model(trained.client, trained.project, "v1")
    assert found["ProjectVersionArn"] == trained.model
    assert found["StatusMessage"]
    assert (found["Status"], found["MinInferenceUnits"]) == ("RUNNING", 1)
    assert found["CreationTimestamp"] <= found["TrainingEndTimestamp"]
    assert found["BillableTrainingTimeInSeconds"] > 0
    assert found["OutputConfig"] == {"S3Bucket": BUCKET, "S3KeyPrefix": "output"}
    assert 0 <= found["EvaluationResult"]["F1Score"] <= 1


def read(trained: Trained, asset: dict[str, Any]) -> str:
    """Read the S3 object that a description names."""
    return trained.aws.read(asset["S3Object"]["Name"])


def test_summary_has_what_the_guide_takes_from_it(trained: Trained) -> None:
    found = guide.describe_model(trained.client, trained.project, "v1")["EvaluationResult"]
    summary = json.loads(read(trained, found["Summary"]))
    assert summary["AggregatedEvaluationResults"]["F1Score"] == pytest.approx(found["F1Score"], abs=1e-6)
    assert {"Precision", "Recall", "ConfusionMatrix"} <= set(summary["AggregatedEvaluationResults"])
    details = summary["EvaluationDetails"]
    assert (details["NumberOfTrainingImages"], details["NumberOfTestingImages"]) == (10, 4)
    for label in summary["LabelEvaluationResults"]:
        assert set(label["Metrics"]) == {"F1Score", "Precision", "Recall", "Threshold"}
        assert label["NumberOfTestingImages"] == 2


def test_evaluation_manifest_says_what_each_test_image_was_taken_for(trained: Trained) -> None:
    found = guide.describe_model(trained.client, trained.project, "v1")["TestingDataResult"]["Output"]["Assets"]
    lines = [json.loads(text) for text in read(trained, found[0]["GroundTruthManifest"]).splitlines()]
    assert len(lines) == 4
    details = "rekognition-custom-labels-evaluation-details"
    for document in lines:
        judged = [value[details] for value in document.values() if isinstance(value, dict) and details in value]
        assert sum(one["is-present-in-ground-truth"] for one in judged) == 1


def test_validation_manifests_and_summary_are_where_the_description_says(trained: Trained) -> None:
    found = guide.describe_model(trained.client, trained.project, "v1")
    assert "statistics" in json.loads(read(trained, found["ManifestSummary"]))
    for result, count in (("TrainingDataResult", 10), ("TestingDataResult", 4)):
        [asset] = found[result]["Validation"]["Assets"]
        assert len(read(trained, asset["GroundTruthManifest"]).splitlines()) == count


def test_models_are_found_by_their_tag(trained: Trained) -> None:
    expected = [{"Project": trained.project, "ModelVersion": trained.model}]
    assert list(guide.find_tagged(trained.client, "team", "vision")) == expected
    trained.client.tag_resource(ResourceArn=trained.model, Tags={"stage": "test"})
    assert list(guide.find_tagged(trained.client, "stage", "test")) == expected
    trained.client.untag_resource(ResourceArn=trained.model, TagKeys=["stage"])
    assert list(guide.find_tagged(trained.client, "stage", "test")) == []


def test_image_is_analyzed_from_a_file_and_from_s3(trained: Trained) -> None:
    photo = pattern("dots", 77, kind="JPEG")
    trained.aws.put("photo.jpg", photo)
    local = guide.analyze_local_image(trained.client, trained.model, pattern("dots", 77), 50)
    s3 = boto(trained.aws, boto3.resource, "s3")
    stored = guide.analyze_s3_image(trained.client, s3, trained.model, BUCKET, "photo.jpg", 50)
    assert [found[0]["Name"] for found in (local, stored)] == ["dots", "dots"]


def test_lambda_answers_with_labels_as_json(trained: Trained) -> None:
    event = {"image": base64.b64encode(pattern("bars", 78)).decode()}
    image = {"Bytes": base64.b64decode(event["image"])}
    found = trained.client.detect_custom_labels(Image=image, MinConfidence=30, ProjectVersionArn=trained.model)
    assert json.loads(json.dumps(found["CustomLabels"]))[0]["Name"] == "bars"


def test_video_is_analyzed_frame_by_frame(trained: Trained) -> None:
    frames = [pattern("dots" if number < 2 else "bars", number, kind="JPEG") for number in range(4)]
    found = guide.analyze_video(trained.client, trained.model, frames, rate=2)
    times = {label["Timestamp"]: label["Name"] for label in reversed(found)}
    assert times == {0: "dots", 1000: "bars"}


def test_model_is_stopped_and_started_with_room_to_grow(trained: Trained) -> None:
    guide.stop_model(trained.client, trained.project, trained.model)
    with pytest.raises(trained.client.exceptions.ResourceNotReadyException):
        guide.analyze_local_image(trained.client, trained.model, pattern("dots", 1), 50)
    assert guide.start_model(trained.client, trained.project, trained.model, 1, most=2) == "RUNNING"
    found = guide.describe_model(trained.client, trained.project, "v1")
    assert (found["MinInferenceUnits"], found["MaxInferenceUnits"]) == (1, 2)


def test_policies_are_attached_listed_replaced_and_deleted(trained: Trained, project: str) -> None:
    client = trained.client
    first = guide.put_project_policy(client, project, "one", POLICY)
    guide.put_project_policy(client, project, "two", POLICY)
    second = guide.put_project_policy(client, project, "one", POLICY.replace('"*"}', '"123456789012"}'), first)
    found = guide.list_project_policies(client, project, size=1)
    assert {policy["PolicyName"]: policy["ProjectArn"] for policy in found} == {"one": project, "two": project}
    with pytest.raises(client.exceptions.InvalidPolicyRevisionIdException):
        client.delete_project_policy(ProjectArn=project, PolicyName="one", PolicyRevisionId=first)
    client.delete_project_policy(ProjectArn=project, PolicyName="one", PolicyRevisionId=second)
    client.delete_project_policy(ProjectArn=project, PolicyName="two")
    assert guide.list_project_policies(client, project) == []


def test_model_is_copied_started_and_deleted(trained: Trained, project: str) -> None:
    client = trained.client
    guide.put_project_policy(client, trained.project, "copies", POLICY)
    copy = guide.copy_model(client, trained.project, trained.model, project, "copied", f"{BUCKET}/copies/of")
    found = guide.describe_model(client, project, "copied")
    assert found["SourceProjectVersionArn"] == trained.model
    assert read(trained, found["EvaluationResult"]["Summary"])
    assert guide.start_model(client, project, copy, 1) == "RUNNING"
    assert guide.analyze_local_image(client, copy, pattern("bars", 9), 50)[0]["Name"] == "bars"
    guide.stop_model(client, project, copy)
    guide.delete_model(client, project, copy)
    client.delete_project_policy(ProjectArn=trained.project, PolicyName="copies")


def test_failed_training_says_why_and_ends_the_waiter(trained: Trained, project: str) -> None:
    trained.aws.put("small.manifest", "\n".join(line(f"train/{label}/0.png", label) for label in ("dots", "bars")))
    for kind in ("train", "test"):
        guide.create_dataset(trained.client, project, kind, guide.manifest_source(BUCKET, "small.manifest"))
    with pytest.raises(WaiterError, match="terminal failure state"):
        guide.train_model(trained.client, project, "v1", BUCKET, "output")
    found = guide.describe_model(trained.client, project, "v1")
    assert found["Status"] == "TRAINING_FAILED"
    assert "manifests share 2 images" in found["StatusMessage"]


COCO = {
    "images": [
        {"id": 1, "file_name": "train/dots/0.png", "width": 96, "height": 96, "date_captured": "2013-11-18 02:53:27"},
        {"id": 2, "file_name": "train/bars/0.png", "width": 96, "height": 96, "date_captured": "2013-11-18 02:53:27"},
    ],
    "categories": [{"id": 7, "name": "mark"}, {"id": 8, "name": "stripe"}],
    "annotations": [
        {"image_id": 1, "category_id": 7, "bbox": [19.23, 20.5, 40.01, 30.99]},
        {"image_id": 2, "category_id": 8, "bbox": [1, 2, 50, 60]},
        {"image_id": 2, "category_id": 7, "bbox": [10.5, 2.25, 20, 20]},
    ],
}


@pytest.mark.parametrize(
    ("lines", "labels"),
    [
        (coco_lines(COCO, PLACE), {"mark", "stripe"}),
        (csv_lines("train/dots/0.png,dots,small\ntrain/bars/0.png,bars,\n", PLACE), {"dots", "bars", "small"}),
        (
            [
                multi_label_line(ground_truth_line(f"{PLACE}train/dots/0.png", ["dots", "grey"])),
                multi_label_line(ground_truth_line(f"{PLACE}train/bars/0.png", ["bars"])),
            ],
            {"dots", "grey", "bars"},
        ),
    ],
    ids=["COCO", "CSV", "several labels of Ground Truth"],
)
def test_dataset_has_the_labels_that_a_converter_wrote(
    trained: Trained, project: str, lines: list[str], labels: set[str]
) -> None:
    trained.aws.put("converted.manifest", "\n".join(lines))
    dataset = guide.create_dataset(
        trained.client, project, "train", guide.manifest_source(BUCKET, "converted.manifest")
    )
    found = trained.client.list_dataset_labels(DatasetArn=dataset)["DatasetLabelDescriptions"]
    assert {label["LabelName"] for label in found} == labels
    assert guide.list_dataset_entries(trained.client, dataset, errors_only=True) == []


def test_entry_is_listed_as_an_error_when_ground_truth_wrote_it_and_nobody_converted_it(
    trained: Trained, project: str
) -> None:
    good = [line(f"train/dots/{number}.png", "dots") for number in range(5)]
    lines = [*good, ground_truth_line(f"{PLACE}train/bars/0.png", ["bars"])]
    trained.aws.put("mixed.manifest", "\n".join(lines))
    dataset = guide.create_dataset(trained.client, project, "train", guide.manifest_source(BUCKET, "mixed.manifest"))
    [found] = guide.list_dataset_entries(trained.client, dataset, errors_only=True)
    assert "ERROR_UNSUPPORTED_USE_CASE_TYPE" in found
