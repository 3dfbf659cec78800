"""What all DAGs of a project have in common, so that a DAG file holds nothing but its order."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Param

from custom_labels.assist.assist import AssistPlan
from custom_labels.assist.selection import Strategy
from custom_labels.core.names import DAG_TAG
from custom_labels.core.notifications import FailureNotifier, RunFailureNotifier
from custom_labels.core.settings import Project
from custom_labels.datasets.imports.import_work import OnConflict
from custom_labels.datasets.imports.source import SourceKind
from custom_labels.evaluation.links import pages_address
from custom_labels.operations.teardown import CONFIRMATION, DELETES

DOCS = Path(__file__).parent / "docs"
"""The DAGs' documentation, a Markdown file a kind, with the fields ``{project}``, ``{bucket}``, ``{prefix}`` and
``{pages}``, the address of our own pages."""


def train_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's train DAG."""
    params = {
        "force": switch("Train even images that were tried before. The training is paid again."),
        "even_if_training_is_off": switch("Override enable_automatic_training for this run."),
        "dry_run": switch("Say what would happen and why, and change nothing."),
        "deploy": switch("For a backfill: judge its versions and put them into service, which it does not by itself."),
        "backfill_every_days": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=366,
            description="For a backfill: train one interval in so many days, however short the DAG's own are.",
        ),
        "minimum_untrained_images": override("integer", 1, 250_000),
        "minimum_f1_score": override("number", 0, 1),
    }
    return dag_arguments(project, "train", "Count new images, train, gate on F1, swap", params)


def rollback_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's rollback DAG."""
    params = {
        "version": Param(
            None,
            type=["null", "string"],
            pattern=r"^[a-zA-Z0-9_.\-]{1,255}$",
            description="The version to put into service; empty means the one that the live version replaced.",
        ),
        "reason": Param("", type="string", maxLength=1000, description="Why; it goes on record with your name."),
    }
    return dag_arguments(project, "rollback", "Put an earlier version back", params)


def scale_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's scale DAG."""
    params = {
        "minimum_inference_units": override("integer", 1, 1000),
        "maximum_inference_units": override("integer", 1, 1000),
    }
    return dag_arguments(project, "scale", "Change the live version's inference units", params)


def detect_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's detect DAG."""
    params = {
        "maximum_images": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=1_000_000,
            description="Images that this run takes at most; empty means as many as its batches hold.",
        ),
        "visibility_seconds": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=43_200,
            description="Seconds that no other run sees the messages that this one takes; empty means as long as its "
            "images need.",
        ),
    }
    return dag_arguments(project, "detect", "Detect new images, send doubtful ones to people", params)


def teardown_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's teardown DAG."""
    params = {
        "dry_run": Param(
            True, type="boolean", description="Only list what there is and what it costs; off takes it away for good."
        ),
        DELETES: switch("Delete the project's images, labels and records in S3 as well. They cannot be brought back."),
        CONFIRMATION: Param(
            "",
            type="string",
            maxLength=255,
            description=f"To delete images and records, type the project's name: {project.name}.",
        ),
    }
    return dag_arguments(project, "teardown", "Take the project away from AWS", params)


def import_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's import DAG."""
    params = {
        "source": Param(
            "",
            type="string",
            maxLength=2048,
            description="What to import: s3://bucket/prefix/, s3://bucket/key, or the ARN of a Custom Labels dataset.",
        ),
        "kind": Param("auto", enum=["auto", *SourceKind], description="What the source is; auto finds it out."),
        "label_mapping": Param(
            {},
            type="object",
            description='Names of labels by their names in the source; null drops a label: {"Cats": "cat", "?": null}.',
        ),
        "on_conflict": Param(
            OnConflict.KEEP.value,
            enum=[*OnConflict],
            description="Where the project has an image with another label or other boxes: keep what it has, replace "
            "it, or fail and take nothing.",
        ),
        "dry_run": switch("Say what would be taken, and change nothing."),
    }
    return dag_arguments(project, "import_dataset", "Take annotated images of elsewhere", params)


def audit_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's sampling DAG."""
    params = {
        "even_if_sampling_is_off": switch("Override enable_automatic_human_sampling for this run."),
        "doubtful_labels": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=200,
            description="Ask people about so many training images whose label the last training's plan doubted, too.",
        ),
    }
    return dag_arguments(project, "sample_for_audit", "Sample detections for people", params)


def assist_dag_arguments(project: Project) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for a project's label assist DAG."""
    plan = AssistPlan()
    params = {
        "prefix": Param(
            plan.prefix,
            type="string",
            maxLength=900,
            description="Folder of the images without labels, relative to the project's prefix; it ends in a slash.",
        ),
        "images_a_round": Param(
            plan.images_a_round,
            type="integer",
            minimum=1,
            maximum=10_000,
            description="Images that people are asked about in a round, at most.",
        ),
        "rounds": Param(plan.rounds, type="integer", minimum=1, maximum=100, description="Rounds at most."),
        "minimum_gain": Param(
            plan.minimum_gain,
            type="number",
            minimum=-1,
            maximum=1,
            description="Rise of F1 in a round, below which no further round begins.",
        ),
        "strategy": Param(
            plan.strategy.value, enum=[*Strategy], description="Which images come first, where not all are asked about."
        ),
        "maximum_candidates": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            description="Images that the model looks at in a round, at most: a sample of all; empty means all.",
        ),
        "wait_hours": Param(
            plan.wait_hours,
            type="number",
            exclusiveMinimum=0,
            maximum=24 * 30,
            description="Hours that a round waits for people; what is answered later counts for the next training.",
        ),
        "dry_run": switch("Say what would be detected and asked, and change nothing."),
        "assist": Param(
            "",
            type="string",
            pattern=r"^([0-9]{8}t[0-9]{6}-[0-9a-f]{12})?$",
            description="Leave it empty: the DAG sets it when it triggers its next round.",
        ),
        "round": Param(
            1, type="integer", minimum=1, description="Leave it 1: the DAG sets it when it triggers its next round."
        ),
    }
    return dag_arguments(project, "label_assist", "Label a large set with the model's help", params)


def dag_arguments(
    project: Project, kind: str, description: str, params: dict[str, Param] | None = None
) -> dict[str, Any]:
    """Give the arguments of ``DAG`` for one of a project's DAGs.

    :param kind: what the DAG does; its id is ``<project>_<kind>``, its documentation ``docs/<kind>.md``.
    """
    doc = (DOCS / f"{kind}.md").read_text(encoding="utf-8")
    return {
        "dag_id": f"{project.name}_{kind}",
        "description": description,
        "doc_md": doc.format(project=project.name, bucket=project.bucket, prefix=project.prefix, pages=pages_address()),
        "params": params or {},
        "start_date": datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow takes it as UTC
        "catchup": False,
        "max_active_runs": 1,
        "tags": [DAG_TAG, project.name],
        "on_failure_callback": RunFailureNotifier(project=project.name),
        "default_args": {
            "retries": 3,
            # The first delay is Airflow's own [core] default_task_retry_delay.
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=30),
            "on_failure_callback": FailureNotifier(project=project.name),
        },
    }


def switch(description: str) -> Param:
    """Make a Param that is off unless a person switches it on."""
    return Param(False, type="boolean", description=description)


def override(kind: str, minimum: float, maximum: float) -> Param:
    """Make a Param that beats the setting of its name for one run."""
    text = "For this run only; empty means the Variable."
    return Param(None, type=["null", kind], minimum=minimum, maximum=maximum, description=text)
