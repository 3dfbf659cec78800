"""What a snapshot holds, as manifest lines and as annotations, in memory that does not grow with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from custom_labels.core.keys import SNAPSHOTS
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.annotations.annotation import Annotation
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.manifest import annotated_line, manifest_lines
from custom_labels.datasets.project_snapshot_records import frozen_project
from custom_labels.datasets.snapshot_records import LocalSnapshot, fetch_snapshot
from custom_labels.datasets.split import Subset
from custom_labels.s3.errors import StorageError
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

LATEST, NOW = "latest", "now"
_HEADER = "/snapshot.json"


@contextmanager
def opened(store: S3Store, task: ProjectTask, which: str) -> Iterator[LocalSnapshot]:
    """Copy a snapshot to this machine for a while.

    :param which: digest of a stored snapshot; ``latest`` for the one that was stored last, or ``now`` for one that is
        made of today's images and not stored.
    :raises NotTrainable: of today's images none can be made.
    :raises StorageError: there is no such snapshot, or S3 refused.
    """
    if which == NOW:
        with frozen_project(store, task, datetime.now(UTC), publish=False) as (frozen, _):
            yield frozen
        return
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        yield fetch_snapshot(store, newest(store) if which == LATEST else which, Path(folder))


def newest(store: S3Store) -> str:
    """Find the digest of the snapshot that was stored last.

    :raises StorageError: none is stored.
    """
    found = [
        (time, key.decode())
        for page in pages(store, SNAPSHOTS)
        for key, time in zip(page.keys, page.times, strict=True)
        if key.endswith(_HEADER.encode())
    ]
    if not found:
        raise StorageError(
            f"There is no snapshot below {store.uri(SNAPSHOTS)}: none is stored before the first training. Export "
            f"today's images with --snapshot {NOW}."
        )
    return max(found)[1].removeprefix(SNAPSHOTS).removesuffix(_HEADER)


def lines(uri_prefix: str, snapshot: LocalSnapshot) -> Iterator[str]:
    """Give the line of each image, as it is in the manifests that the snapshot is trained on, each with its end.

    Test images above the number that Custom Labels takes are among them.

    :param uri_prefix: ``s3://bucket/prefix/`` of the project.
    """
    header = snapshot.header
    if header.task is not ProjectTask.IMAGE_CLASSIFICATION:
        with AnnotatedTable(snapshot.path) as annotated:
            for side in Subset:
                for block in annotated.bodies(header.split, side):
                    yield from (f"{annotated_line(uri_prefix + key, body)}\n" for key, body in block)
        return
    created = datetime.fromisoformat(header.snapshot.as_of).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with ImageTable(snapshot.path) as images:
        for count in header.snapshot.labels:
            for side in Subset:
                for keys in images.keys(count.label, header.split, side, count.images):
                    yield from (manifest_lines(uri_prefix, count.label, created, [key]) for key in keys)


def read_each(uri_prefix: str, snapshot: LocalSnapshot) -> Iterator[Annotation]:
    """Give the annotation of each image.

    :param uri_prefix: ``s3://bucket/prefix/`` of the project.
    """
    task = snapshot.header.task
    kind = KINDS[ProjectTask.MULTI_LABEL_CLASSIFICATION if task is ProjectTask.IMAGE_CLASSIFICATION else task]
    for line in lines(uri_prefix, snapshot):
        yield kind.read(line)
