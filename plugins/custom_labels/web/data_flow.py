"""Which data each task reads and writes: its inlets and outlets, from which OpenLineage draws where data comes from.

An outlet adds an event of its asset when the task has succeeded. No DAG is scheduled on an asset of data, so that none
of these events triggers anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow.sdk import DAG

from custom_labels.core.settings import Project
from custom_labels.web.assets import Data, data


@dataclass(frozen=True)
class Flow:
    """What a task reads and what it writes."""

    reads: tuple[Data, ...] = ()
    writes: tuple[Data, ...] = ()


_SWAP = Flow(reads=(Data.VERSIONS,), writes=(Data.LIVE,))

FLOWS: Mapping[str, Mapping[str, Flow]] = {
    "train": {
        "decide_training": Flow(reads=(Data.TRAINING_IMAGES,)),
        "prepare_images": Flow(reads=(Data.TRAINING_IMAGES,), writes=(Data.SNAPSHOTS, Data.MANIFESTS)),
        "create_train_dataset": Flow(reads=(Data.MANIFESTS,)),
        "create_test_dataset": Flow(reads=(Data.MANIFESTS,)),
        "training_is_done": Flow(reads=(Data.MANIFESTS,), writes=(Data.EVALUATION,)),
        "evaluate": Flow(reads=(Data.EVALUATION,), writes=(Data.VERSIONS,)),
        "judge_version": Flow(reads=(Data.VERSIONS, Data.EVALUATION), writes=(Data.DECISIONS,)),
        "swap_live": _SWAP,
    },
    "rollback": {"swap_live": _SWAP},
    "detect": {
        "collect": Flow(reads=(Data.INBOX, Data.LIVE)),
        "detect_batch": Flow(reads=(Data.INBOX, Data.LIVE), writes=(Data.DETECTIONS, Data.DETECTION_LOG, Data.REVIEWS)),
    },
    "harvest_reviews": {
        "harvest_batch": Flow(reads=(Data.REVIEWS,), writes=(Data.TRAINING_IMAGES,)),
        "trigger_training": Flow(reads=(Data.TRAINING_IMAGES,)),
    },
    "import_dataset": {
        "take_batch": Flow(writes=(Data.TRAINING_IMAGES,)),
        "trigger_training": Flow(reads=(Data.TRAINING_IMAGES,)),
    },
    "sample_for_audit": {
        "measure": Flow(reads=(Data.REVIEWS, Data.AUDIT)),
        "sample": Flow(reads=(Data.DETECTION_LOG,), writes=(Data.AUDIT, Data.REVIEWS)),
    },
    "cost_guard": {"account": Flow(reads=(Data.VERSIONS,), writes=(Data.COSTS,))},
    "label_assist": {
        "propose_labels": Flow(reads=(Data.UNLABELED, Data.LIVE), writes=(Data.LABEL_ASSIST,)),
        "ask_people": Flow(reads=(Data.LABEL_ASSIST,), writes=(Data.REVIEWS,)),
    },
}
"""By the kind of DAG and the task."""


def declare_data(dag: DAG, project: Project) -> None:
    """Add the inlets and outlets to the tasks of a DAG, beside the signals that they have."""
    for task_id, flow in FLOWS[dag.dag_id.removeprefix(f"{project.name}_")].items():
        task = dag.get_task(task_id)
        task.inlets = [*task.inlets, *(data(project, each) for each in flow.reads)]
        task.outlets = [*task.outlets, *(data(project, each) for each in flow.writes)]
