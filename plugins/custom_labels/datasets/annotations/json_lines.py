"""What the lines of every kind have in common: strict JSON, the image, and label attributes found by their type."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeGuard

from custom_labels.core.keys import has_control_character
from custom_labels.datasets.annotations.annotation import (
    Annotation,
    Box,
    Code,
    ImageLabel,
    ImageSize,
    Provenance,
    Refusal,
    Refused,
    shown,
)
from custom_labels.datasets.images import MAXIMUM_LABEL_NAME
from custom_labels.datasets.label_names import readable_name
from custom_labels.datasets.manifest import MAXIMUM_LINE

IMAGE_LABEL_TYPE = "groundtruth/image-classification"
MULTI_LABEL_TYPE = "groundtruth/image-classification-multilabel"
BOXES_TYPE = "groundtruth/object-detection"
TYPES = frozenset({IMAGE_LABEL_TYPE, MULTI_LABEL_TYPE, BOXES_TYPE})
"""Types of label attributes; a line may have attributes of several, and each reader takes its own."""

_METADATA = "-metadata"
_PREDICTIONS = ("rekognition-custom-labels-evaluation-", "rekognition-custom-labels-training-")
"""Attributes that Custom Labels adds to the lines of a training's results: what a model answered is no annotation."""
_SOURCE_REF = re.compile(r"s3://([a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])/(.+)", re.DOTALL)
_MARK = "\ufeff"
"""The byte order mark, which some programs write before the first line, and joining files leaves in their middle."""


@dataclass(frozen=True)
class Attribute:
    """A label attribute that can be used.

    :param speaks_for: labels about which it says whether they are on the image; of two attributes of a line that do so
        for the same label, such as a labeling job's and that of the job that adjusted it, the later one counts.
    """

    provenance: Provenance
    created: datetime
    speaks_for: frozenset[str]
    boxes: tuple[Box, ...] = ()
    image_labels: tuple[ImageLabel, ...] = ()
    size: ImageSize | None = None
    dropped: tuple[Refusal, ...] = ()


Reader = Callable[[str, Any, dict[str, Any]], Attribute]
"""Reads an attribute by its name, its value and its metadata; raises Refused."""


def read_annotation(text: str, types: Collection[str], read: Reader) -> Annotation:
    """Read a line.

    :param types: of the attributes that count; those of other types are another kind of project's.
    :raises Refused: no attribute can be used; its code is that of the attribute where there is one only.
    """
    document = _read_object(text)
    source_ref = _read_source_ref(document)
    found: list[Attribute] = []
    refused: list[Refusal] = []
    for name in [key.removesuffix(_METADATA) for key in document if key.endswith(_METADATA)]:
        try:
            if _counts(document, name, types):
                found.append(read(name, document[name], document[name + _METADATA]))
        except Refused as error:
            refused.append(error.refusal)
    if not found:
        raise _none_is_left(refused, types)
    return _merge(source_ref, found, refused)


def _none_is_left(refused: list[Refusal], types: Collection[str]) -> Refused:
    if not refused:
        return Refused(Code.NO_LABEL_ATTRIBUTES, f"no attribute has metadata whose 'type' is {' or '.join(types)}")
    code = refused[0].code if len(refused) == 1 else Code.NO_VALID_LABEL_ATTRIBUTES
    return Refused(code, "; ".join(each.detail for each in refused))


def _merge(source_ref: str, attributes: Iterable[Attribute], refused: Iterable[Refusal]) -> Annotation:
    ordered = sorted(attributes, key=lambda each: each.created)
    last = ordered[-1]
    boxes: tuple[Box, ...] = ()
    labels: tuple[ImageLabel, ...] = ()
    for each in ordered:
        if each.size != last.size:
            raise Refused(Code.INVALID_IMAGE_DIMENSION, "two attributes give the image different sizes in 'image_size'")
        boxes = (*(box for box in boxes if box.label not in each.speaks_for), *each.boxes)
        labels = (*(label for label in labels if label.label not in each.speaks_for), *each.image_labels)
    dropped = (*refused, *(refusal for each in ordered for refusal in each.dropped))
    return Annotation(source_ref, last.provenance, last.created, boxes, labels, last.size, dropped)


