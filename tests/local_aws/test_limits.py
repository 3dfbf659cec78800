"""Limits of the guide that no error code names: test images of a label, and buckets of another region."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.support import Aws, line, pattern, wait_for

ELSEWHERE = "elsewhere"


@pytest.fixture
def elsewhere(aws: Aws) -> str:
    """A bucket in another region than everything else, with an image and a manifest."""
    aws.client("s3", region="eu-west-1").create_bucket(
        Bucket=ELSEWHERE, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    aws.put("a.png", pattern("dots", 1), bucket=ELSEWHERE)
    aws.put("m.manifest", line("a.png", "dots", bucket=ELSEWHERE), bucket=ELSEWHERE)
    return ELSEWHERE


def refusal(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value)


def test_a_training_fails_when_a_label_has_too_many_test_images(aws: Aws) -> None:
    aws.control.quotas(test_images_per_label=1)

    version = aws.train(aws.colour_project())

    assert version["Status"] == "TRAINING_FAILED"
    assert "has 2 test images; 1 are allowed" in version["StatusMessage"]


def test_a_manifest_of_another_region_is_no_dataset(aws: Aws, elsewhere: str) -> None:
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": elsewhere, "Name": "m.manifest"}}}
    says = refusal(aws.rekognition.create_dataset, ProjectArn=aws.project(), DatasetType="TRAIN", DatasetSource=source)
    assert "InvalidS3ObjectException" in says
    assert "The bucket elsewhere is in eu-west-1 and not in us-east-1" in says


def test_images_of_another_region_cannot_be_trained_on(aws: Aws, elsewhere: str) -> None:
    project = aws.project()
    lines = [line("a.png", "dots", bucket=elsewhere), *aws.colour_lines({"dots": 5, "bars": 5})]
    aws.dataset(project, "TRAIN", lines)
    aws.dataset(project, "TEST", aws.colour_lines({"dots": 2, "bars": 2}, "test"))

    version = aws.train(project)

    (asset,) = version["TrainingDataResult"]["Validation"]["Assets"]
    assert aws.read(asset["GroundTruthManifest"]["S3Object"]["Name"]).count("ERROR_INVALID_IMAGE") == 1


def test_a_training_fails_when_its_output_is_in_another_region(aws: Aws, elsewhere: str) -> None:
    project = aws.colour_project()
    place = {"S3Bucket": elsewhere, "S3KeyPrefix": "x"}
    aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=place)

    assert "is in eu-west-1 and not in us-east-1" in aws.trained(project, "v1")["StatusMessage"]


def test_no_label_is_found_in_an_image_of_another_region(aws: Aws, elsewhere: str) -> None:
    project = aws.colour_project()
    aws.train(project)
    arn = aws.start(project, "v1")
    wait_for(lambda: aws.version(project, "v1")["Status"], "RUNNING")

    image = {"S3Object": {"Bucket": elsewhere, "Name": "a.png"}}
    says = refusal(aws.rekognition.detect_custom_labels, ProjectVersionArn=arn, Image=image)
    assert "InvalidS3ObjectException" in says
    assert "is in eu-west-1" in says
