"""Archived objects, and single objects that S3 refuses: nothing reads them, until they are restored."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.support import BUCKET, Aws, pattern, wait_for

IMAGE = "train/dots/0.png"


def refusal(call: Any, **params: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def archive(aws: Aws, key: str, storage_class: str) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=pattern("dots", 0), StorageClass=storage_class)


def restore_status(aws: Aws, key: str) -> dict[str, Any]:
    listed = aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=key, OptionalObjectAttributes=["RestoreStatus"])
    return dict(listed["Contents"][0].get("RestoreStatus", {}))


def errors(aws: Aws, version: dict[str, Any]) -> int:
    (asset,) = version["TrainingDataResult"]["Validation"]["Assets"]
    return aws.read(asset["GroundTruthManifest"]["S3Object"]["Name"]).count('"ERROR_INVALID_IMAGE"')


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_refused_until_it_is_restored(aws: Aws, storage_class: str) -> None:
    archive(aws, "a b+c.png", storage_class)
    assert refusal(aws.s3.get_object, Bucket=BUCKET, Key="a b+c.png", Range="bytes=0-9") == ("InvalidObjectState", 403)
    assert restore_status(aws, "a b+c.png") == {}

    aws.s3.restore_object(Bucket=BUCKET, Key="a b+c.png", RestoreRequest={"Days": 1})

    assert aws.s3.get_object(Bucket=BUCKET, Key="a b+c.png")["Body"].read() == pattern("dots", 0)
    status = restore_status(aws, "a b+c.png")
    assert status["IsRestoreInProgress"] is False
    assert status["RestoreExpiryDate"].year >= 2026


def test_a_training_leaves_out_an_archived_image_and_says_so(aws: Aws) -> None:
    project = aws.colour_project()
    archive(aws, IMAGE, "GLACIER")

    version = aws.train(project)

    assert (version["Status"], errors(aws, version)) == ("TRAINING_COMPLETED", 1)


def test_a_training_leaves_out_one_image_that_is_refused(aws: Aws) -> None:
    project = aws.colour_project()
    aws.control.denied({"bucket": BUCKET, "operation": "s3.GetObject", "key": IMAGE, "code": "KMS.DisabledException"})

    version = aws.train(project)

    assert (version["Status"], errors(aws, version)) == ("TRAINING_COMPLETED", 1)
    assert refusal(aws.s3.get_object, Bucket=BUCKET, Key=IMAGE) == ("KMS.DisabledException", 400)


def test_no_label_is_found_in_an_archived_image(aws: Aws) -> None:
    project = aws.colour_project()
    aws.train(project)
    arn = aws.start(project, "v1")
    wait_for(lambda: aws.version(project, "v1")["Status"], "RUNNING")
    archive(aws, IMAGE, "GLACIER")

    place = {"S3Object": {"Bucket": BUCKET, "Name": IMAGE}}
    assert refusal(aws.rekognition.detect_custom_labels, ProjectVersionArn=arn, Image=place) == (
        "InvalidS3ObjectException",
        400,
    )


def test_a_dataset_is_not_made_from_an_archived_manifest(aws: Aws) -> None:
    project = aws.project()
    source = aws.manifest("m.manifest", ["{}"])
    aws.s3.put_object(Bucket=BUCKET, Key="m.manifest", Body=b"{}", StorageClass="GLACIER")

    refused = refusal(aws.rekognition.create_dataset, ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)

    assert refused == ("InvalidS3ObjectException", 400)
