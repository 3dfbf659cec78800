"""What feeds a project's queues: every way that images and finished reviews may come, and what is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from custom_labels.operations.announcement_checks import AnnouncementChecks, WrongAnnouncement
from custom_labels.operations.bootstrap_checks import BootstrapChecks
from custom_labels.review.backends.registry import definition_of
from tests.kit.review_project import set_up_surroundings
from tests.kit.support import BUCKET, client, s3
from tests.kit.task_contexts import project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def surroundings(aws: LocalAws) -> None:
    """All that an operator makes."""
    set_up_surroundings(aws)


def checks_of(queue: str) -> AnnouncementChecks:
    return BootstrapChecks(project_context("digits_bootstrap")).announcements(queue)


def check(checks: AnnouncementChecks, kind: str) -> str:
    """Check what feeds a queue."""
    if kind == "detections":
        return checks.images()
    return checks.reviews(definition_of(checks.project).announcements(checks.arns["reviews"], checks.project))


def problem(kind: str = "detections") -> str:
    """Give what is wrong, empty if nothing is."""
    checks = checks_of(kind)
    try:
        assert check(checks, kind)
    except WrongAnnouncement as error:
        return str(error)
    return ""


QUEUES = "arn:aws:sqs:us-east-1:123456789012:custom-labels-digits-"
INBOX = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "images_for_detection/"}]}}


def notification(queue: str = "detections", **changes: Any) -> dict[str, Any]:
    return {"Id": "mine", "QueueArn": f"{QUEUES}{queue}", "Events": ["s3:ObjectCreated:*"], "Filter": INBOX, **changes}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], ["does not send s3:ObjectCreated:* of images_for_detection/ to", "found on the schedule only"]),
        ([notification(Filter={})], ["The notification 'mine'", "has no prefix", "Give it the prefix"]),
        (
            [notification(Filter={"Key": {"FilterRules": [{"Name": "prefix", "Value": "images"}]}})],
            ["The notification 'mine'", "has the prefix 'images', so that what the project writes itself"],
        ),
        (
            [notification(Filter={"Key": {"FilterRules": [{"Name": "prefix", "Value": "images_to_detect/"}]}})],
            ["has the prefix 'images_to_detect/', so that no images of the inbox are announced"],
        ),
        ([notification(Events=["s3:ObjectCreated:Put"])], ["leaves out s3:ObjectCreated:CompleteMultipartUpload"]),
        (
            [notification("reviews")],
            [
                f"to {QUEUES}detections, but to {QUEUES}reviews",
                "sends to",
                "which is 'queues.reviews' and for no images",
            ],
        ),
    ],
    ids=["missing", "without a prefix", "too wide", "misspelt", "for one kind of upload only", "to the wrong queue"],
)
@pytest.mark.usefixtures("surroundings")
def test_a_notification_that_is_wrong_is_named(aws: LocalAws, found: list[Any], says: list[str]) -> None:
    configuration: Any = {"QueueConfigurations": found}
    s3(aws).put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)

    reported = problem()

    assert [text for text in says if text not in reported] == []
    assert reported.count("The bucket") + reported.count("The notification") == (2 if "reviews" in str(found) else 1)


IMAGES = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [BUCKET]}}}
OF_INBOX = {**IMAGES, "detail": {"object": {"key": [{"prefix": "images_for_detection/"}]}}}


@pytest.mark.parametrize(
    ("pattern", "state", "says"),
    [
        (OF_INBOX, "ENABLED", ""),
        (IMAGES, "ENABLED", "The EventBridge rule 'images' announces what the project writes itself"),
        (OF_INBOX, "DISABLED", "The EventBridge rule 'images', which announces images, is DISABLED"),
        ({"source": ["aws.ec2"]}, "ENABLED", "does not send s3:ObjectCreated:* of images_for_detection/"),
    ],
    ids=["right", "for all objects", "disabled", "for something else"],
)
@pytest.mark.usefixtures("surroundings")
def test_images_that_come_by_eventbridge_are_checked_by_its_rule(
    aws: LocalAws, pattern: dict[str, Any], state: str, says: str
) -> None:
    configuration: Any = {"EventBridgeConfiguration": {}}
    s3(aws).put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)
    events = client(aws, "events")
    events.put_rule(Name="images", EventPattern=json.dumps(pattern), State=state)
    events.put_targets(Rule="images", Targets=[{"Id": "queue", "Arn": f"{QUEUES}detections"}])

    assert says in problem() if says else problem() == ""


@pytest.mark.usefixtures("surroundings")
def test_images_that_come_by_a_topic_are_checked_by_its_notification(aws: LocalAws) -> None:
    topic = client(aws, "sns").create_topic(Name="images")["TopicArn"]
    client(aws, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"{QUEUES}detections")
    wide: Any = {"Id": "by topic", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}
    notes = []
    narrow: Any = {**wide, "Filter": INBOX}
    for entry in (wide, narrow):
        s3(aws).put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"TopicConfigurations": [entry]}
        )
        notes.append(problem())

    assert "The notification 'by topic'" in notes[0]
    assert "has no prefix" in notes[0]
    assert notes[1] == ""


@pytest.mark.parametrize(
    ("state", "source", "found"),
    [("DISABLED", "aws.sagemaker", "(DISABLED)"), ("ENABLED", "aws.s3", "(ENABLED)"), (None, "", "none")],
    ids=["disabled", "for something else", "missing"],
)
@pytest.mark.usefixtures("surroundings")
def test_a_rule_for_finished_reviews_is_reported_when_it_is(
    aws: LocalAws, state: str | None, source: str, found: str
) -> None:
    events = client(aws, "events")
    events.remove_targets(Rule=BUCKET, Ids=["queue"])
    if state:
        events.put_rule(Name="mine", EventPattern=json.dumps({"source": [source]}), State=state)
        events.put_targets(Rule="mine", Targets=[{"Id": "queue", "Arn": f"{QUEUES}reviews"}])

    reported = problem("reviews")

    assert "No enabled EventBridge rule sends 'SageMaker A2I HumanLoop Status Change'" in reported
    assert found in reported
    assert "Finished reviews are found on the schedule only" in reported


@pytest.mark.usefixtures("surroundings")
def test_nothing_is_wrong_with_what_the_template_makes() -> None:
    assert (problem(), problem("reviews")) == ("", "")


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("kind", ["detections", "reviews"])
def test_what_may_not_be_inspected_is_said_and_no_problem(aws: LocalAws, kind: str) -> None:
    configuration: Any = {"EventBridgeConfiguration": {}}
    s3(aws).put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)
    events = client(aws, "events")  # the embedded AWS denies buckets only
    checks = checks_of(kind)
    checks.client = lambda _: events
    with Stubber(events) as stubbed:
        stubbed.add_client_error("list_rule_names_by_target", "AccessDeniedException")

        assert "may not be inspected (events:ListRuleNamesByTarget" in check(checks, kind)