# -- JSON ----------------------------------------------------------------------------------------------


def _read_object(text: str) -> dict[str, Any]:
    if len(text) > MAXIMUM_LINE:
        raise Refused(Code.INVALID_JSON_LINE, f"it has more than {MAXIMUM_LINE:,} characters")
    try:
        return parse_object(text.removeprefix(_MARK))
    except NotJson as error:
        raise Refused(Code.INVALID_JSON_LINE, str(error)) from None


class NotJson(ValueError):
    """A text is no JSON object that can be used."""


def parse_object(text: str) -> dict[str, Any]:
    """Read strict JSON: an object in which no key is there twice, no number is infinite, and no character half.

    :raises NotJson: it is none.
    """
    try:
        document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_each_key_once)
        if not text.isascii() or "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair is no character
    except (ValueError, RecursionError) as error:
        why = "it has too many levels" if isinstance(error, RecursionError) else str(error)
        raise NotJson(f"it is no JSON: {why[:200]}") from None
    if not isinstance(document, dict):
        raise NotJson(f"it is {shown(document)}, and no JSON object")
    return document


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {shown(twice)} is there twice")
    return made


def is_number(value: object) -> TypeGuard[float]:
    """Whether a JSON value is a number that can be reckoned with; true and false are none, nor is 1e999."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def is_share(value: object) -> TypeGuard[float]:
    """Whether a JSON value is a number from 0 to 1."""
    return is_number(value) and 0 <= value <= 1


# -- its parts -----------------------------------------------------------------------------------------


def _read_source_ref(document: Mapping[str, Any]) -> str:
    if "source-ref" not in document:
        raise Refused(Code.MISSING_SOURCE_REF, "it has no 'source-ref'")
    source_ref = document["source-ref"]
    if not isinstance(source_ref, str) or not _SOURCE_REF.fullmatch(source_ref):
        raise Refused(
            Code.INVALID_SOURCE_REF_FORMAT, f"'source-ref' is {shown(source_ref)}: expected s3://<bucket>/<key>"
        )
    if has_control_character(source_ref):
        raise Refused(Code.INVALID_SOURCE_REF_FORMAT, f"'source-ref' has a control character: {shown(source_ref)}")
    return source_ref


def key_of(source_ref: str, uri_prefix: str) -> str:
    """Give the key of an image relative to the project's prefix.

    :param uri_prefix: ``s3://bucket/prefix/`` of the project.
    :raises Refused: it lies in another bucket, or in the same outside the prefix.
    """
    if source_ref.startswith(uri_prefix) and source_ref != uri_prefix:
        return source_ref.removeprefix(uri_prefix)
    bucket = uri_prefix.removeprefix("s3://").partition("/")[0]
    if not source_ref.startswith(f"s3://{bucket}/"):
        raise Refused(
            Code.IMAGES_IN_MULTIPLE_S3_BUCKETS, f"'source-ref' is {shown(source_ref)}: expected the bucket '{bucket}'"
        )
    raise Refused(
        Code.INVALID_SOURCE_REF_FORMAT, f"'source-ref' is {shown(source_ref)}: expected an image below {uri_prefix}"
    )


def _counts(document: Mapping[str, Any], name: str, types: Collection[str]) -> bool:
    """Say whether something with metadata is a label attribute that counts.

    Other programs add metadata of their own, such as the ``cl-metadata`` of Custom Labels; what has neither a value
    nor a type is no label attribute.
    """
    metadata = document[name + _METADATA]
    if name.startswith(_PREDICTIONS):
        return False
    kind = metadata.get("type") if isinstance(metadata, dict) else None
    if name not in document:
        if kind in types:
            raise Refused(Code.NO_LABEL_ATTRIBUTES, f"{shown(name + _METADATA)} is there without {shown(name)}")
        return False
    if not isinstance(metadata, dict) or not isinstance(kind, str):
        raise invalid_metadata(name, "'type' is missing" if isinstance(metadata, dict) else "it is no object")
    if kind not in TYPES:
        raise Refused(Code.UNSUPPORTED_USE_CASE_TYPE, f"'type' of {shown(name + _METADATA)} is {shown(kind)}")
    return kind in types


def invalid_metadata(name: str, why: str) -> Refused:
    """Say what is wrong with an attribute's metadata."""
    return Refused(Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT, f"{shown(name + _METADATA)}: {why}")


