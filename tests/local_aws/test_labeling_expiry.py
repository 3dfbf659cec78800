"""An image of a labeling job waits for workers no longer than the request says, which a test cannot wait for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from include.local_aws.faults import Faults
from include.local_aws.human_review.labeling.jobs import create_labeling_job, describe_labeling_job
from include.local_aws.human_review.renderer import Renderer
from include.local_aws.human_review.state import Answer, Region
from include.local_aws.human_review.workteams import create_workteam
from include.local_aws.objects import ACCOUNT, Objects
from include.local_aws.settings import Settings
from include.local_aws.transitions import Transitions
from tests.local_aws.labeling_support import lambda_arn, page
from tests.local_aws.review_support import ROLE

BUCKET = "labeling-expiry"
FILES = {
    "manifest": "".join(json.dumps({"source-ref": f"s3://{BUCKET}/{name}.png"}) + "\n" for name in "ab"),
    "categories": json.dumps({"labels": [{"label": "dots"}]}),
    "page": page(),
}


class Clock:
    """Time that a test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def region() -> Iterator[Region]:
    from moto.s3.models import s3_backends

    backend: Any = s3_backends[ACCOUNT]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    renderer, objects = Renderer(), Objects(Faults(0))
    made = Region(
        "us-east-1", Settings({"job_start": 0}), objects, lambda: "http://127.0.0.1", renderer, threading.RLock()
    )
    for key, content in FILES.items():
        objects.write(BUCKET, key, content.encode())
    yield made
    renderer.stop()
    backend.reset()


def request(team: str) -> dict[str, Any]:
    return {
        "LabelingJobName": "job",
        "LabelAttributeName": "label",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{BUCKET}/manifest"}}},
        "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
        "RoleArn": ROLE,
        "LabelCategoryConfigS3Uri": f"s3://{BUCKET}/categories",
        "HumanTaskConfig": {
            "WorkteamArn": team,
            "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/page"},
            "PreHumanTaskLambdaArn": lambda_arn("PRE-ImageMultiClass"),
            "TaskTitle": "t",
            "TaskDescription": "d",
            "NumberOfHumanWorkersPerDataObject": 2,
            "TaskTimeLimitInSeconds": 30,
            "TaskAvailabilityLifetimeInSeconds": 60,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": lambda_arn("ACS-ImageMultiClass")},
        },
    }


def test_image_fails_when_its_workers_are_late(region: Region) -> None:
    clock = Clock()
    region.transitions = Transitions(clock)
    team = create_workteam(region, {"WorkteamName": "t"})["WorkteamArn"]
    create_labeling_job(region, request(team))
    region.transitions.settle()
    first, _ = region.jobs["job"].objects
    for worker, moment in (("anna", 1.0), ("berta", 2.0)):
        first.keep(Answer(worker, {"crowd-image-classifier": {"label": "dots"}}, 0.0, moment))

    clock.now = 59.0
    region.transitions.settle()
    assert describe_labeling_job(region, {"LabelingJobName": "job"})["LabelingJobStatus"] == "InProgress"
    clock.now = 61.0
    region.transitions.settle()

    described = describe_labeling_job(region, {"LabelingJobName": "job"})
    assert described["LabelingJobStatus"] == "Completed"
    assert described["LabelCounters"]["TotalLabeled"] == 1
    assert described["LabelCounters"]["FailedNonRetryableError"] == 1
    output = region.objects.read(BUCKET, "out/job/manifests/output/output.manifest").decode().splitlines()
    labeled, late = map(json.loads, output)
    assert labeled["label"] == 0
    assert "TaskAvailabilityLifetimeInSeconds" in late["label-metadata"]["failure-reason"]
