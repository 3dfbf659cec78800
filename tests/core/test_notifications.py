"""A failed run is notified once: by its task, or, where no task could, by itself; and nothing notified is undone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.listener import NOTE_KEY
from custom_labels.core.notifications import FailureNotifier, RunFailureNotifier
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.registry import Registry
from custom_labels.s3.store import S3Store
from tests.kit.support import BUCKET, client, s3
from tests.kit.task_contexts import context

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


def messages_to(aws: LocalAws, mail: str) -> list[dict[str, Any]]:
    found = client(aws, "sqs").receive_message(QueueUrl=mail, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def fail(reason: str | None = "task_failure") -> None:
    """Call the notifier as Airflow does, with the least that it gives."""
    from airflow.sdk import DAG

    context: Any = {"dag": DAG(DAG_ID, schedule=None), "run_id": RUN, "reason": reason}
    RunFailureNotifier(project="digits")(context)


def record(outcome: str, run: str) -> None:
    ended = RunOutcome(outcome=Outcome[outcome.upper()], project="digits", detail="why", run=f"{DAG_ID}/{run}")
    Registry(S3Store(BUCKET)).record_run(to_json(ended))


@pytest.mark.parametrize("before", [None, ("failed", "manual__0"), ("detected", RUN)], ids=str)
def test_a_run_that_failed_without_a_word_is_reported(aws: LocalAws, mail: str, before: tuple[str, str] | None) -> None:
    if before:
        record(*before)

    fail("timed_out")

    (message,) = messages_to(aws, mail)
    assert message["Subject"] == "[digits] run failed: no task reported a failure; Airflow says: timed_out"
    assert f"Run: {DAG_ID}/{RUN}" in message["Message"]
    last = Registry(S3Store(BUCKET)).last_run(DAG_ID)
    if before == ("detected", RUN):  # that happened: what failed later does not undo it
        assert (last["outcome"], last["detail"]) == ("detected", "why")
        assert last["facts"] == {"Afterwards": "no task reported a failure; Airflow says: timed_out"}
    else:
        assert (last["outcome"], last["facts"]) == ("failed", {})


@pytest.mark.parametrize("outcome", ["failed", "training_failed"])
def test_a_run_whose_task_notified_is_not_notified_again(aws: LocalAws, mail: str, outcome: str) -> None:
    record(outcome, RUN)

    fail()

    assert messages_to(aws, mail) == []


def fail_task(task_id: str) -> str:
    """Call the notifier of a task that failed, in a DAG of which ``finish`` follows ``work``; give the run's note."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(DAG_ID, schedule=None) as dag:
        work, finish, draw, release = (EmptyOperator(task_id=name) for name in ("work", "finish", "draw", "release"))
        work >> [finish, draw] >> release
    given: Any = {**context(), "task": dag.get_task(task_id), "exception": "No disk."}
    given["ti"].task_id = task_id
    given["dag_run"].dag_id, given["dag_run"].run_id = DAG_ID, RUN
    FailureNotifier(project="digits").notify(given)
    return str(given["ti"].xcoms[NOTE_KEY])


@pytest.mark.parametrize("task_id", ["finish", "draw", "release"])
def test_what_fails_beside_or_after_the_finish_leaves_the_outcome_as_it_is(
    aws: LocalAws, mail: str, task_id: str
) -> None:
    record("deployed", RUN)

    note = fail_task(task_id)

    last = Registry(S3Store(BUCKET)).last_run(DAG_ID)
    assert (last["outcome"], last["detail"]) == ("deployed", "why")
    assert last["facts"] == {"Afterwards": f"task {task_id}: No disk."}
    assert note == f"New version serves: why. Afterwards: task {task_id}: No disk."
    (message,) = messages_to(aws, mail)
    assert message["Subject"] == f"[digits] run failed: task {task_id}: No disk."


@pytest.mark.parametrize(
    ("task_id", "before"),
    [("work", ("deployed", RUN)), ("work", None), ("draw", None), ("draw", ("deployed", "manual__0"))],
)
def test_what_fails_before_the_finish_is_the_outcome(
    aws: LocalAws, mail: str, task_id: str, before: tuple[str, str] | None
) -> None:
    """Also where the same run was reported, cleared, and fails the second time."""
    if before:
        record(*before)

    note = fail_task(task_id)

    last = Registry(S3Store(BUCKET)).last_run(DAG_ID)
    assert (last["outcome"], last["detail"]) == ("failed", f"task {task_id}: No disk.")
    assert note == f"Run failed: task {task_id}: No disk."
    assert len(messages_to(aws, mail)) == 1


def test_a_failure_is_left_to_the_task_where_the_bucket_is_gone(aws: LocalAws, mail: str) -> None:
    s3(aws).delete_bucket(Bucket=BUCKET)

    fail()

    assert messages_to(aws, mail) == []
