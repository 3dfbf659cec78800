"""The messages by which S3 announces what a labeling job has written, sent by EventBridge or by the bucket itself.

The event by which SageMaker says that a job has ended is not used: it is of all reviews of the job, as late as the
slowest of them, and names none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from custom_labels.core.keys import LABELING_OUTPUT
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import Announcements
from custom_labels.review.backends.ground_truth.job import job_prefix


def announced(project: Project) -> Announcements:
    """Describe the events about files with the answers to one image each."""
    folder = f"{project.prefix}{LABELING_OUTPUT}{job_prefix(project.name)}"
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": project.bucket},
            "object": {"key": f"{folder}0/annotations/worker-response/iteration-1/0/2026-01-01_00:00:00.json"},
        },
    }
    return Announcements(f"'Object Created' of {folder}*/worker-response/* in the bucket {project.bucket}", (event,))


def created_key(body: Mapping[str, Any], bucket: str, prefix: str) -> str | None:
    """Give the key, relative to a project's prefix, of the object that a message announces; ``None`` for another one.

    S3 puts one record into a message.
    """
    try:
        if "Records" in body:
            found = body["Records"][0]["s3"]
            name, key = found["bucket"]["name"], unquote_plus(found["object"]["key"])
        elif body.get("source") == "aws.s3":
            name, key = body["detail"]["bucket"]["name"], body["detail"]["object"]["key"]
        else:
            return None
    except (KeyError, TypeError, IndexError):
        return None
    is_ours = name == bucket and isinstance(key, str) and key.startswith(prefix)
    return str(key).removeprefix(prefix) if is_ours else None