def invalid_attribute(name: str, why: str) -> Refused:
    """Say what is wrong with an attribute itself."""
    return Refused(Code.INVALID_LABEL_ATTRIBUTE_FORMAT, f"{shown(name)}: {why}")


def read_provenance(name: str, metadata: Mapping[str, Any]) -> tuple[Provenance, datetime]:
    """Read who made an attribute, and when; a moment without a time zone is in UTC, as the guide demands.

    :raises Refused: the metadata do not say it.
    """
    human, created, job = (metadata.get(key) for key in ("human-annotated", "creation-date", "job-name"))
    if not isinstance(human, str) or human not in {"yes", "no"}:
        raise invalid_metadata(name, f'\'human-annotated\' is {shown(human)}: expected "yes" or "no"')
    if job is not None and not isinstance(job, str):
        raise invalid_metadata(name, f"'job-name' is {shown(job)}: expected a text")
    try:
        moment = datetime.fromisoformat(created if isinstance(created, str) else "")
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        why = f"'creation-date' is {shown(created)}: expected a moment such as 2026-01-31T12:00:00"
        raise invalid_metadata(name, why) from None
    return Provenance(str(created), human, job), moment


def read_label(name: str, label: object) -> str:
    """Read the name of a label, as a person reads it: names that look the same are one label, as with folders.

    :raises Refused: it is none, or longer than Custom Labels takes.
    """
    if not isinstance(label, str):
        raise invalid_metadata(name, f"the name of a label is {shown(label)}: expected a text")
    label = readable_name(label)
    if not 1 <= len(label) <= MAXIMUM_LABEL_NAME:
        raise Refused(
            Code.INVALID_LABEL_NAME_LENGTH,
            f"{shown(name + _METADATA)}: the label {shown(label)} has {len(label)} characters: expected 1 to "
            f"{MAXIMUM_LABEL_NAME}",
        )
    if has_control_character(label):
        raise invalid_metadata(name, f"the label {shown(label)} has a control character")
    return label


def read_class_map(name: str, metadata: Mapping[str, Any], ids: Collection[int]) -> dict[int, str]:
    """Read the labels of some class ids.

    :raises Refused: there is no class map, it lacks one of them, or a name cannot be a label's.
    """
    class_map = metadata.get("class-map")
    if not isinstance(class_map, dict):
        raise invalid_metadata(name, f"'class-map' is {shown(class_map)}: expected an object of labels by class id")
    missing = sorted(each for each in ids if str(each) not in class_map)
    if missing:
        raise Refused(
            Code.MISSING_CLASS_MAP_ID,
            f"{shown(name)} has class_id {shown(missing[0])}, and the 'class-map' of its metadata does not",
        )
    return {each: read_label(name, class_map[str(each)]) for each in ids}


def labels_of(class_map: Mapping[str, Any]) -> frozenset[str]:
    """Give all labels of a class map, those that are not used as well."""
    return frozenset(readable_name(label) for label in class_map.values() if isinstance(label, str))


# -- writing -------------------------------------------------------------------------------------------


def write_body(attributes: Mapping[str, Any]) -> str:
    """Write a line without its beginning, which names the image."""
    return json.dumps(attributes, separators=(",", ":"))[1:]


def write_provenance(kind: str, provenance: Provenance) -> dict[str, str]:
    """Write what all metadata have in common, in the order of the guide's examples."""
    made = {"type": kind, "human-annotated": provenance.human_annotated, "creation-date": provenance.created}
    return made if provenance.job is None else {**made, "job-name": provenance.job}
