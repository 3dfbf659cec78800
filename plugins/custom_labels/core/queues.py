"""The queues of a project, as its tasks reach them."""

from __future__ import annotations

from typing import Literal

from custom_labels.aws.hooks.queue import QueueHook
from custom_labels.core.names import PROJECT_FILE
from custom_labels.core.settings import Project


def project_queue(project: Project, name: Literal["detections", "dead_letters", "reviews"]) -> QueueHook | None:
    """Give a queue of the project file by its name there; ``None`` if the project has none."""
    url: str | None = getattr(project.queues, name)
    return (
        QueueHook(url, project.aws_conn_id, project.region_name, f"'queues.{name}' in {PROJECT_FILE}") if url else None
    )
