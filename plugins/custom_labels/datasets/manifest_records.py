"""The two manifests of a snapshot: written to local files, and from there to S3."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from custom_labels.core.keys import manifest_key
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.manifest import ManifestFile, ManifestPair, annotated_line, manifest_lines, require_size
from custom_labels.datasets.snapshot_records import LocalSnapshot
from custom_labels.datasets.split import Subset
from custom_labels.s3.store import S3Store


def build_manifests(store: S3Store, stored: LocalSnapshot) -> ManifestPair:
    """Write the manifests of a stored snapshot; the same bytes at every try, and no upload if they are there.

    :raises NotTrainable: a line or a file is larger than Custom Labels takes.
    :raises StorageError: S3 refused.
    """
    files = {}
    for side, path in write_manifests(store.uri(), stored, stored.path.parent).items():
        key = manifest_key(stored.header.snapshot.digest, side.value)
        store.upload(path, key)
        files[side] = ManifestFile(store.uri(key), store.key(key), _images(stored, side))
    return ManifestPair(files[Subset.TRAIN], files[Subset.TEST])


def _images(snapshot: LocalSnapshot, side: Subset) -> dict[str, int]:
    """Count the images of each label on one side.

    Test images above the number that Custom Labels takes are not among them, and stay test images: whatever comes,
    none of them is ever trained on.
    """
    labels = snapshot.header.snapshot.labels
    return {count.label: count.train if side is Subset.TRAIN else count.test for count in labels}


def write_manifests(uri_prefix: str, snapshot: LocalSnapshot, folder: Path) -> dict[Subset, Path]:
    """Write the manifests of a snapshot to local files.

    :param uri_prefix: ``s3://bucket/prefix/``, to which the images' keys are appended.
    :raises NotTrainable: a line or a file is larger than Custom Labels takes.
    """
    if snapshot.header.task is not ProjectTask.IMAGE_CLASSIFICATION:
        return _write_annotated(uri_prefix, snapshot, folder)
    # Of the stored header, not of now: the manifest of a digest must not depend on who builds it, or when.
    as_of = datetime.fromisoformat(snapshot.header.snapshot.as_of)
    created = as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    paths, rule = _paths(folder), snapshot.header.split
    with ImageTable(snapshot.path) as images:
        for side, path in paths.items():
            with path.open("w", encoding="ascii", newline="\n") as file:
                for label, count in _images(snapshot, side).items():
                    blocks = images.keys(label, rule, side, count)
                    file.writelines(manifest_lines(uri_prefix, label, created, keys) for keys in blocks)
            require_size(side.value, path.stat().st_size)
    return paths


def _paths(folder: Path) -> dict[Subset, Path]:
    return {side: folder / f"{side}.manifest" for side in Subset}


def _write_annotated(uri_prefix: str, snapshot: LocalSnapshot, folder: Path) -> dict[Subset, Path]:
    """Write the lines that the snapshot keeps, each with the place of its image now."""
    paths, rule = _paths(folder), snapshot.header.split
    with AnnotatedTable(snapshot.path) as images:
        images.limit_tests(rule)
        for side, path in paths.items():
            with path.open("w", encoding="ascii", newline="\n") as file:
                for block in images.bodies(rule, side):
                    file.writelines(f"{annotated_line(uri_prefix + key, body)}\n" for key, body in block)
            require_size(side.value, path.stat().st_size)
    return paths
