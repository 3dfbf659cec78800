"""What a project file says to the questions in Airflow itself."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from custom_labels.core.review_setup import BackendPart

KIND = "ask_people"
"""Kind of the DAG that asks; its id is ``<project>_ask_people``."""


class AssignedUser(BackendPart):
    """A user of Airflow who may answer.

    :param id: as Airflow's auth manager knows the user; ``name`` is what others see.
    """

    id: str
    name: str


class AirflowPart(BackendPart):
    """How many questions are asked, and of whom.

    :param most_open: reviews that are open at once, about; the rest waits within the backlog.
    :param questions_at_once: questions that one run of the DAG asks at most.
    :param question_hours: how long a question waits for an answer before it ends and is asked again.
    :param poll_minutes: minutes between two runs of the DAG.
    :param assigned_users: the only ones who may answer; without any all who may edit runs of the DAG.
    """

    most_open: int = Field(50, ge=1, le=500)
    questions_at_once: int = Field(10, ge=1, le=100)
    question_hours: float = Field(12, gt=0, le=720)
    poll_minutes: int = Field(10, ge=1, le=1440)
    assigned_users: tuple[AssignedUser, ...] = ()


def part_of(project: Any) -> AirflowPart | None:
    """Give a project's part, ``None`` where another backend asks its reviews, or none does.

    :param project: a :class:`custom_labels.core.settings.Project`.
    """
    part = project.review.part if project.review else None
    return part if isinstance(part, AirflowPart) else None
