"""What the tests of the cost guard share: versions that run for whatever reason, and how its runs ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from custom_labels.core.lock_records import DEPLOYMENT_LOCK, LockFile
from custom_labels.s3.store import S3Store
from tests.kit.dag_runs import Run, run_dag
from tests.kit.support import BUCKET, client
from tests.kit.version_records import put_on_record

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

guard = partial(run_dag, "cost_guard")

CLOSED = '{"opens": "0 0 29 2 *", "closes": "1 0 29 2 *"}'
"""A service window that is open for a minute in four years; ``OPEN`` is closed as seldom."""
OPEN = '{"opens": "1 0 29 2 *", "closes": "0 0 29 2 *"}'


def store() -> S3Store:
    """Give the project's bucket and prefix."""
    return S3Store(BUCKET, region_name="us-east-1")


def know(name: str, **facts: Any) -> None:
    """Let the registry know a version."""
    put_on_record(store(), name, **{"digest": name, "version_arn": f"arn of {name}", **facts})


def end_of(run: Run) -> tuple[str, str]:
    """Give the run's state and its outcome."""
    return run.state, " ".join(run.ends)


def hold_deployment_lock(minutes_ago: float = 0) -> None:
    """Let another run hold the deployment lock, with a lease of an hour, since so long ago."""
    began = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    lock = LockFile(store(), "digits_train/another", DEPLOYMENT_LOCK, now=lambda: began)
    assert lock.try_take() is None


def lock_holder() -> str | None:
    """Give who holds the deployment lock, and keeps others out with it."""
    holder, _ = LockFile(store(), "nobody", DEPLOYMENT_LOCK).read()
    return holder.owner if holder and datetime.now(UTC) < holder.expires_at else None


def let_lock_lapse() -> None:
    """Let so much time pass that whoever holds the deployment lock, and does nothing any more, counts as dead."""
    if owner := lock_holder():
        long_ago = datetime.now(UTC) - timedelta(hours=12)
        store().call("delete_object", DEPLOYMENT_LOCK)
        assert LockFile(store(), owner, DEPLOYMENT_LOCK, now=lambda: long_ago).try_take() is None


def subscribe(aws: LocalAws) -> str:
    """Make a queue that receives what is published to the project's topic; give its URL."""
    queues, topics = client(aws, "sqs"), client(aws, "sns")
    url: str = queues.create_queue(QueueName="messages")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(
        TopicArn=topics.create_topic(Name="custom-labels-digits")["TopicArn"], Protocol="sqs", Endpoint=arn
    )
    return url
