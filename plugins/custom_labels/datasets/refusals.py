"""Images that Custom Labels would not train on, though they were in its manifests: what its validation says of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

IMAGE_FAULTS = frozenset({"ERROR_INVALID_IMAGE", "ERROR_INVALID_IMAGE_DIMENSION"})
"""Codes of a line whose image is at fault (developer guide, "Non-Terminal JSON Line Validation Errors")."""
BUCKET_FAULTS = frozenset(
    {
        "ERROR_FAILED_IMAGES_S3_COPY",
        "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS",
        "ERROR_INVALID_IMAGES_S3_BUCKET_OWNER",
        "ERROR_INVALID_PERMISSIONS_IMAGES_S3_BUCKET",
    }
)
"""Codes of a manifest none of whose images could be read, so that no single one is at fault (same guide)."""
EXAMPLES = 20


@dataclass
class Refusals:
    """What was not trained on or judged by; memory grows with the number of refused images only.

    :param lines: of both manifests; ``refused`` of them were not used.
    :param codes: number of lines by code.
    :param images: URIs of the refused images, with their codes.
    :param is_buckets_fault: whether no image could be read, so that none is to blame.
    """

    lines: int = 0
    refused: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    images: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_buckets_fault: bool = False

    def count(self, summary: Mapping[str, Any], side: str) -> int:
        """Count the lines of a manifest, and give the number of those that were not valid.

        :param summary: the JSON of ``manifest_summary.json``; ``side`` is ``training`` or ``testing``.
        """
        statistics = summary.get("statistics", {}).get(side, {})
        invalid = int(statistics.get("invalid_json_lines", 0))
        self.lines += int(statistics.get("total_json_lines", 0))
        self.refused += invalid
        return invalid

    def add(self, line: bytes) -> None:
        """Note a line of a manifest with validation, if it has an error of the whole line.

        :raises ValueError: it is no JSON object.
        """
        value = json.loads(line)
        if not isinstance(value, dict):
            raise ValueError("it is no JSON object")  # noqa: TRY004 - as json.loads says of what is no JSON
        codes = tuple(str(error.get("code", "an error without a code")) for error in value.get("errors") or [])
        self.codes.update(codes)
        if codes and "source-ref" in value:  # it is gone where the line as it was is not there any more
            self.images[value["source-ref"]] = codes

    @property
    def blamed(self) -> list[str]:
        """The images whose own fault it is, as far as can be told."""
        if self.is_buckets_fault or self.refused >= self.lines:
            return []
        return [image for image, codes in self.images.items() if IMAGE_FAULTS.intersection(codes)]

    def to_record(self) -> RefusedImages:
        """Give the numbers, for the version's record."""
        codes = dict(sorted(self.codes.items()))
        return RefusedImages(self.lines, self.refused, codes, tuple(self.images)[:EXAMPLES])


@dataclass(frozen=True)
class RefusedImages:
    """What Custom Labels did not use of a version's images.

    :param lines: of both manifests; ``refused`` of them were not used.
    :param codes: number of lines by code.
    :param examples: URIs of some of the images.
    """

    lines: int
    refused: int
    codes: Mapping[str, int]
    examples: tuple[str, ...]


def refusals_in_words(record: RefusedImages | None) -> str:
    """Say what was refused, in one sentence without its end; empty where nothing was."""
    if record is None or not record.refused:
        return ""
    names = ", ".join(record.examples[:3]) or "no name is known"
    more = ", ..." if record.refused > len(record.examples[:3]) > 0 else ""
    codes = f", with {', '.join(record.codes)}" if record.codes else ""
    return f"{record.refused} of {record.lines} images{codes}: {names}{more}"
