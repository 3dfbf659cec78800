"""Answer what a run under ``dag.test()`` asks a person, from another thread, as Airflow's API or its scheduler does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session


@dataclass
class Asked:
    """What was asked: the subjects and bodies, in order."""

    subjects: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)


@contextmanager
def person(
    option: str | Callable[[Any], Sequence[str]],
    comment: str = "",
    name: str = "ann",
    before: Callable[[], Any] = bool,
) -> Iterator[Asked]:
    """Answer every question that is asked meanwhile.

    :param option: what is chosen, or what chooses by the question as Airflow's model has it, nothing yet perhaps.
    :param before: called while a question waits, before it is answered.
    """

    def respond(session: Session, task: TaskInstance) -> None:
        from airflow.models.trigger import handle_event_submit
        from airflow.sdk.timezone import utcnow
        from airflow.triggers.base import TriggerEvent

        detail = task.hitl_detail
        if not (chosen := option(detail) if callable(option) else [option]):
            return
        detail.responded_by = {"id": name, "name": name}
        detail.responded_at = utcnow()
        detail.chosen_options = list(chosen)
        detail.params_input = {"comment": comment}
        handle_event_submit(TriggerEvent(detail.as_resume_event_payload()), task_instance=task, session=session)

    with _watching(respond, before) as asked:
        yield asked


@contextmanager
def nobody() -> Iterator[Asked]:
    """Answer nothing, and do what the scheduler does when the time for an answer is over."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    def sweep(session: Session, task: TaskInstance) -> None:
        SchedulerJobRunner(Job()).check_awaiting_input_timeouts(session=session)

    with _watching(sweep, bool) as asked:
        yield asked


@contextmanager
def _watching(react: Callable[[Session, TaskInstance], None], before: Callable[[], Any]) -> Iterator[Asked]:
    asked, over = Asked(), threading.Event()
    failed: list[BaseException] = []

    def watch() -> None:
        from airflow.utils.session import create_session

        while not over.is_set():
            with create_session(scoped=False) as session:
                for task in waiting(session):
                    if task.hitl_detail.subject not in asked.subjects:
                        asked.subjects.append(task.hitl_detail.subject)
                        asked.bodies.append(task.hitl_detail.body)
                        try:
                            before()
                        except AssertionError as error:
                            failed.append(error)
                    react(session, task)
            time.sleep(0.2)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield asked
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]


def waiting(session: Session) -> Sequence[TaskInstance]:
    """List the tasks that wait for a person."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    asked = select(TaskInstance).where(TaskInstance.state == "awaiting_input")
    return session.scalars(asked.options(joinedload(TaskInstance.hitl_detail))).all()
