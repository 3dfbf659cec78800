"""Labeling jobs in the embedded AWS: a project that asks by them, and people who answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import AnyReviewSetup, ReviewSetup
from custom_labels.core.settings import Project, load_project
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.backends.ground_truth.job import FIELDS
from custom_labels.s3.store import S3Store
from tests.kit.harvests import submit
from tests.kit.review_project import ROLE, TEAM, make_store, set_up_surroundings
from tests.kit.support import BUCKET, client, s3, wait_until

if TYPE_CHECKING:
    from custom_labels.review.backends.ground_truth.backend import GroundTruthReviewBackend
    from include.local_aws.process import LocalAws

PART = {
    "workteam_arn": f"arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/{TEAM}",
    "role_arn": f"arn:aws:iam::123456789012:role/{ROLE}",
}


def labeling_project(task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION, **changes: Any) -> Project:
    """Give the demo's project with Ground Truth as its review backend.

    :param changes: of its part of the project file.
    """
    given = {"backend": "ground_truth", "title": "Which digit is this?", "ground_truth": {**PART, **changes}}
    review: ReviewSetup = TypeAdapter(AnyReviewSetup).validate_python(given)
    return load_project("digits").model_copy(update={"review": review, "task": task})


def set_up_labeling(
    aws: LocalAws, task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION
) -> tuple[Project, S3Store, GroundTruthReviewBackend]:
    """Make what an operator makes, with jobs that start and stop without delay."""
    from custom_labels.review.backends.ground_truth.backend import GroundTruthReviewBackend

    set_up_surroundings(aws)
    project = labeling_project(task)
    store = make_store(project)
    return project, store, GroundTruthReviewBackend(project, store)


def task_name(backend: GroundTruthReviewBackend, name: str) -> str:
    """Give the name that the portal knows a review by, once people see it."""
    job = backend.files.claims({name})[name]
    described = backend.hook.describe_job
    wait_until(lambda: described(job).status != "Initializing")
    names = [request.name for request in backend.files.requests(job)]
    return f"{job}/{names.index(name)}"


def answer_image(
    aws: LocalAws, backend: GroundTruthReviewBackend, name: str, label: str | None, worker: str = "anna"
) -> None:
    """Answer a review of one label as a person does at the worker portal; ``None`` is none of the above."""
    said = {"label": NONE_OF_THE_ABOVE if label is None else label}
    say(aws, backend, name, said, worker)


def say(aws: LocalAws, backend: GroundTruthReviewBackend, name: str, said: dict[str, Any], worker: str) -> None:
    """Let the page of a review send an answer."""
    submit(aws, task_name(backend, name), said, worker, FIELDS[backend.project.task])


def announce_answers(aws: LocalAws) -> None:
    """Let EventBridge announce answers to the queue, as docs/ground_truth.md has it."""
    s3(aws).put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    key = [{"wildcard": "ground-truth/output/digits-reviews-*/annotations/worker-response/*"}]
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [BUCKET]}, "object": {"key": key}},
    }
    events = client(aws, "events")
    events.put_rule(Name="answers", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:us-east-1:123456789012:{BUCKET}-reviews"
    events.put_targets(Rule="answers", Targets=[{"Id": "queue", "Arn": arn}])
