"""Read one manifest line: where the image is, which labels it has, and what is wrong with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from include.local_aws.boxes import Box
from include.local_aws.rekognition.box_attributes import read_boxes
from include.local_aws.rekognition.drafts import Draft, is_label_name
from include.local_aws.rekognition.findings import Finding, line_finding
from include.local_aws.strict_json import read_json

IMAGE_LEVEL = "groundtruth/image-classification"
LOCALIZATION = "groundtruth/object-detection"
_METADATA = "-metadata"
_SOURCE_REF = re.compile(r"s3://([a-z0-9][a-z0-9.\-]{1,253}[a-z0-9])/(.+)", re.DOTALL)
_REQUIRED_METADATA = ("confidence", "class-name", "human-annotated", "creation-date", "type")


class LineRejected(ValueError):
    """A line that a dataset drops without a trace (a 'terminal content error')."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One image of a dataset.

    `text` is the JSON line with `errors` and `warnings` arrays where Custom Labels puts them. `failed` lines
    have an error of the whole line and are not trained on; `flawed` ones have any error at all. `image_size` is width
    and height as the line has them beside its boxes, zeros in a line without boxes.
    """

    text: str
    source_ref: str
    image_labels: tuple[str, ...]
    boxes: tuple[Box, ...]
    image_size: tuple[int, int]
    failed: bool
    flawed: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the line, of either kind, each once."""
        return tuple(dict.fromkeys([*self.image_labels, *(box.label for box in self.boxes)]))

    @property
    def location(self) -> tuple[str, str]:
        """Bucket and key of the image."""
        return split_source_ref(self.source_ref)

    def with_error(self, code: str) -> ManifestLine:
        """Return the line with one more error of the whole line."""
        document = json.loads(self.text)
        document.setdefault("errors", []).append(line_finding(code).to_json())
        return replace(self, text=json.dumps(document), failed=True, flawed=True)


def parse_line(text: str, most_characters: int, most_boxes: int, frame: tuple[int, int] | None = None) -> ManifestLine:
    """Parse a manifest line; `frame` is the true width and height of its image, if that was looked at.

    Raises LineRejected for a line that is too long or no JSON object, or has no usable source-ref; all
    else that is wrong is noted in the line itself.
    """
    if len(text) > most_characters:
        raise LineRejected(line_finding("ERROR_INVALID_JSON_LINE"))
    document = _json_object(text)
    source_ref = _source_ref(document)
    draft = Draft(document, frame)
    attributes = [name.removesuffix(_METADATA) for name in document if name.endswith(_METADATA)]
    for name in attributes:
        _read_attribute(draft, name, most_boxes)
    _note_missing_labels(draft, attributes)
    return ManifestLine(
        text=draft.text(text),
        source_ref=source_ref,
        image_labels=tuple(draft.image_labels),
        boxes=tuple(draft.boxes),
        image_size=draft.image_size,
        failed=draft.failed,
        flawed=draft.flawed,
    )


def split_source_ref(source_ref: str) -> tuple[str, str]:
    """Return bucket and key of an S3 URI that `parse_line` accepted."""
    bucket, _, key = source_ref.removeprefix("s3://").partition("/")
    return bucket, key


def _json_object(text: str) -> dict[str, Any]:
    try:
        document = read_json(text)
    except ValueError:
        raise LineRejected(line_finding("ERROR_INVALID_JSON_LINE")) from None
    if not isinstance(document, dict):
        raise LineRejected(line_finding("ERROR_INVALID_JSON_LINE"))
    return document


def _source_ref(document: dict[str, Any]) -> str:
    source_ref = document.get("source-ref")
    if source_ref is None:
        raise LineRejected(line_finding("ERROR_MISSING_SOURCE_REF"))
    if not isinstance(source_ref, str) or not _SOURCE_REF.fullmatch(source_ref):
        raise LineRejected(line_finding("ERROR_INVALID_SOURCE_REF_FORMAT"))
    return source_ref


def _read_attribute(draft: Draft, name: str, most_boxes: int) -> None:
    metadata = draft.document[name + _METADATA]
    if not isinstance(metadata, dict):
        draft.line_error("ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT")
        return
    kind = metadata.get("type")
    if kind == IMAGE_LEVEL:
        _read_image_label(draft, name, metadata)
    elif kind == LOCALIZATION:
        read_boxes(draft, name, metadata, most_boxes)
    elif kind is None:
        draft.nested_error(metadata, "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT")
    else:
        draft.nested_error(metadata, "ERROR_UNSUPPORTED_USE_CASE_TYPE", name)


def _read_image_label(draft: Draft, name: str, metadata: dict[str, Any]) -> None:
    value = draft.document.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        draft.attribute_error("ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT", name)
        return
    label = metadata.get("class-name")
    if any(key not in metadata for key in _REQUIRED_METADATA) or not isinstance(label, str):
        draft.nested_error(metadata, "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT")
    elif not is_label_name(label):
        draft.nested_error(metadata, "ERROR_INVALID_LABEL_NAME_LENGTH")
    elif label not in draft.image_labels:
        draft.image_labels.append(label)


def _note_missing_labels(draft: Draft, attributes: list[str]) -> None:
    if draft.image_labels or draft.boxes or draft.failed:
        return
    if draft.flawed:
        draft.line_error("ERROR_NO_VALID_LABEL_ATTRIBUTES")
    elif attributes:
        draft.line_warning("WARNING_NO_ANNOTATIONS")
    elif set(draft.document) == {"source-ref"}:
        draft.line_warning("WARNING_UNANNOTATED_RECORD")
    else:
        draft.line_error("ERROR_NO_LABEL_ATTRIBUTES")
