"""What a labeling job reads from S3 when it begins: its manifest, its label categories and its worker page."""

from __future__ import annotations

from typing import Any

from include.local_aws.human_review.labeling.state import LabelingJob
from include.local_aws.human_review.state import Region
from include.local_aws.human_review.templates import split_s3_uri
from include.local_aws.objects import ObjectDenied, ObjectMissing
from include.local_aws.strict_json import read_json

_MOST_OBJECTS = 100_000
"""Of a manifest (SageMaker guide, "Input Data Quotas")."""


class InputError(ValueError):
    """What a job was given cannot be used; the text is its FailureReason."""


def read_template(region: Region, job: LabelingJob) -> str:
    """Return the Liquid source of the worker page; raises InputError."""
    uri = job.config["UiConfig"]["UiTemplateS3Uri"]
    try:
        return _read(region, uri, "UiTemplateS3Uri").decode()
    except UnicodeDecodeError:
        raise InputError(f"ClientError: UiTemplateS3Uri {uri} is not UTF-8.") from None


def read_labels(region: Region, job: LabelingJob) -> tuple[str, ...]:
    """Return the labels of the category file; raises InputError."""
    uri = job.details["LabelCategoryConfigS3Uri"]
    where = f"ClientError: LabelCategoryConfigS3Uri {uri}"
    try:
        document = read_json(_read(region, uri, "LabelCategoryConfigS3Uri"))
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{where} is not valid JSON: {error}.") from None
    entries = document.get("labels") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{where} has no list 'labels'.")
    labels = [entry.get("label") if isinstance(entry, dict) else None for entry in entries]
    wrong = [entry for entry, label in zip(entries, labels, strict=True) if not isinstance(label, str) or not label]
    if wrong:
        raise InputError(f"{where} has an entry without a 'label': {wrong[0]!r}.")
    found = tuple(str(label) for label in labels)
    if len({*found}) < len(found):
        raise InputError(f"{where} has a label twice.")
    return found


def read_lines(region: Region, job: LabelingJob) -> list[dict[str, Any]]:
    """Return the lines of the input manifest; raises InputError."""
    uri = job.details["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    content = _read(region, uri, "ManifestS3Uri")
    texts = content.removesuffix(b"\n").split(b"\n") if content.strip() else []
    if not 1 <= len(texts) <= _MOST_OBJECTS:
        raise InputError(f"ClientError: The manifest {uri} has {len(texts)} objects: expected 1 to {_MOST_OBJECTS}.")
    return [
        _line(text, f"ClientError: Line {number} of the manifest {uri}", job) for number, text in enumerate(texts, 1)
    ]


def _line(text: bytes, where: str, job: LabelingJob) -> dict[str, Any]:
    try:
        line = read_json(text)
    except ValueError as error:
        raise InputError(f"{where} is not valid JSON: {error}.") from None
    if not isinstance(line, dict) or not isinstance(line.get("source-ref"), str):
        raise InputError(f"{where} has no 'source-ref'.")
    try:
        split_s3_uri(line["source-ref"])
    except ValueError as error:
        raise InputError(f"{where}: {error}.") from None
    if job.kind.changes and job.attribute in line:
        raise InputError(f"{where} has the LabelAttributeName {job.attribute} already: choose another name.")
    return line


def _read(region: Region, uri: str, member: str) -> bytes:
    try:
        return region.objects.read(*split_s3_uri(uri))
    except (ObjectMissing, ObjectDenied, ValueError) as error:
        raise InputError(f"ClientError: {member} {uri} cannot be read: {error}.") from None
