"""A failed run is told once: by its task, or, where no task could say a word, by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.domain.outcome import RunOutcome
from custom_labels.notifications import RunFailureNotifier
from custom_labels.storage.registry import Registry
from custom_labels.storage.store import S3Store
from tests.support import BUCKET, client, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

DAG_ID, RUN = "digits_detect", "manual__1"


@pytest.fixture
def mail(aws: LocalAws, airflow_db: None) -> str:
    """A queue that hears what the project's topic says."""
    s3(aws).create_bucket(Bucket=BUCKET)
    topic = client(aws, "sns").create_topic(Name="custom-labels-digits")["TopicArn"]
    url: str = client(aws, "sqs").create_queue(QueueName="mail")["QueueUrl"]
    endpoint = "arn:aws:sqs:us-east-1:123456789012:mail"
    client(aws, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint)
    return url


def told(aws: LocalAws, mail: str) -> list[dict[str, Any]]:
    found = client(aws, "sqs").receive_message(QueueUrl=mail, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def fail(reason: str | None = "task_failure") -> None:
    """Call the notifier as Airflow does, with the least that it gives."""
    from airflow.sdk import DAG

    context: Any = {"dag": DAG(DAG_ID, schedule=None), "run_id": RUN, "reason": reason}
    RunFailureNotifier(project="digits")(context)


def record(outcome: str, run: str) -> None:
    ended = RunOutcome(outcome=outcome, project="digits", detail="why", run=f"{DAG_ID}/{run}")
    Registry(S3Store(BUCKET)).record_run(ended.to_json())


@pytest.mark.parametrize("before", [None, ("failed", "manual__0"), ("detected", RUN)], ids=str)
def test_a_run_that_failed_without_a_word_is_told(aws: LocalAws, mail: str, before: tuple[str, str] | None) -> None:
    if before:
        record(*before)

    fail("timed_out")

    (message,) = told(aws, mail)
    assert message["Subject"] == "[digits] run failed: no task reported a failure; Airflow says: timed_out"
    assert f"Run: {DAG_ID}/{RUN}" in message["Message"]
    assert Registry(S3Store(BUCKET)).last_run(DAG_ID)["outcome"] == "failed"


@pytest.mark.parametrize("outcome", ["failed", "training_failed"])
def test_a_run_whose_task_told_is_not_told_again(aws: LocalAws, mail: str, outcome: str) -> None:
    record(outcome, RUN)

    fail()

    assert told(aws, mail) == []


def test_a_failure_is_left_to_the_task_where_the_bucket_is_gone(aws: LocalAws, mail: str) -> None:
    s3(aws).delete_bucket(Bucket=BUCKET)

    fail()

    assert told(aws, mail) == []
