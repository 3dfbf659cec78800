"""A human loop as the tasks of its workers: who may take one, for how long, and what answering does."""

from __future__ import annotations

import time
from typing import Any

from include.local_aws.human_review.endings import answer_task
from include.local_aws.human_review.state import Answer, Loop, Region

_DEFAULT_LIMIT_SECONDS = 3600


class TaskClosed(RuntimeError):
    """The task does not take this worker's answer; the text tells the worker why."""


def open_tasks(region: Region, worker: str) -> list[Loop]:
    """Return the loops that `worker` may answer, oldest first."""
    return [
        loop
        for loop in region.active_loops.values()
        if loop.is_open and loop.status == "InProgress" and worker not in loop.answers
    ]


def accept(loop: Loop, worker: str) -> None:
    """Note that `worker` looks at the task; the time limit counts from the first look."""
    if worker not in loop.accepted or _is_late(loop, worker):
        loop.accepted[worker] = time.time()


def submit(region: Region, loop: Loop, worker: str, content: dict[str, Any]) -> None:
    """Keep the answer of a worker who has accepted the task.

    Raises TaskClosed if the loop has ended, the worker has answered before, has not opened the task, or took
    longer than TaskTimeLimitInSeconds. A loop that is Stopping still waits for those who have its task open.
    """
    if not loop.is_open:
        raise TaskClosed("This task has ended meanwhile: it was answered by others, stopped, or its time ran out.")
    if worker in loop.answers:
        raise TaskClosed("You have answered this task before.")
    if worker not in loop.accepted:
        raise TaskClosed("Open the task before answering it.")
    if _is_late(loop, worker):
        del loop.accepted[worker]
        raise TaskClosed(f"The time limit of {_limit(loop)} seconds ran out. Open the task again.")
    answer_task(region, loop, Answer(worker, content, loop.accepted[worker], time.time()))


def _limit(loop: Loop) -> int:
    return int(loop.flow.config.get("TaskTimeLimitInSeconds", _DEFAULT_LIMIT_SECONDS))


def _is_late(loop: Loop, worker: str) -> bool:
    return time.time() - loop.accepted[worker] > _limit(loop)
