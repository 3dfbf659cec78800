"""What the operators of all DAGs of a project have in common."""

from __future__ import annotations

from typing import Any

from custom_labels.core.names import PROJECT_TAG
from custom_labels.core.settings import Project

MOST_SECONDS = 10
"""Seconds between two polls of what takes AWS minutes, at most."""


def custom_labels_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments that all our operators on Custom Labels share; each wait is bounded by an hour."""
    seconds = min(project.settings.status_poll_seconds, MOST_SECONDS)
    return {
        **connection(project),
        "deferrable": True,
        "pool": project.pool,
        "waiter_delay": seconds,
        "waiter_max_attempts": 3600 // seconds,
    }


def sensor_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments that all our sensors share; each wait is bounded by an hour."""
    return {
        **connection(project),
        "deferrable": True,
        "pool": project.pool,
        "poke_interval": min(project.settings.status_poll_seconds, MOST_SECONDS),
        "timeout": 3600,
    }


def making_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of our operators that make something at Custom Labels: what it is tagged with, besides."""
    return {**custom_labels_arguments(project), "tags": tags_of(project)}


def tags_of(project: Project) -> dict[str, str]:
    """Give what everything is tagged with that is made at AWS for a project."""
    return {PROJECT_TAG: project.name}


def connection(project: Project) -> dict[str, Any]:
    """Give the arguments of the Amazon provider's operators."""
    return {"aws_conn_id": project.aws_conn_id, "region_name": project.region_name}
