"""To record and notify never changes what happened: SNS or S3 refuse it, and the run ends as it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.dag_runs import Variables, record, run_dag, statuses
from tests.kit.deploy_runs import serve_in_turn
from tests.kit.detect_runs import serve, start
from tests.kit.guard_runs import know
from tests.kit.support import BUCKET, client, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def a_stray(aws: LocalAws) -> None:
    aws.control.quotas(running_models=5)
    start(aws, serve(aws, "v1", "v2"), "v2")
    know("v2")


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("kind", "prepare", "end"),
    [
        pytest.param("cost_guard", a_stray, "guarded"),
        pytest.param("rollback", lambda aws: serve_in_turn(aws, "v1", "v2"), "rolled_back", marks=SLOW),
        pytest.param("train", lambda aws: put_images(aws, 10), "deployed", marks=SLOW),
    ],
)
def test_a_message_that_sns_refuses_leaves_the_run_and_its_record_as_they_are(
    digits: LocalAws, kind: str, prepare: Callable[[LocalAws], Any], end: str
) -> None:
    prepare(digits)
    topics = client(digits, "sns")
    (topic,) = topics.list_topics()["Topics"]
    topics.delete_topic(TopicArn=topic["TopicArn"])

    run = run_dag(kind)

    assert (run.state, run.ends, run.failed) == ("success", {end}, set()), run.note
    last = record(digits, f"last_run/digits_{kind}")
    assert last["outcome"] == end
    assert f"SNS did not take the message for '{topic['TopicArn']}'" in last["facts"]["Afterwards"]
    assert "NotFound" in last["facts"]["Afterwards"]
    assert "Afterwards: SNS did not take the message" in str(run.note)


def test_a_record_that_s3_refuses_leaves_the_run_as_it_is(digits: LocalAws, variables: Variables) -> None:
    a_stray(digits)
    digits.control.denied({"bucket": BUCKET, "operation": "s3.PutObject", "key": "registry/last_run/*"})

    run = run_dag("cost_guard")

    digits.control.denied()
    assert (run.state, run.ends) == ("success", {"guarded"}), run.note
    assert record(digits, "last_run/digits_cost_guard") is None
    assert statuses(digits)["v2"] == "STOPPED"
