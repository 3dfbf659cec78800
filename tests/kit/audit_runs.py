"""What the tests of human sampling share: a project whose live version made detections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.live_version import Candidate
from custom_labels.core.registry import Registry
from custom_labels.deployment.live_records import move_live
from custom_labels.detection.detection import Decision, Detection
from tests.kit.review_project import ReviewProject, make_request, set_up_review
from tests.kit.support import BUCKET, LABELS, s3
from tests.kit.version_records import evaluation, put_on_record

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

VERSION = "digits-20261121T120000-abc"
PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/digits/1"


def set_up_sampling(aws: LocalAws) -> ReviewProject:
    """Set up a project's review, and let a version serve."""
    made = set_up_review(aws)
    candidate = Candidate(PROJECT, VERSION, "arn:v", "d" * 64, 0.9, LABELS, champion_arn=None)
    move_live(Registry(made.store), candidate, "2026-11-21T12:00:00+00:00")
    put_on_record(made.store, VERSION, evaluation=evaluation())
    return made


def detections(aws: LocalAws, numbers: range) -> list[Detection]:
    """Give detections of images that show rows, of which the version says so."""
    requests = [make_request(aws, number) for number in numbers]
    return [
        Detection(
            image=request.image,
            key=request.key,
            etag=request.etag,
            version_name=VERSION,
            version_arn="arn:v",
            detected_at="2026-11-21T12:00:00+00:00",
            labels=(DetectedLabel("rows", 95.0),),
            minimum_confidence=70.0,
            decision=Decision.ACCEPTED,
            reason="sure",
        )
        for request in requests
    ]


def read(aws: LocalAws, key: str) -> str:
    """Read an object as text."""
    return s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
