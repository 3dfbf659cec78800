"""What all DAGs of a project have in common, so that a DAG file holds nothing but its order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param

from custom_labels.docs import TRAIN_DOC
from custom_labels.notifications import FailureNotifier
from custom_labels.settings import Project


def train_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's train DAG."""
    return {
        **_common(project, "train"),
        "description": "Count new images, train, gate on F1, swap",
        "doc_md": TRAIN_DOC.format(project=project.name, bucket=project.bucket, prefix=project.prefix),
        "params": {
            "force": _switch("Train even images that were tried before. The training is paid again."),
            "even_if_training_is_off": _switch("Override enable_automatic_training for this run."),
            "minimum_untrained_images": _override("integer", 1, 250_000),
            "minimum_f1_score": _override("number", 0, 1),
        },
    }


def custom_labels_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments that all our operators on Custom Labels share; each wait is bounded by an hour."""
    return {
        **connection(project),
        "deferrable": True,
        "pool": project.pool,
        "waiter_delay": setting("short_poll_seconds"),
        "waiter_max_attempts": setting("short_poll_looks"),
    }


def setting(name: str) -> str:
    """Give a template of a value that ``load_settings`` read, without drawing an edge to it in the graph."""
    return f"{{{{ ti.xcom_pull(task_ids='load_settings', key='{name}') }}}}"


def connection(project: Project) -> dict[str, Any]:
    """Give the arguments of the Amazon provider's operators."""
    return {"aws_conn_id": project.aws_conn_id, "region_name": project.region_name}


def _common(project: Project, kind: str) -> dict[str, Any]:
    return {
        "dag_id": f"{project.name}_{kind}",
        "start_date": datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow takes it as UTC
        "catchup": False,
        "max_active_runs": 1,
        "tags": ["custom-labels", project.name],
        "default_args": {
            "retries": 3,
            # The first delay is Airflow's own [core] default_task_retry_delay.
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=30),
            "on_failure_callback": FailureNotifier(project=project.name),
        },
    }


def _switch(description: str) -> Param:
    return Param(False, type="boolean", description=description)


def _override(kind: str, minimum: float, maximum: float) -> Param:
    text = "For this run only; empty means the Variable."
    return Param(None, type=["null", kind], minimum=minimum, maximum=maximum, description=text)
