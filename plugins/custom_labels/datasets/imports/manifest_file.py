"""Manifests: the lines of Ground Truth's jobs and of Custom Labels, for whatever a project learns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from custom_labels.core.keys import has_image_suffix
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Code, Refusal
from custom_labels.datasets.annotations.json_lines import NotJson, parse_object
from custom_labels.datasets.annotations.kinds import KINDS, lines_of
from custom_labels.datasets.imports.source import Found, ImportCode, SourceFiles, SourceItem, Unusable

_LABELS = KINDS[ProjectTask.MULTI_LABEL_CLASSIFICATION]
_BOXES = KINDS[ProjectTask.OBJECT_DETECTION]
_ENDINGS = (".manifest", ".jsonl")
_METADATA = "-metadata"
_VERIFICATION = "groundtruth/label-verification"
RIGHT = frozenset(
    {"good", "correct", "right", "yes", "pass", "confirm", "confirmed", "approve", "approved", "accepted"}
)
"""Classes of verification jobs by which people say that labels are right, whatever their case. Who makes such a job
names its classes; SageMaker's examples have good and bad."""


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:
    """Read every manifest of a source, line by line; where none is called so, every file that is no image."""
    manifests = files.names(*_ENDINGS)
    first = next(manifests, None)
    others = (name for name in files.names() if not has_image_suffix(name))
    for name in others if first is None else chain([first], manifests):
        with files.open(name) as file:
            yield from read_lines(
                ((f"{name} line {number}", line) for number, line in enumerate(lines_of(file), 1)), task
            )


def read_lines(lines: Iterable[tuple[str, bytes]], task: ProjectTask) -> Iterator[SourceItem]:
    """Read lines.

    A project without boxes also takes labels from lines with boxes. Of a line that people verified the labels count
    where they found them right.

    :param lines: where each is, and the line; blank ones are passed over.
    """
    for where, line in lines:
        if line.isspace():
            continue
        text, answer = _without_verification(line)
        if answer is not None and answer.strip().casefold() not in RIGHT:
            detail = f"people answered {answer!a} to its labels: expected one of {', '.join(sorted(RIGHT))}"
            yield Unusable(where, ImportCode.NOT_VERIFIED, detail)
            continue
        found = _parse(text, task)
        yield Unusable(where, found.code, found.detail) if isinstance(found, Refusal) else Found(where, found)


def _parse(line: bytes | str, task: ProjectTask) -> Annotation | Refusal:
    own, other = (_BOXES, _LABELS) if task is ProjectTask.OBJECT_DETECTION else (_LABELS, _BOXES)
    found = own.parse(line)
    if isinstance(found, Refusal) and found.code is Code.NO_LABEL_ATTRIBUTES:
        # What it would say of the other kind of attribute is what is wrong with the line.
        second = other.parse(line)
        is_other = isinstance(second, Annotation) or second.code is not Code.NO_LABEL_ATTRIBUTES
        return second if is_other else found
    return found


def _without_verification(line: bytes) -> tuple[bytes | str, str | None]:
    """Take what the people of a label verification job said out of a line, and give it.

    Their attribute is a class id with a class name, of a type of its own (SageMaker guide, "Label Verification and
    Adjustment Data in the Output Manifest"); of several the last one counts.
    """
    if b"label-verification" not in line:
        return line, None
    try:
        document = parse_object(line.decode())
    except (NotJson, UnicodeDecodeError):
        return line, None  # the reader of the line says what is wrong with it
    names = [key.removesuffix(_METADATA) for key, value in document.items() if _is_verification(key, value)]
    if not names:
        return line, None
    answer = document[f"{names[-1]}{_METADATA}"].get("class-name")
    rest = {key: value for key, value in document.items() if key.removesuffix(_METADATA) not in names}
    return json.dumps(rest), str(answer)


def _is_verification(key: str, value: Any) -> bool:
    return key.endswith(_METADATA) and isinstance(value, dict) and value.get("type") == _VERIFICATION
