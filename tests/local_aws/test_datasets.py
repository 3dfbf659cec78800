"""Datasets: creation from each source, updates, distribution, listing and deletion."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.support import BUCKET, Aws, box_line, line, pattern, wait_for

GREY = pattern("plain", 1)


def images(aws: Aws, count: int, label: str = "cat") -> list[str]:
    """Put `count` images and return their lines."""
    for number in range(count):
        aws.put(f"{label}/{number}.png", GREY)
    return [line(f"{label}/{number}.png", label) for number in range(count)]


def entries(aws: Aws, dataset: str, **filters: object) -> list[str]:
    """Return the keys of the entries that a filter lets through."""
    found = aws.rekognition.list_dataset_entries(DatasetArn=dataset, **filters)["DatasetEntries"]
    return [json.loads(entry)["source-ref"].removeprefix(f"s3://{BUCKET}/") for entry in found]


def test_dataset_is_complete_with_statistics_when_read_from_a_manifest(aws: Aws) -> None:
    lines = [*images(aws, 3), *images(aws, 2, "dog"), line("cat/0.png").replace("cat/0", "bare")]
    aws.put("bare.png", GREY)
    arn = aws.dataset(aws.project(), "TRAIN", lines)
    found = aws.settled(arn)
    assert (found["Status"], found["StatusMessageCode"]) == ("CREATE_COMPLETE", "SUCCESS")
    assert found["DatasetStats"] == {"LabeledEntries": 5, "TotalEntries": 6, "TotalLabels": 2, "ErrorEntries": 0}
    assert "/dataset/train/" in arn


def test_dataset_is_shown_with_its_project_while_created(aws: Aws) -> None:
    project = aws.project()
    aws.control.durations(dataset_create=60)
    arn = aws.rekognition.create_dataset(ProjectArn=project, DatasetType="TEST")["DatasetArn"]
    (shown,) = aws.rekognition.describe_projects()["ProjectDescriptions"][0]["Datasets"]
    assert (shown["DatasetArn"], shown["DatasetType"], shown["Status"]) == (arn, "TEST", "CREATE_IN_PROGRESS")
    with pytest.raises(ClientError, match=r"ResourceNotReadyException.*CREATE_IN_PROGRESS"):
        aws.rekognition.list_dataset_entries(DatasetArn=arn)
    with pytest.raises(ClientError, match=r"ResourceInUseException.*CREATE_IN_PROGRESS"):
        aws.rekognition.delete_dataset(DatasetArn=arn)


def test_dataset_is_no_good_parameter_when_its_import_failed(aws: Aws) -> None:
    """It is neither in use, nor does it become ready by waiting."""
    project = aws.project()
    train, test = aws.dataset(project, "TRAIN", ["{"]), aws.dataset(project, "TEST")
    assert aws.settled(train)["Status"] == "CREATE_FAILED"
    api = aws.rekognition
    calls: tuple[Callable[[], Any], ...] = (
        lambda: api.list_dataset_entries(DatasetArn=train),
        lambda: api.list_dataset_labels(DatasetArn=train),
        lambda: api.update_dataset_entries(DatasetArn=train, Changes={"GroundTruth": b"{}"}),
        lambda: api.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}]),
        lambda: api.create_project_version(ProjectArn=project, VersionName="v", OutputConfig={"S3Bucket": BUCKET}),
    )
    for call in calls:
        with pytest.raises(ClientError, match=r"InvalidParameterException.*CREATE_FAILED"):
            call()
    api.delete_dataset(DatasetArn=train)


def test_second_dataset_of_a_kind_exists_already(aws: Aws) -> None:
    project = aws.project()
    first = aws.dataset(project, "TRAIN")
    with pytest.raises(ClientError, match=rf"ResourceAlreadyExistsException.*{first}"):
        aws.rekognition.create_dataset(ProjectArn=project, DatasetType="TRAIN")


@pytest.mark.parametrize("name", ["none.manifest", "no-bucket"], ids=["no object", "no bucket"])
def test_manifest_is_an_invalid_object_when_missing(aws: Aws, name: str) -> None:
    s3_object = {"Bucket": BUCKET if name.endswith("manifest") else name, "Name": name}
    with pytest.raises(ClientError, match=r"InvalidS3ObjectException.*Unable to get object metadata from S3"):
        aws.rekognition.create_dataset(
            ProjectArn=aws.project(),
            DatasetType="TRAIN",
            DatasetSource={"GroundTruthManifest": {"S3Object": s3_object}},
        )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT", id="empty"),
        pytest.param(b"\xff\xfe\xff", "ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT", id="no text"),
        pytest.param(b"no json\n", "ERROR_TOO_MANY_RECORDS_IN_ERROR", id="no JSON"),
        pytest.param(line("missing.png", "cat").encode(), "ERROR_TOO_MANY_RECORDS_IN_ERROR", id="missing image"),
        pytest.param(
            (line("cat/0.png", "cat") + "\n").encode() * 2, "ERROR_TOO_MANY_RECORDS_IN_ERROR", id="duplicates"
        ),
    ],
)
def test_dataset_fails_when_its_manifest_is_unusable(aws: Aws, content: bytes, code: str) -> None:
    images(aws, 1)
    aws.put("m.manifest", content)
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": "m.manifest"}}}
    arn = aws.rekognition.create_dataset(ProjectArn=aws.project(), DatasetType="TRAIN", DatasetSource=source)
    found = aws.settled(arn["DatasetArn"])
    assert (found["Status"], found["StatusMessageCode"]) == ("CREATE_FAILED", "CLIENT_ERROR")
    assert found["StatusMessage"].startswith(code)


@pytest.mark.parametrize(
    ("quota", "code"),
    [
        ("images_per_dataset", "ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM"),
        ("labels", "ERROR_MANIFEST_TOO_MANY_LABELS"),
        ("manifest_bytes", "ERROR_MANIFEST_SIZE_TOO_LARGE"),
    ],
)
def test_dataset_fails_when_a_quota_is_exceeded(aws: Aws, quota: str, code: str) -> None:
    lines = [*images(aws, 1), *images(aws, 1, "dog")]
    aws.control.quotas(**{quota: 1})
    assert aws.settled(aws.dataset(aws.project(), "TRAIN", lines))["StatusMessage"].startswith(code)


def test_dataset_fails_when_its_bucket_is_denied(aws: Aws) -> None:
    source = aws.manifest("m.manifest", images(aws, 1))
    aws.control.denied({"bucket": BUCKET})
    arn = aws.rekognition.create_dataset(ProjectArn=aws.project(), DatasetType="TRAIN", DatasetSource=source)
    found = aws.settled(arn["DatasetArn"])
    assert found["StatusMessage"].startswith("ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET")


def test_line_is_dropped_without_a_trace_when_few_are_bad(aws: Aws) -> None:
    arn = aws.dataset(aws.project(), "TRAIN", [*images(aws, 9), "no json"])
    assert aws.settled(arn)["DatasetStats"]["TotalEntries"] == 9


def test_entry_carries_an_error_when_its_image_is_too_small(aws: Aws) -> None:
    lines = images(aws, 9)
    aws.put("small.png", pattern("plain", 1, size=(10, 10)))
    arn = aws.dataset(aws.project(), "TRAIN", [*lines, line("small.png", "cat")])
    assert aws.settled(arn)["DatasetStats"]["ErrorEntries"] == 1
    (entry,) = aws.rekognition.list_dataset_entries(DatasetArn=arn, HasErrors=True)["DatasetEntries"]
    assert json.loads(entry)["errors"] == [
        {
            "code": "ERROR_INVALID_IMAGE_DIMENSION",
            "message": "The image dimension(s) do not conform to allowed dimensions.",
        }
    ]


def test_entry_carries_an_error_when_its_box_is_off_the_image_that_there_is(aws: Aws) -> None:
    """image_size says 200 x 200, the image has 96 x 96."""
    for number in range(6):
        aws.put(f"{number}.png", GREY)
    lines = [box_line(f"{number}.png") for number in range(5)]
    lines.append(box_line("5.png", box=(120, 10, 40, 30), width=200, height=200))
    arn = aws.dataset(aws.project(), "TRAIN", lines)
    assert entries(aws, arn, HasErrors=True) == ["5.png"]
    (flawed,) = aws.rekognition.list_dataset_entries(DatasetArn=arn, HasErrors=True)["DatasetEntries"]
    (annotation,) = json.loads(flawed)["boxes"]["annotations"]
    assert [error["code"] for error in annotation["errors"]] == ["ERROR_INVALID_BOUNDING_BOX"]


def test_dataset_is_a_copy_when_made_from_another(aws: Aws) -> None:
    source = aws.dataset(aws.project("a"), "TRAIN", images(aws, 2))
    arn = aws.rekognition.create_dataset(
        ProjectArn=aws.project("b"), DatasetType="TRAIN", DatasetSource={"DatasetArn": source}
    )["DatasetArn"]
    aws.settled(arn)
    assert entries(aws, arn) == ["cat/0.png", "cat/1.png"]


def test_update_adds_and_replaces_by_image(aws: Aws) -> None:
    arn = aws.dataset(aws.project(), "TRAIN", images(aws, 2))
    aws.put("new.png", GREY)
    changes = "\n".join([line("cat/1.png", "dog"), line("new.png", "bird")]).encode()
    aws.rekognition.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": changes})
    assert aws.settled(arn)["Status"] == "UPDATE_COMPLETE"
    assert entries(aws, arn) == ["cat/0.png", "cat/1.png", "new.png"]
    labels = aws.rekognition.list_dataset_labels(DatasetArn=arn)["DatasetLabelDescriptions"]
    assert [item["LabelName"] for item in labels] == ["bird", "cat", "dog"]


def test_update_fails_and_changes_nothing_when_its_lines_are_bad(aws: Aws) -> None:
    arn = aws.dataset(aws.project(), "TRAIN", images(aws, 2))
    aws.rekognition.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": b"no json"})
    found = aws.settled(arn)
    assert (found["Status"], found["DatasetStats"]["TotalEntries"]) == ("UPDATE_FAILED", 2)


def test_dataset_is_in_use_while_updated(aws: Aws) -> None:
    arn = aws.dataset(aws.project(), "TRAIN", images(aws, 2))
    aws.control.durations(dataset_update=60)
    change = {"DatasetArn": arn, "Changes": {"GroundTruth": line("cat/0.png", "dog").encode()}}
    aws.rekognition.update_dataset_entries(**change)
    for call, params in (
        (aws.rekognition.update_dataset_entries, change),
        (aws.rekognition.delete_dataset, {"DatasetArn": arn}),
        (aws.rekognition.list_dataset_labels, {"DatasetArn": arn}),
    ):
        with pytest.raises(ClientError, match=r"ResourceInUseException.*UPDATE_IN_PROGRESS"):
            call(**params)


def test_distribution_moves_a_fifth_of_each_label(aws: Aws) -> None:
    project = aws.project()
    train = aws.dataset(project, "TRAIN", [*images(aws, 10), *images(aws, 5, "dog")])
    test = aws.dataset(project, "TEST")
    aws.rekognition.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert aws.settled(train)["Status"] == aws.settled(test)["Status"] == "UPDATE_COMPLETE"
    moved = entries(aws, test)
    assert sorted(re.sub(r"/.*", "", key) for key in moved) == ["cat", "cat", "dog"]
    assert not set(moved) & set(entries(aws, train))


def test_distribution_fails_when_a_label_has_one_image(aws: Aws) -> None:
    project = aws.project()
    train = aws.dataset(project, "TRAIN", [*images(aws, 5), *images(aws, 1, "dog")])
    test = aws.dataset(project, "TEST")
    aws.rekognition.distribute_dataset_entries(Datasets=[{"Arn": test}, {"Arn": train}])
    found = aws.settled(train)
    assert found["Status"] == "UPDATE_FAILED"
    assert found["StatusMessage"].startswith("ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_DISTRIBUTE")


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        pytest.param(("TRAIN", "TRAIN"), "one training dataset and one test dataset", id="same dataset twice"),
        pytest.param(("TRAIN", "TEST"), "must be empty", id="test dataset not empty"),
    ],
)
def test_distribution_is_refused(aws: Aws, kinds: tuple[str, str], says: str) -> None:
    project = aws.project()
    arns = {kind: aws.dataset(project, kind, images(aws, 2, kind.lower())) for kind in ("TRAIN", "TEST")}
    with pytest.raises(ClientError, match=rf"InvalidParameterException.*{says}"):
        aws.rekognition.distribute_dataset_entries(Datasets=[{"Arn": arns[kind]} for kind in kinds])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"ContainsLabels": ["dog", "bird"]}, ["dog/0.png"]),
        ({"Labeled": False}, ["bare.png"]),
        ({"Labeled": True, "SourceRefContains": "/0"}, ["cat/0.png", "dog/0.png"]),
        ({"HasErrors": True}, []),
        ({"HasErrors": False, "ContainsLabels": ["logo"]}, ["box.png"]),
    ],
    ids=["labels", "unlabeled", "both", "errors", "box label"],
)
def test_entries_are_listed_through_filters(aws: Aws, filters: dict[str, object], expected: list[str]) -> None:
    lines = [*images(aws, 2), *images(aws, 1, "dog"), line("bare.png"), box_line("box.png")]
    aws.put("bare.png", GREY)
    aws.put("box.png", GREY)
    arn = aws.dataset(aws.project(), "TRAIN", lines)
    assert entries(aws, arn, **filters) == expected


def test_entries_and_labels_are_listed_over_pages(aws: Aws) -> None:
    lines = [one for label in ("a", "b", "c") for one in images(aws, 3, label)]
    arn = aws.dataset(aws.project(), "TRAIN", lines)
    paging = {"PageSize": 2}
    pages = aws.rekognition.get_paginator("list_dataset_entries").paginate(
        DatasetArn=arn, ContainsLabels=["a", "c"], PaginationConfig=paging
    )
    listed = [entry for page in pages for entry in page["DatasetEntries"]]
    assert listed == [*lines[:3], *lines[6:]]
    pages = aws.rekognition.get_paginator("list_dataset_labels").paginate(DatasetArn=arn, PaginationConfig=paging)
    counts = [(item["LabelName"], item["LabelStats"]) for page in pages for item in page["DatasetLabelDescriptions"]]
    assert counts == [(label, {"EntryCount": 3, "BoundingBoxCount": 0}) for label in ("a", "b", "c")]


def test_dataset_is_not_found_when_deleted(aws: Aws) -> None:
    project = aws.project()
    arn = aws.dataset(project, "TRAIN")
    aws.rekognition.delete_dataset(DatasetArn=arn)
    assert aws.rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]["Status"] == "DELETE_IN_PROGRESS"
    wait_for(lambda: aws.rekognition.describe_projects()["ProjectDescriptions"][0]["Datasets"], [])
    with pytest.raises(ClientError, match=rf"ResourceNotFoundException.*{arn}"):
        aws.rekognition.describe_dataset(DatasetArn=arn)
    assert aws.dataset(project, "TRAIN") != arn
