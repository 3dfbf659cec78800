"""Which reader reads a source of which kind."""

from __future__ import annotations

from collections.abc import Mapping

from custom_labels.datasets.imports import (
    coco,
    csv_file,
    cvat,
    folders,
    label_studio,
    manifest_file,
    pascal_voc,
    yolo,
)
from custom_labels.datasets.imports.source import ReadSource, SourceKind

READERS: Mapping[SourceKind, ReadSource] = {
    SourceKind.FOLDERS: folders.read,
    SourceKind.MANIFEST: manifest_file.read,
    SourceKind.CSV: csv_file.read,
    SourceKind.COCO: coco.read,
    SourceKind.PASCAL_VOC: pascal_voc.read,
    SourceKind.YOLO: yolo.read,
    SourceKind.LABEL_STUDIO: label_studio.read,
    SourceKind.CVAT: cvat.read,
}
"""All but a dataset of Custom Labels, which has no files."""
