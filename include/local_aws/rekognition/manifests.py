"""Read a whole manifest into dataset entries, with the errors that end a dataset's import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from include.local_aws.objects import ObjectDenied, ObjectMissing, Objects
from include.local_aws.rekognition.findings import Finding, manifest_finding
from include.local_aws.rekognition.images import ImageProblem, find_problem, size_of
from include.local_aws.rekognition.manifest_lines import LineRejected, ManifestLine, parse_line
from include.local_aws.settings import Settings

MOST_INVALID_SHARE = 0.2
"""More than 20 % of invalid lines fail an import (guide: validation rules for manifest files)."""


@dataclass(frozen=True)
class Import:
    """What became of a manifest: the entries by source-ref, or the error that ended it."""

    entries: dict[str, ManifestLine]
    error: Finding | None = None
    detail: str = ""

    @property
    def message(self) -> str:
        """The error as a dataset's StatusMessage tells it."""
        if self.error is None:
            return ""
        return f"{self.error.code}: {self.error.message}{self.detail}"


def read_manifest(
    content: bytes, settings: Settings, objects: Objects, known: Mapping[str, ManifestLine] | None = None
) -> Import:
    """Read JSON Lines; `known` are a dataset's present entries, which lines of the same source-ref replace.

    Lines that cannot be used at all, duplicates and lines whose image is missing count as invalid.
    """
    if len(content) > settings.quota("manifest_bytes"):
        return _failed("ERROR_MANIFEST_SIZE_TOO_LARGE", f" It has {len(content)} bytes.")
    try:
        lines = split_lines(content)
    except UnicodeDecodeError:
        return _failed("ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT", " It is not UTF-8 text.")
    if not any(line.strip() for line in lines):
        return _failed("ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT", " It is empty.")
    return _combine(lines, settings, objects, dict(known or {}))


def split_lines(content: bytes) -> list[str]:
    """Return the lines of a manifest; only a line feed ends one, since keys may hold any other separator."""
    lines = content.decode("utf-8-sig").split("\n")
    return lines[:-1] if not lines[-1].strip() else lines


def _combine(lines: list[str], settings: Settings, objects: Objects, entries: dict[str, ManifestLine]) -> Import:
    fresh: dict[str, ManifestLine] = {}
    invalid = 0
    for text in lines:
        line, is_valid = _read_line(text, settings, objects)
        if line is None or line.source_ref in fresh:
            invalid += 1
            continue
        invalid += not is_valid
        fresh[line.source_ref] = line
    entries.update(fresh)
    if invalid > MOST_INVALID_SHARE * len(lines):
        return _failed("ERROR_TOO_MANY_RECORDS_IN_ERROR", f" {invalid} of {len(lines)} lines are invalid.")
    if len(entries) > settings.quota("images_per_dataset"):
        return _failed("ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM", f" The dataset would have {len(entries)} images.")
    labels = {label for line in entries.values() for label in line.labels}
    if len(labels) > settings.quota("labels"):
        return _failed("ERROR_MANIFEST_TOO_MANY_LABELS", f" It has {len(labels)} labels.")
    return Import(entries)


def _read_line(text: str, settings: Settings, objects: Objects) -> tuple[ManifestLine | None, bool]:
    """Return the line, None if it must be dropped, and whether it counts as valid."""
    limits = settings.quota("manifest_line_characters"), settings.quota("boxes_per_image")
    try:
        line = parse_line(text, *limits)
    except LineRejected:
        return None, False
    try:
        content = objects.read(*line.location)
    except (ObjectMissing, ObjectDenied):
        return line, False
    problem = find_problem(content, decode=False)
    if problem is None and line.boxes:
        line = parse_line(text, *limits, frame=size_of(content))
    if problem is ImageProblem.DIMENSION and not line.failed:
        line = line.with_error("ERROR_INVALID_IMAGE_DIMENSION")
    return line, problem is None and not line.failed


def _failed(code: str, detail: str) -> Import:
    return Import({}, manifest_finding(code), detail)
