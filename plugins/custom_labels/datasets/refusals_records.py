"""What Custom Labels refused of a training's images: read from its validation, and remembered like our own checks."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Collection, Mapping
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any

from custom_labels.aws.manifest_summary import manifest_error_codes
from custom_labels.core.keys import CHECKS
from custom_labels.datasets.image_records import check_all, fetch_checks
from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.refusals import BUCKET_FAULTS, Refusals
from custom_labels.datasets.snapshot_records import fetch_images
from custom_labels.s3.output_files import NoAnswers, copy_file, read_each
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

_SIDES = {"training": "TrainingDataResult", "testing": "TestingDataResult"}


def read_refusals(store: S3Store, described: Mapping[str, Any]) -> Refusals:
    """Read which images a training did not use, and why.

    Custom Labels counts them in ``manifest_summary.json`` and names them in a copy of each manifest (developer guide,
    "Getting the validation results"). Where it left neither nothing is known, and that is logged.

    :param described: the version as DescribeProjectVersions gives it.
    :raises StorageError: S3 refused.
    """
    found = Refusals()
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        try:
            summary = _read_summary(store, described, Path(folder) / "summary.json")
            found.is_buckets_fault = not BUCKET_FAULTS.isdisjoint(manifest_error_codes(summary))
            for side, member in _SIDES.items():
                if found.count(summary, side):
                    _read_side(store, described.get(member, {}), Path(folder) / f"{side}.jsonl", found)
        except NoAnswers as error:
            log.warning("Which images Custom Labels did not use is not wholly known: %s.", error)
    return found


def _read_summary(store: S3Store, described: Mapping[str, Any], path: Path) -> dict[str, Any]:
    place = described.get("ManifestSummary", {}).get("S3Object")
    if not place:
        raise NoAnswers("it names no manifest summary")
    uri = copy_file(store, place, path, "manifest summary")
    try:
        return dict(json.loads(path.read_bytes()))
    except ValueError as error:
        raise NoAnswers(f"{uri} cannot be read: {error}") from error


def _read_side(store: S3Store, result: Mapping[str, Any], path: Path, found: Refusals) -> None:
    assets = result.get("Validation", {}).get("Assets", [])
    places = [asset["GroundTruthManifest"]["S3Object"] for asset in assets if "GroundTruthManifest" in asset]
    for place in places:
        uri = copy_file(store, place, path, "manifest with validation")
        for _ in read_each(path, uri, found.add):
            pass


def remember_refusals(store: S3Store, digest: str, images: Collection[str]) -> None:
    """Leave refused images out of all later snapshots, as long as they have the same content.

    Those that are archived, denied, deleted or replaced by now are checked anew instead. Doing it again changes
    nothing. The caller holds the project's lock.

    :param digest: of the snapshot that was trained on.
    :param images: the ``s3://`` URIs of the images that are at fault themselves.
    """
    keys = [image.removeprefix(store.uri()) for image in images if image.startswith(store.uri())]
    if not keys:
        return
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name:
        with ImageTable(fetch_images(store, digest, Path(name))) as table:
            checks = fetch_checks(store, table, Path(name))
            trained = table.find(keys)
            now = check_all(store, trained)
            is_fault = [checked.reason is None or checked.reason.is_permanent for checked in now]
            table.refuse(compress(trained, is_fault), compress(trained, map(not_, is_fault)))
        store.upload(checks, CHECKS)
