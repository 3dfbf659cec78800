"""Which AWS status means done, which means wait, and that every other one means failed.

The same tables decide in a task, in a deferred trigger (through ``waiters/rekognition.json``, which a contract test
holds against them) and in a sensor. Statuses are those of the Rekognition API's ``ProjectStatus``, ``DatasetStatus``
and ``ProjectVersionStatus``; one that AWS adds tomorrow fails at once, with its name, instead of being waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a status means to whatever waits for it."""

    DONE = "done"
    WAIT = "wait"
    FAILED = "failed"


GONE = "(gone)"
"""Stands for a resource that Describe no longer finds."""


@dataclass(frozen=True)
class StatusTable:
    """One wait: its waiter's name, the statuses that end it well and those to wait through.

    :param waiter: name in ``waiters/rekognition.json``.
    :param goal: the wait's end in words, for messages.
    :param done: statuses that end the wait.
    :param wait: statuses to wait through; all statuses in neither set are failures.
    """

    waiter: str
    goal: str
    done: Set[str]
    wait: Set[str]

    def judge(self, status: str | None) -> Verdict:
        """Say what a status means; ``None`` (nothing described) counts as :data:`GONE`."""
        status = status or GONE
        if status in self.done:
            return Verdict.DONE
        return Verdict.WAIT if status in self.wait else Verdict.FAILED


PROJECT_CREATED = StatusTable("project_created", "created", {"CREATED"}, {"CREATING"})
PROJECT_DELETED = StatusTable("project_deleted", "deleted", {GONE}, {"DELETING"})
DATASET_CREATED = StatusTable(
    "dataset_created", "created", {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, {"CREATE_IN_PROGRESS"}
)
DATASET_UPDATED = StatusTable(
    "dataset_updated", "updated", {"UPDATE_COMPLETE"}, {"UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"}
)
DATASET_DELETED = StatusTable("dataset_deleted", "deleted", {GONE}, {"DELETE_IN_PROGRESS"})
# A version that is being started, serves, was stopped or FAILED to start has been trained, and so has a copy, in its
# first project: a late retry must see that.
VERSION_TRAINED = StatusTable(
    "project_version_trained",
    "trained",
    {"TRAINING_COMPLETED", "COPYING_COMPLETED", "STARTING", "RUNNING", "STOPPING", "STOPPED", "FAILED"},
    {"TRAINING_IN_PROGRESS", "COPYING_IN_PROGRESS"},
)
# Whatever became of it: what is waited for is only that nothing is being trained or copied any more.
VERSION_SETTLED = StatusTable(
    "project_version_settled",
    "settled",
    {
        *("TRAINING_COMPLETED", "TRAINING_FAILED", "COPYING_COMPLETED", "COPYING_FAILED", "STARTING", "RUNNING"),
        *("FAILED", "STOPPING", "STOPPED", "DELETING", "DEPRECATED", "EXPIRED", GONE),
    },
    {"TRAINING_IN_PROGRESS", "COPYING_IN_PROGRESS"},
)
VERSION_RUNNING = StatusTable("project_version_running", "running", {"RUNNING"}, {"STARTING"})
# Trained or copied but never started, or failed while starting: nothing runs and nothing is billed.
VERSION_STOPPED = StatusTable(
    "project_version_stopped",
    "stopped",
    {"STOPPED", "TRAINING_COMPLETED", "COPYING_COMPLETED", "FAILED", GONE},
    {"STOPPING"},
)
# A copy that was started meanwhile is a complete copy; TRAINING_COMPLETED is a version that was not copied but trained.
VERSION_COPIED = StatusTable(
    "project_version_copied",
    "copied",
    {"COPYING_COMPLETED", "STARTING", "RUNNING", "STOPPING", "STOPPED", "FAILED"},
    {"COPYING_IN_PROGRESS"},
)
VERSION_DELETED = StatusTable("project_version_deleted", "deleted", {GONE}, {"DELETING"})

PROJECT_TABLES = (PROJECT_CREATED, PROJECT_DELETED)
DATASET_TABLES = (DATASET_CREATED, DATASET_UPDATED, DATASET_DELETED)
VERSION_TABLES = (
    VERSION_TRAINED,
    VERSION_SETTLED,
    VERSION_RUNNING,
    VERSION_STOPPED,
    VERSION_COPIED,
    VERSION_DELETED,
)
TABLES = {table.waiter: table for table in (*PROJECT_TABLES, *DATASET_TABLES, *VERSION_TABLES)}

STARTABLE = frozenset({"TRAINING_COMPLETED", "COPYING_COMPLETED", "STOPPED", "FAILED"})
"""Statuses from which StartProjectVersion is allowed."""


@dataclass(frozen=True)
class Described:
    """What AWS says of a project, dataset or version now.

    :param status: AWS's status, ``None`` when the resource is not found.
    :param message: AWS's own StatusMessage.
    :param raw: the description as the API returns it.
    """

    status: str | None
    message: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The resource's ARN; empty when it was not found."""
        keys = ("ProjectVersionArn", "DatasetArn", "ProjectArn")
        return next((str(self.raw[key]) for key in keys if key in self.raw), "")


NOTHING = Described(status=None)


PASSING = frozenset({"STARTING", "STOPPING"})
"""Statuses that pass by themselves, and in which a version can be neither started nor stopped."""


CUT_SHORT = "max attempts"
"""How the provider's waiting loop words that its attempts are used up."""
DATASET_FAULTS = (
    "Custom Labels fails an import when more than 20 % of the lines cannot be used: images that were deleted, archived "
    "or denied, or that the caller may not read. Nothing was paid; correct the manifest or restore these images, and "
    "begin again."
)
"""What can be wrong with a dataset that failed: AWS names no line of its manifest."""
