"""Human review in the embedded AWS: what a project needs, and what has become of its loops."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from custom_labels.core.settings import Project, load_project
from custom_labels.review.backends.a2i.project_file import A2IPart
from custom_labels.review.review import Purpose, ReviewRequest
from custom_labels.s3.store import S3Store
from tests.kit.support import BUCKET, LABELS, client, picture, s3, wait_until

if TYPE_CHECKING:
    from custom_labels.review.backends.a2i.backend import A2IReviewBackend
    from custom_labels.review.backends.base import ReviewBackend
    from include.local_aws.process import LocalAws

ROLE = "custom-labels-digits-review"
TEAM = "custom-labels-digits"
INSTANT = ("flow_create", "flow_delete", "loop_start", "loop_stop", "job_start", "job_stop")
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}]}
CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}


@dataclass(frozen=True)
class ReviewProject:
    """The project with its review set up: its file, its bucket and prefix, its backend, its queues by name."""

    project: Project
    store: S3Store
    backend: A2IReviewBackend
    queues: dict[str, str]


def set_up_review(aws: LocalAws, reviewers: tuple[int, ...] = (1, 2, 3), *, announced: bool = True) -> ReviewProject:
    """Make the bucket, the queues, the workteam, the role, and flows that ask these numbers of people, all at once.

    Loops start without delay from now on; ``aws.control.workforce(...)`` lets people answer them.

    :param announced: whether S3 and EventBridge send to the queues. Without it for thousands of images or loops: the
        embedded SQS takes the longer for a message the more of them wait.
    """
    from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
    from custom_labels.review.backends.a2i.backend import A2IReviewBackend
    from custom_labels.review.backends.a2i.setup import A2ISetup, plan_review

    queues = set_up_surroundings(aws, announced=announced)
    project = load_project("digits")
    store = make_store(project)
    setup = A2ISetup(project, store, ReviewSetupHook(region_name="us-east-1"), plan_review(project, store, reviewers))
    setup.create()
    wait_until(lambda: {each.status for each in setup.describe().values()} == {"Active"})
    setup.record(setup.describe())
    return ReviewProject(project, store, A2IReviewBackend(project, store), queues)


def set_up_surroundings(aws: LocalAws, *, announced: bool = True) -> dict[str, str]:
    """Make what an operator makes: bucket with CORS, queues, notification, event rule, topic, role and workteam.

    :return: the queues' URLs by their names in the project file.
    """
    aws.control.durations(**dict.fromkeys(INSTANT, 0))
    make_store_bucket(aws)
    queues = make_queues(aws, announced=announced)
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    client(aws, "iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
    member = {"CognitoMemberDefinition": {"UserPool": "us-east-1_x", "UserGroup": "g", "ClientId": "c"}}
    client(aws, "sagemaker").create_workteam(WorkteamName=TEAM, MemberDefinitions=[member], Description="d")
    return queues


def make_store_bucket(aws: LocalAws) -> None:
    """Make the bucket, open to the worker portal."""
    store = s3(aws)
    store.create_bucket(Bucket=BUCKET)
    store.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=CORS)  # type: ignore[arg-type]


def make_queues(aws: LocalAws, *, announced: bool = True) -> dict[str, str]:
    """Make the queues, with S3's notification of new images and EventBridge's of ended loops."""
    sqs, events = client(aws, "sqs"), client(aws, "events")
    names = {name: f"{BUCKET}-{name.replace('_', '-')}" for name in ("detections", "dead_letters", "reviews")}
    for queue in names.values():
        sqs.create_queue(QueueName=queue)
    urls = {name: url for name, url in load_project("digits").queues.model_dump().items() if url}
    if not announced:
        return urls
    arn = {name: f"arn:aws:sqs:us-east-1:123456789012:{queue}" for name, queue in names.items()}
    notification = {
        "QueueArn": arn["detections"],
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "images_for_detection/"}]}},
    }
    s3(aws).put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"QueueConfigurations": [notification]},  # type: ignore[list-item]
    )
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker A2I HumanLoop Status Change"]}
    events.put_rule(Name=BUCKET, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=BUCKET, Targets=[{"Id": "queue", "Arn": arn["reviews"]}])
    return urls


def make_store(project: Project) -> S3Store:
    """Give a project's bucket and prefix."""
    return S3Store(project.bucket, project.prefix, project.aws_conn_id, project.region_name)


def make_request(
    aws: LocalAws, number: int = 1, label: str = "rows", guess: str | None = "columns", **changes: Any
) -> ReviewRequest:
    """Put an image of ``label`` where it is to be labelled, and give the request for a review of it.

    The workforce's truth ``folder`` tells the label from the key.

    :param guess: the model's.
    """
    from custom_labels.core.names import review_name

    key = f"images_for_detection/{label}/{number:04d}.png"
    etag = s3(aws).put_object(Bucket=BUCKET, Key=key, Body=picture(label, number))["ETag"].strip('"')
    round_ = int(changes.get("round", 1))
    fields: dict[str, Any] = {
        "name": review_name("digits", key, etag, round_),
        "image": f"s3://{BUCKET}/{key}",
        "key": key,
        "etag": etag,
        "label": guess,
        "confidence": 43.21 if guess else None,
        "labels": LABELS,
        "version_name": "digits-1",
        "purpose": Purpose.DOUBT,
        "round": round_,
        "reviewers": 1,
    }
    return ReviewRequest(**{**fields, **changes})


def stop(review_project: ReviewProject, name: str) -> None:
    """Stop a review at A2I, as somebody may at its console."""
    review_project.backend.hook.client.stop_human_loop(HumanLoopName=name)


def wait_until_ended(review_project: ReviewProject, *names: str, seconds: float = 60) -> None:
    """Wait until reviews have ended, however."""

    def ended() -> bool:
        return all(
            (state := review_project.backend.status(name)) is not None and state.status.is_final for name in names
        )

    wait_until(ended, seconds)


def since_long() -> datetime:
    """Give a moment before every review of a test."""
    return datetime.now(UTC) - timedelta(hours=1)


def loops(review_project: ReviewProject) -> list[str]:
    """Name every human loop of the project."""
    return [state.name for page in review_project.backend.states(since_long()) for state in page]


def open_one(backend: ReviewBackend, request: ReviewRequest) -> bool:
    """Open a review alone; give whether it is new, or raise why it is not open."""
    opened = backend.open([request])
    if opened.troubles:
        raise opened.troubles[0]
    return request.name in opened.new


def with_review(project: Project, **changes: Any) -> Project:
    """Give a project whose file says something else of its reviews, or to Amazon A2I."""
    assert project.review is not None
    part = {name: value for name, value in changes.items() if name in A2IPart.model_fields}
    others = {name: value for name, value in changes.items() if name not in part}
    review = project.review.model_copy(update={**others, "a2i": project.review.part.model_copy(update=part)})
    return project.model_copy(update={"review": review})
