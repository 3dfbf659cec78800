"""The manifest summary that Custom Labels writes when it has validated a training's manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from custom_labels.aws.statuses import Described

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def manifest_error_codes(summary: Mapping[str, Any]) -> list[str]:
    """List the error codes of a manifest summary, each once, the file-wide ones first.

    :param summary: the JSON of the file that ``ManifestSummary`` of a version names.
    """
    statistics = summary.get("statistics", {})
    parts = [summary, statistics.get("training", {}), statistics.get("testing", {})]
    codes = [error["code"] for part in parts for error in part.get("errors", []) if "code" in error]
    return list(dict.fromkeys(codes))


def explain_failed_training(described: Described, connection: Mapping[str, Any]) -> str:
    """Say what the manifest summary of a failed training names, where Custom Labels wrote one.

    :param connection: arguments of the S3 hook.
    """
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    place = described.raw.get("ManifestSummary", {}).get("S3Object")
    if not place:
        return "Custom Labels wrote no manifest summary, so the fault is in the manifest file or in the service."
    client: S3Client = S3Hook(**connection).get_conn()
    body = client.get_object(Bucket=place["Bucket"], Key=place["Name"])["Body"].read()
    codes = manifest_error_codes(json.loads(body))
    return f"Manifest summary s3://{place['Bucket']}/{place['Name']}: {', '.join(codes) or 'no error codes'}."
