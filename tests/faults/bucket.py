"""What lies in the project's bucket: images before and after a run, and the manifests between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.kit.support import BUCKET, FOLDER, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def put(aws: LocalAws, name: str, body: bytes) -> None:
    """Put an object below the labels' folder."""
    s3(aws).put_object(Bucket=BUCKET, Key=f"{FOLDER}{name}", Body=body)


def images(aws: LocalAws) -> dict[str, str]:
    """Give the ETag of every object below the labels' folder, by its name there."""
    listed = s3(aws).list_objects_v2(Bucket=BUCKET, Prefix=FOLDER)
    return {entry["Key"].removeprefix(FOLDER): entry["ETag"] for entry in listed["Contents"]}


def manifest(aws: LocalAws, uri: str) -> dict[str, str]:
    """Give the label of every image of a manifest, by its source-ref."""
    key = uri.removeprefix(f"s3://{BUCKET}/")
    body = s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read()
    lines = [json.loads(line) for line in body.splitlines()]
    return {line["source-ref"]: line["label-metadata"]["class-name"] for line in lines}
