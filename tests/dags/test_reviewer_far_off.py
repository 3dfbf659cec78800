"""One of three reviewers is far off: the harvest tells people once, and its numbers reach the metrics of Airflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.review.far_off import MINIMUM_ANSWERS
from tests.kit.dag_runs import Variables
from tests.kit.harvests import answer, ask
from tests.kit.review_project import ReviewProject, make_request, set_up_review, wait_until_ended
from tests.kit.statsd import Statsd
from tests.kit.step_runs import harvest_by_steps
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

DISAGREES = "disagrees with the consensus"
GAUGES = "custom_labels.digits.reviews."


def gauges(statsd: Statsd) -> dict[str, float]:
    """Give the gauges of reviews that came since the last time, by the ends of their names."""
    return {
        each.name.removeprefix(GAUGES): each.value
        for each in statsd.received()
        if each.kind == "g" and each.name.startswith(GAUGES)
    }


@pytest.fixture
def review_project(digits: LocalAws, variables: Variables) -> ReviewProject:
    variables.set(daily_review_budget=1_000, reviewers_per_image=3)
    made = set_up_review(digits)
    topic = client(digits, "sns").create_topic(Name="custom-labels-digits")["TopicArn"]
    client(digits, "sqs").create_queue(QueueName="mail")
    endpoint = "arn:aws:sqs:us-east-1:123456789012:mail"
    client(digits, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint)
    return made


def mail(aws: LocalAws) -> list[dict[str, Any]]:
    """Receive what the project's topic says."""
    sqs = client(aws, "sqs")
    url = sqs.get_queue_url(QueueName="mail")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    for each in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(each["Body"]) for each in found]


def ask_three(aws: LocalAws, review_project: ReviewProject, first: int, images: int, careless: str) -> None:
    """Let three people answer about images of rows: two see it, and the third says something."""
    requests = [make_request(aws, first + number, guess="rows", reviewers=3) for number in range(images)]
    ask(review_project, *requests)

    names = [request.name for request in requests]
    for name in names:
        for person, label in (("anna", "rows"), ("ben", "rows"), ("carl", careless)):
            answer(aws, name, label, person)
    wait_until_ended(review_project, *names)


def test_a_reviewer_who_is_far_off_is_named_once_and_the_gauges_say_so(
    aws: LocalAws, review_project: ReviewProject, statsd: Statsd
) -> None:
    # All agree, but the careless one on less images than anything is decided by.
    ask_three(aws, review_project, 0, 1, "columns")
    assert harvest_by_steps().outcome == "harvested"
    assert DISAGREES not in str(mail(aws))
    assert gauges(statsd)["reviewers_far_off"] == 0

    images = MINIMUM_ANSWERS
    ask_three(aws, review_project, 1, images, "columns")
    run = harvest_by_steps()

    (message,) = mail(aws)
    disagrees = f"{DISAGREES} in {images + 1} of {images + 1} answers"
    assert run.outcome == "reviewer_far_off"
    assert disagrees in run.note
    assert disagrees in message["Message"]
    assert "digits" in message["Subject"]
    assert "carl" not in json.dumps(message)
    sent = gauges(statsd)
    assert sent.keys() >= {"open", "waiting", "answer_seconds", "agreement"}
    assert {name: sent[name] for name in ("answers", "reviewers", "reviewers_far_off", "open", "guesses_kept")} == {
        "answers": 3 * (images + 1),
        "reviewers": 3,
        "reviewers_far_off": 1,
        "open": 0,
        "guesses_kept": 1,
    }

    again = harvest_by_steps()

    assert again.outcome == "nothing_to_harvest"
    assert disagrees not in again.note
    assert DISAGREES not in str(mail(aws))
    assert gauges(statsd)["reviewers_far_off"] == 1
