"""Tasks of workers: who may take one, for how long, and what answering does."""

from __future__ import annotations

import time
from typing import Any

from include.local_aws.human_review.state import Answer, Region, Work


class TaskClosed(RuntimeError):
    """The task does not take this worker's answer; the text tells the worker why."""


def open_tasks(region: Region, worker: str) -> list[Work]:
    """Return the work that `worker` may do, oldest first."""
    return [work for work in region.active_work.values() if work.is_offered and worker not in work.answers]


def accept(work: Work, worker: str) -> None:
    """Note that `worker` looks at the task; the time limit counts from the first look."""
    if worker not in work.accepted or _is_late(work, worker):
        work.accepted[worker] = time.time()


def submit(work: Work, worker: str, content: dict[str, Any]) -> None:
    """Keep the answer of a worker who has accepted the task.

    Raises TaskClosed if the work has ended, the worker has answered before, has not opened the task, or took
    longer than TaskTimeLimitInSeconds. What is Stopping still waits for those who have its task open.
    """
    if not work.is_open:
        raise TaskClosed("This task has ended meanwhile: it was answered by others, stopped, or its time ran out.")
    if worker in work.answers:
        raise TaskClosed("You have answered this task before.")
    if worker not in work.accepted:
        raise TaskClosed("Open the task before answering it.")
    if _is_late(work, worker):
        del work.accepted[worker]
        raise TaskClosed(f"The time limit of {work.limit_seconds} seconds ran out. Open the task again.")
    work.keep(Answer(worker, content, work.accepted[worker], time.time()))


def _is_late(work: Work, worker: str) -> bool:
    return time.time() - work.accepted[worker] > work.limit_seconds
