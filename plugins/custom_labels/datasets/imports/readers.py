"""Which reader reads a source of which kind."""

from __future__ import annotations

from collections.abc import Mapping

from custom_labels.datasets.imports import csv_file, folders, manifest_file
from custom_labels.datasets.imports.source import ReadSource, SourceKind

READERS: Mapping[SourceKind, ReadSource] = {
    SourceKind.FOLDERS: folders.read,
    SourceKind.MANIFEST: manifest_file.read,
    SourceKind.CSV: csv_file.read,
}
"""All but a dataset of Custom Labels, which has no files."""
