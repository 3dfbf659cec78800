"""A worker's task has a time limit, which the real one makes too long to wait for here."""

from __future__ import annotations

import threading
import time

import pytest

from include.local_aws.faults import Faults
from include.local_aws.human_review.renderer import Renderer
from include.local_aws.human_review.state import Flow, Loop, Region
from include.local_aws.human_review.tasks import TaskClosed, accept, submit
from include.local_aws.objects import Objects
from include.local_aws.settings import Settings


@pytest.fixture
def region() -> Region:
    return Region(
        "us-east-1", Settings(), Objects(Faults(0)), lambda: "http://127.0.0.1", Renderer(), threading.RLock()
    )


@pytest.fixture
def loop(region: Region) -> Loop:
    details = {"HumanLoopConfig": {"TaskCount": 2, "TaskTimeLimitInSeconds": 30}}
    flow = Flow(**region.identity("flow-definition", "f"), details=details)
    found = Loop(**region.identity("human-loop", "l"), flow=flow, input_text="{}", input_content={})
    found.is_open = True
    return found


def test_answer_is_refused_when_the_time_limit_ran_out(loop: Loop) -> None:
    loop.accepted["anna"] = time.time() - 31
    with pytest.raises(TaskClosed, match="time limit of 30 seconds ran out"):
        submit(loop, "anna", {})
    accept(loop, "anna")
    submit(loop, "anna", {})
    assert list(loop.answers) == ["anna"]


def test_time_limit_counts_from_the_first_poll(loop: Loop) -> None:
    first = loop.accepted["anna"] = time.time() - 10
    accept(loop, "anna")
    assert loop.accepted["anna"] == first


def test_answer_is_refused_when_the_task_was_never_opened(loop: Loop) -> None:
    with pytest.raises(TaskClosed, match="Open the task before"):
        submit(loop, "anna", {})
