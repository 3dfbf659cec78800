"""A trained version's life: started, asked, stopped, copied, deleted."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.local_aws.support import BUCKET, OUTPUT, Aws, pattern, wait_for


@pytest.fixture(scope="module")
def project(shared_aws: Aws) -> str:
    """A project with three trained versions; tests leave them stopped."""
    arn = shared_aws.colour_project()
    for name in ("v1", "v2", "v3"):
        shared_aws.train(arn, name)
    return arn


@pytest.fixture
def aws(shared_aws: Aws, project: str) -> Any:

    def status(name: str) -> Any:
        return shared_aws.version(project, name)["Status"]

    def changes(name: str) -> bool:
        return status(name) in ("STARTING", "STOPPING")

    yield shared_aws
    shared_aws.control.quotas(running_models=2, detect_tps_per_unit=0)
    shared_aws.control.durations(version_start=0.1)
    shared_aws.control.denied()
    for name in ("v1", "v2", "v3"):
        wait_for(partial(changes, name), False)
        version = shared_aws.version(project, name)
        if version["Status"] == "RUNNING":
            shared_aws.rekognition.stop_project_version(ProjectVersionArn=version["ProjectVersionArn"])
            wait_for(partial(status, name), "STOPPED")


def detect(aws: Aws, version: str, content: bytes, **more: Any) -> list[dict[str, Any]]:
    answer = aws.rekognition.detect_custom_labels(ProjectVersionArn=version, Image={"Bytes": content}, **more)
    return list(answer["CustomLabels"])


def asset_of(data: dict[str, Any]) -> str:
    return str(data["Assets"][0]["GroundTruthManifest"]["S3Object"]["Name"])


def files_of(version: dict[str, Any]) -> list[str]:
    """Return the keys of what the training of a version wrote."""
    return [
        version["EvaluationResult"]["Summary"]["S3Object"]["Name"],
        version["ManifestSummary"]["S3Object"]["Name"],
        *(
            asset_of(version[data][name])
            for data in ("TrainingDataResult", "TestingDataResult")
            for name in ("Validation", "Output")
        ),
    ]


def test_version_goes_through_its_statuses(aws: Aws, project: str) -> None:
    version = aws.version(project, "v1")["ProjectVersionArn"]
    started = aws.rekognition.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1, MaxInferenceUnits=3)
    assert started["Status"] == "STARTING"
    aws.rekognition.get_waiter("project_version_running").wait(
        ProjectArn=project, VersionNames=["v1"], WaiterConfig={"Delay": 1, "MaxAttempts": 5}
    )
    running = aws.version(project, "v1")
    assert (running["MinInferenceUnits"], running["MaxInferenceUnits"]) == (1, 3)
    assert aws.rekognition.stop_project_version(ProjectVersionArn=version)["Status"] == "STOPPING"
    wait_for(lambda: aws.version(project, "v1")["Status"], "STOPPED")


def test_waiter_fails_when_the_start_fails_as_scripted(aws: Aws, project: str) -> None:
    aws.control.outcomes(
        {"operation": "start", "version": "v1", "status": "FAILED", "message": "no capacity", "times": 1}
    )
    aws.start(project, "v1")
    with pytest.raises(WaiterError):
        aws.rekognition.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v1"])
    assert aws.version(project, "v1")["StatusMessage"] == "no capacity"
    aws.start(project, "v1")
    assert aws.version(project, "v1")["Status"] == "RUNNING"


def test_third_model_exceeds_the_limit_when_two_run(aws: Aws, project: str) -> None:
    for name in ("v1", "v2"):
        aws.start(project, name)
    with pytest.raises(ClientError, match=r"LimitExceededException.*2 models are running"):
        aws.start(project, "v3")
    aws.control.quotas(running_models=3)
    aws.start(project, "v3")
    assert aws.version(project, "v3")["Status"] == "RUNNING"


def test_version_is_in_use_when_started_twice(aws: Aws, project: str) -> None:
    aws.start(project, "v1")
    with pytest.raises(ClientError, match=r"ResourceInUseException.*is in status RUNNING"):
        aws.start(project, "v1")


def test_version_is_in_use_when_stopped_while_starting(aws: Aws, project: str) -> None:
    aws.control.durations(version_start=1)
    version = aws.version(project, "v1")["ProjectVersionArn"]
    aws.rekognition.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
    with pytest.raises(ClientError, match=r"ResourceInUseException.*only a RUNNING version can be stopped"):
        aws.rekognition.stop_project_version(ProjectVersionArn=version)


@pytest.mark.parametrize(
    ("least", "most", "code"),
    [(6, 6, "LimitExceededException"), (1, 6, "LimitExceededException"), (3, 2, "InvalidParameterException")],
    ids=["too many", "too many at most", "most below least"],
)
def test_start_is_refused_when_its_units_are_out_of_range(
    aws: Aws, project: str, least: int, most: int, code: str
) -> None:
    with pytest.raises(ClientError, match=code):
        aws.rekognition.start_project_version(
            ProjectVersionArn=aws.version(project, "v1")["ProjectVersionArn"],
            MinInferenceUnits=least,
            MaxInferenceUnits=most,
        )


def test_running_version_cannot_be_deleted(aws: Aws, project: str) -> None:
    version = aws.start(project, "v1")
    with pytest.raises(ClientError, match=r"ResourceInUseException.*RUNNING"):
        aws.rekognition.delete_project_version(ProjectVersionArn=version)


def test_label_is_found_from_bytes_and_from_s3(aws: Aws, project: str) -> None:
    version = aws.start(project, "v1")
    (label,) = detect(aws, version, pattern("dots", 77))
    assert (label["Name"], label["Confidence"] > 50, "Geometry" in label) == ("dots", True, False)
    aws.put("unseen.jpg", pattern("bars", 78, kind="JPEG"))
    place = {"S3Object": {"Bucket": BUCKET, "Name": "unseen.jpg"}}
    answer = aws.rekognition.detect_custom_labels(ProjectVersionArn=version, Image=place)
    assert [item["Name"] for item in answer["CustomLabels"]] == ["bars"]


def test_labels_are_filtered_by_confidence_and_number(aws: Aws, project: str) -> None:
    version, image = aws.start(project, "v1"), pattern("dots", 77)
    every = detect(aws, version, image, MinConfidence=0)
    assert [item["Name"] for item in every] == ["dots", "bars"]
    assert every[0]["Confidence"] > every[1]["Confidence"]
    assert detect(aws, version, image, MinConfidence=0, MaxResults=1) == every[:1]
    assert detect(aws, version, image, MinConfidence=100) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"no image", "InvalidImageFormatException", id="no image"),
        pytest.param(pattern("dots", 1)[:2000], "InvalidImageFormatException", id="truncated"),
        pytest.param(pattern("dots", 1, kind="GIF"), "InvalidImageFormatException", id="GIF"),
        pytest.param(pattern("dots", 1, size=(10, 10)), "InvalidParameterException", id="too small"),
        pytest.param(pattern("dots", 1, size=(4097, 300)), "ImageTooLargeException", id="too wide"),
        pytest.param(b"x" * (4 * 1024 * 1024 + 1), "ImageTooLargeException", id="more than 4 MB"),
        pytest.param(b"x" * (5 * 1024 * 1024 + 1), "InvalidParameterException", id="more than the model allows"),
    ],
)
def test_image_is_refused(aws: Aws, project: str, content: bytes, code: str) -> None:
    version = aws.start(project, "v1")
    with pytest.raises(ClientError, match=code):
        detect(aws, version, content)


@pytest.mark.parametrize(
    "image",
    [{"S3Object": {"Bucket": BUCKET, "Name": "none.png"}}, {"S3Object": {"Bucket": "no-bucket", "Name": "a.png"}}],
    ids=["no object", "no bucket"],
)
def test_s3_object_is_invalid_when_missing(aws: Aws, project: str, image: dict[str, Any]) -> None:
    version = aws.start(project, "v1")
    with pytest.raises(ClientError, match=r"InvalidS3ObjectException.*Unable to get object metadata from S3"):
        aws.rekognition.detect_custom_labels(ProjectVersionArn=version, Image=image)


@pytest.mark.parametrize("image", [{}, {"Bytes": b"x", "S3Object": {"Bucket": BUCKET, "Name": "a"}}])
def test_image_needs_exactly_one_source(aws: Aws, project: str, image: dict[str, Any]) -> None:
    version = aws.start(project, "v1")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        aws.rekognition.detect_custom_labels(ProjectVersionArn=version, Image=image)


def test_version_is_not_ready_when_it_does_not_run(aws: Aws, project: str) -> None:
    version = aws.version(project, "v2")
    with pytest.raises(ClientError, match=rf"ResourceNotReadyException.*is in status {version['Status']}"):
        detect(aws, version["ProjectVersionArn"], pattern("dots", 1))


def test_throughput_is_exceeded_when_the_quota_is_on(aws: Aws, project: str) -> None:
    version = aws.start(project, "v1")
    aws.control.quotas(detect_tps_per_unit=2)
    for _ in range(2):
        detect(aws, version, pattern("dots", 1))
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        detect(aws, version, pattern("dots", 1))


def test_copy_has_its_files_below_its_own_output(aws: Aws, project: str) -> None:
    source, other = aws.version(project, "v1"), aws.project("files")
    aws.rekognition.copy_project_version(
        SourceProjectArn=project,
        SourceProjectVersionArn=source["ProjectVersionArn"],
        DestinationProjectArn=other,
        VersionName="copied",
        OutputConfig={"S3Bucket": BUCKET, "S3KeyPrefix": "elsewhere/"},
    )
    wait_for(lambda: aws.version(other, "copied")["Status"], "COPYING_COMPLETED")
    copy = aws.version(other, "copied")
    written = dict(zip(files_of(copy), files_of(source), strict=True))
    assert len(written) == 6
    for name, original in written.items():
        assert name.startswith("elsewhere/")
        assert aws.read(name) == aws.read(original)
    assert asset_of(copy["TrainingDataResult"]["Input"]) == asset_of(source["TrainingDataResult"]["Input"])
    assert copy["EvaluationResult"]["F1Score"] == source["EvaluationResult"]["F1Score"]


def test_copy_fails_and_cannot_be_started_when_its_output_cannot_be_written(aws: Aws, project: str) -> None:
    other = aws.project("denied")
    arn = aws.rekognition.copy_project_version(
        SourceProjectArn=project,
        SourceProjectVersionArn=aws.version(project, "v1")["ProjectVersionArn"],
        DestinationProjectArn=other,
        VersionName="copied",
        OutputConfig={"S3Bucket": "missing-bucket"},
    )["ProjectVersionArn"]
    wait_for(lambda: aws.version(other, "copied")["Status"], "COPYING_FAILED")
    assert "missing-bucket" in aws.version(other, "copied")["StatusMessage"]
    with pytest.raises(ClientError, match=r"InvalidParameterException.*COPYING_FAILED"):
        aws.rekognition.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)


def test_copy_answers_like_its_source(aws: Aws, project: str) -> None:
    source = aws.version(project, "v1")
    other = aws.project("other")
    copy = aws.rekognition.copy_project_version(
        SourceProjectArn=project,
        SourceProjectVersionArn=source["ProjectVersionArn"],
        DestinationProjectArn=other,
        VersionName="copied",
        OutputConfig=OUTPUT,
    )["ProjectVersionArn"]
    assert aws.version(other, "copied")["Status"] == "COPYING_IN_PROGRESS"
    wait_for(lambda: aws.version(other, "copied")["Status"], "COPYING_COMPLETED")
    assert aws.version(other, "copied")["SourceProjectVersionArn"] == source["ProjectVersionArn"]
    aws.start(other, "copied")
    assert [item["Name"] for item in detect(aws, copy, pattern("dots", 5))] == ["dots"]
    aws.rekognition.stop_project_version(ProjectVersionArn=copy)
    wait_for(lambda: aws.version(other, "copied")["Status"], "STOPPED")
    aws.rekognition.delete_project_version(ProjectVersionArn=copy)
    wait_for(lambda: aws.rekognition.describe_project_versions(ProjectArn=other)["ProjectVersionDescriptions"], [])
    with pytest.raises(ClientError, match=rf"ResourceNotFoundException.*{copy}"):
        detect(aws, copy, pattern("dots", 5))
