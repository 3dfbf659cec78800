"""The snapshots of a project, whatever its task: where labels come from is decided here and nowhere else."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import count_annotated, frozen_annotated
from custom_labels.datasets.images import CheckReport
from custom_labels.datasets.snapshot import ImageSnapshot
from custom_labels.datasets.snapshot_records import LocalSnapshot, count_images, frozen_snapshot
from custom_labels.s3.store import S3Store


def count_project(store: S3Store, task: ProjectTask, as_of: datetime, trained: str | None = None) -> ImageSnapshot:
    """Count a project's images, see :func:`custom_labels.datasets.snapshot_records.count_images`.

    :param task: the project's.
    """
    if task is ProjectTask.IMAGE_CLASSIFICATION:
        return count_images(store, as_of, trained)
    return count_annotated(store, task, as_of, trained)


def frozen_project(
    store: S3Store,
    task: ProjectTask,
    as_of: datetime,
    trained: str | None = None,
    *,
    publish: bool,
    split_of: str | None = None,
    test_share: float = 0.2,
    inspects: bool = False,
) -> AbstractContextManager[tuple[LocalSnapshot, CheckReport]]:
    """Check a project's images, fix their split, and look into them.

    See :func:`custom_labels.datasets.snapshot_records.frozen_snapshot`.

    :param task: the project's.
    """
    how: dict[str, Any] = {"split_of": split_of, "test_share": test_share, "inspects": inspects}
    if task is ProjectTask.IMAGE_CLASSIFICATION:
        return frozen_snapshot(store, as_of, trained, publish=publish, **how)
    return frozen_annotated(store, task, as_of, trained, publish=publish, **how)
