"""Snapshots and tables of images, as the tests of several rooms need them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.images import CheckReport, Tally
from custom_labels.datasets.manifest import ManifestPair
from custom_labels.datasets.manifest_records import build_manifests
from custom_labels.datasets.snapshot import ImageSnapshot
from custom_labels.datasets.snapshot_records import fetch_snapshot, frozen_snapshot
from custom_labels.s3.store import S3Store

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def write_snapshot(
    store: S3Store, as_of: datetime, trained: str | None = None, **how: Any
) -> tuple[ImageSnapshot, CheckReport]:
    """Freeze a snapshot and keep it in S3."""
    with frozen_snapshot(store, as_of, trained, publish=True, **how) as (frozen, report):
        return frozen.header.snapshot, report


@contextmanager
def image_table(
    images: Mapping[tuple[str, str], str], *, checks: Path | None = None, path: Path = Path(":memory:")
) -> Iterator[ImageTable]:
    """Make a table of images by label and key, in whatever order, with their ETags."""
    labels: dict[str, list[str]] = {}
    for (label, key), etag in images.items():
        labels.setdefault(label, []).append(f"{key}\t{etag}\n")
    with ImageTable(path) as table:
        table.use_checks(checks or _folder() / "nothing.sqlite")
        for label, rows in labels.items():
            (_folder() / "rows").write_bytes("".join(rows).encode())
            table.load(label, _folder() / "rows")
        yield table


@contextmanager
def checked_table(images: Mapping[tuple[str, str], str], **how: Any) -> Iterator[ImageTable]:
    """Make a table of images that are all known to be good, by label and key, with the positions of their contents."""
    with image_table(images, **how) as table:
        table.settle([(image, image.etag, None) for image in table.some(len(images), known=False)], Tally())
        table.finish_checks(NOW)
        yield table


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="custom-labels-tests-"))


def manifests_of(store: S3Store, snapshot: ImageSnapshot) -> ManifestPair:
    """Build the manifests of a snapshot that is stored."""
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        return build_manifests(store, fetch_snapshot(store, snapshot.digest, Path(folder)))
