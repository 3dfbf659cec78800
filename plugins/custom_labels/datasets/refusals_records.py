"""What Custom Labels refused of a training's images: read from its validation, and remembered like our own checks."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custom_labels.aws.manifest_summary import manifest_error_codes
from custom_labels.core.keys import IMAGES
from custom_labels.datasets.image_records import Checked, check_image
from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.label_names import readable_name
from custom_labels.datasets.ledger_records import (
    Verdicts,
    ledger_key,
    ledger_line,
    ledger_lines,
    read_verdicts,
    write_verdicts,
)
from custom_labels.datasets.refusals import BUCKET_FAULTS, Refusals, count_lines, read_refused_line
from custom_labels.datasets.snapshot_reader import fetch_rows, read_header
from custom_labels.datasets.tsv import columns, copy_to_gzip, file_sha256, read_lines
from custom_labels.s3.output_files import NoAnswers, copy_file

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

READERS = 16
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
                lines, invalid = count_lines(summary, side)
                found.lines += lines
                found.refused += invalid
                if invalid:
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
        for number, line in enumerate(read_lines(path), 1):
            try:
                refused = read_refused_line(line) if line.strip() else None
            except ValueError as error:
                raise NoAnswers(f"line {number} of {uri} cannot be read: {error}") from error
            if refused:
                found.add(refused)


@dataclass
class _LabelRefusals:
    """What was refused of one label.

    :param contents: ids of the contents that are refused for good.
    :param unknown: keys of images that may have been refused for a passing reason, to be checked anew.
    """

    label: str
    contents: set[bytes] = field(default_factory=set)
    unknown: set[bytes] = field(default_factory=set)


def remember_refusals(store: S3Store, digest: str, images: Collection[str]) -> None:
    """Leave refused images out of all later snapshots, as long as they have the same content.

    Those that are archived, denied, deleted or replaced by now are checked anew instead. Doing it again changes
    nothing. The caller holds the project's lock.

    :param digest: of the snapshot that was trained on.
    :param images: the ``s3://`` URIs of the images that are at fault themselves.
    """
    keys = sorted(image.removeprefix(store.uri()) for image in images if image.startswith(store.uri(IMAGES)))
    if not keys:
        return
    header = read_header(store, digest)
    labels = {readable_name(label): label for label in header.files}
    by_label: dict[str, set[bytes]] = {}
    for key in keys:
        folder = readable_name(key.removeprefix(IMAGES).partition("/")[0])
        if folder in labels:
            by_label.setdefault(labels[folder], set()).add(key.encode())
    verdicts = read_verdicts(store)
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        for label, wanted in by_label.items():
            rows = Path(folder) / "rows.tsv.gz"
            fetch_rows(store, header, label, rows)
            refused = _check_again(store, label, [row for row in map(columns, read_lines(rows)) if row[0] in wanted])
            verdicts = _with_label(verdicts, label, _mark(store, refused, Path(folder)))
    write_verdicts(store, verdicts)


def _check_again(store: S3Store, label: str, rows: list[list[bytes]]) -> _LabelRefusals:
    """Separate the images that are at fault from those that cannot be read now.

    :param rows: as they were when they were trained on: key, ETag, size, content id, side.
    """
    refused = _LabelRefusals(label)
    with ThreadPoolExecutor(READERS) as pool:
        checked = pool.map(lambda row: check_image(store, row[0].decode(), row[1].decode()), rows)
        for row, now in zip(rows, checked, strict=True):
            if now.reason is None or now.reason.is_permanent:
                refused.contents.add(row[3])
            else:
                refused.unknown.add(row[0])
    return refused


def _mark(store: S3Store, refused: _LabelRefusals, folder: Path) -> dict[str, tuple[str, LeftOut]]:
    """Write a label's ledger anew; give all images in it that Custom Labels has refused, with their ETags."""
    old, new = folder / "old.gz", folder / "new.ledger"
    store.download(ledger_key(refused.label), old)
    marked: dict[str, tuple[str, LeftOut]] = {}
    with new.open("wb") as file:
        for line in _without(refused, ledger_lines(old)):
            file.write(line)
            if line.endswith(_REFUSED):
                key, etag, *_ = columns(line)
                marked[key.decode()] = (etag.decode(), LeftOut.REFUSED)
    compressed = folder / "new.gz"
    copy_to_gzip(new, compressed)
    store.upload(compressed, ledger_key(refused.label), file_sha256(compressed))
    old.unlink(missing_ok=True)
    return marked


_REFUSED = f"\t{LeftOut.REFUSED.name}\n".encode()


def _without(refused: _LabelRefusals, lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        key, etag, size, content_id, _ = columns(line)
        if key in refused.unknown:
            continue
        # By content, so that of two copies the other one is not tried in the next training.
        is_refused = content_id in refused.contents
        yield ledger_line(key, etag, Checked(int(size), "", LeftOut.REFUSED)) if is_refused else line


def _with_label(verdicts: Verdicts, label: str, marked: Mapping[str, tuple[str, LeftOut]]) -> Verdicts:
    bad = {**verdicts.bad, label: {**verdicts.bad.get(label, {}), **marked}}
    duplicates = frozenset(
        duplicate for duplicate in verdicts.duplicates if duplicate.label != label or duplicate.key not in marked
    )
    return replace(verdicts, bad=bad, duplicates=duplicates)
