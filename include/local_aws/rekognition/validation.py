"""The checks at the start of a training: every line, every image, each manifest, and both together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from include.local_aws.objects import ObjectDenied, ObjectMissing, Objects
from include.local_aws.rekognition.findings import Finding, manifest_finding
from include.local_aws.rekognition.images import ImageProblem, find_problem, size_of
from include.local_aws.rekognition.manifest_lines import LineRejected, ManifestLine, parse_line
from include.local_aws.rekognition.manifests import MOST_INVALID_SHARE
from include.local_aws.settings import Settings
from include.local_aws.wire.parse import Params

IMAGE_LEVEL_LABELS = "IMAGE_LEVEL_LABELS"
OBJECT_LOCALIZATION = "OBJECT_LOCALIZATION"
NOT_DETERMINED = "NOT_DETERMINED"
FEWEST_LABELS = {IMAGE_LEVEL_LABELS: 2, OBJECT_LOCALIZATION: 1, NOT_DETERMINED: 2}
LEAST_OVERLAP_PERCENT = 50


@dataclass(frozen=True)
class CheckedLine:
    """A manifest line after validation; `line` is None if it could not be read at all."""

    text: str
    line: ManifestLine | None
    denied: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether the line has no error of the whole line."""
        return self.line is not None and not self.line.failed


@dataclass
class CheckedManifest:
    """One manifest after validation, with the use case that the training has."""

    lines: list[CheckedLine]
    use_case: str = NOT_DETERMINED
    errors: list[Finding] = field(default_factory=list)

    def labels_of(self, line: ManifestLine) -> tuple[str, ...]:
        """Return a line's labels of the use case; the other kind is ignored."""
        if self.use_case == OBJECT_LOCALIZATION:
            return tuple(dict.fromkeys(box.label for box in line.boxes))
        return line.image_labels

    @property
    def usable(self) -> list[ManifestLine]:
        """The lines to train or test on: valid and with a label of the use case."""
        return [item.line for item in self.lines if item.line and item.is_valid and self.labels_of(item.line)]

    @property
    def labels(self) -> set[str]:
        """The labels of all lines that could be read."""
        return {label for item in self.lines if item.line for label in self.labels_of(item.line)}

    @property
    def usable_labels(self) -> set[str]:
        """The labels of the usable lines."""
        return {label for line in self.usable for label in self.labels_of(line)}

    def to_json(self) -> Params:
        """Return the statistics as manifest_summary.json has them."""
        # Line numbers: the guide's example names line 15 of a manifest of 15 lines.
        invalid = [number for number, item in enumerate(self.lines, 1) if not item.is_valid]
        valid = len(self.lines) - len(invalid)
        return {
            "use_case": self.use_case,
            "total_json_lines": len(self.lines),
            "valid_json_lines": valid,
            "invalid_json_lines": len(invalid),
            "ignored_json_lines": valid - len(self.usable),
            "error_json_line_indices": invalid,
            "errors": [error.to_json() for error in self.errors],
        }


@dataclass(frozen=True)
class Validation:
    """Both manifests after validation, and the errors that concern both."""

    training: CheckedManifest
    testing: CheckedManifest
    errors: list[Finding]

    @property
    def all_errors(self) -> list[Finding]:
        """Every error that ends the training."""
        return [*self.training.errors, *self.testing.errors, *self.errors]

    def to_json(self) -> Params:
        """Return the content of manifest_summary.json."""
        return {
            "statistics": {"training": self.training.to_json(), "testing": self.testing.to_json()},
            "errors": [error.to_json() for error in self.errors],
        }


def check_lines(texts: Iterable[str], settings: Settings, objects: Objects) -> list[CheckedLine]:
    """Read every line and decode every image."""
    return [_check_line(text, settings, objects) for text in texts]


def validate(training: list[CheckedLine], testing: list[CheckedLine], settings: Settings) -> Validation:
    """Check both manifests as wholes; the training manifest decides on the use case of both."""
    use_case = _use_case(training)
    sides = [CheckedManifest(lines, use_case) for lines in (training, testing)]
    for side in sides:
        side.errors.extend(_manifest_errors(side, settings))
    return Validation(sides[0], sides[1], _overlap_errors(*sides))


def shared_images(validation: Validation) -> list[str]:
    """Return the images that are in both manifests; the guide forbids them but names no code."""
    training = {line.source_ref for line in validation.training.usable}
    return [line.source_ref for line in validation.testing.usable if line.source_ref in training]


def _check_line(text: str, settings: Settings, objects: Objects) -> CheckedLine:
    limits = settings.quota("manifest_line_characters"), settings.quota("boxes_per_image")
    try:
        line = parse_line(text, *limits)
    except LineRejected as rejection:
        return CheckedLine(json.dumps({"errors": [rejection.finding.to_json()]}), None)
    denied = False
    try:
        content = objects.read(*line.location)
        problem = find_problem(content, decode=True)
        if problem is None and line.boxes:
            line = parse_line(text, *limits, frame=size_of(content))
    except ObjectMissing:
        problem = ImageProblem.FORMAT
    except ObjectDenied:
        problem, denied = ImageProblem.FORMAT, True
    if problem is not None and not line.failed:
        is_size = problem is ImageProblem.DIMENSION
        line = line.with_error("ERROR_INVALID_IMAGE_DIMENSION" if is_size else "ERROR_INVALID_IMAGE")
    return CheckedLine(line.text, line, denied)


def _use_case(lines: list[CheckedLine]) -> str:
    boxed = sum(bool(item.line and item.line.boxes) for item in lines)
    labelled = sum(bool(item.line and item.line.image_labels) for item in lines)
    if not boxed and not labelled:
        return NOT_DETERMINED
    return OBJECT_LOCALIZATION if boxed > labelled else IMAGE_LEVEL_LABELS


def _manifest_errors(side: CheckedManifest, settings: Settings) -> list[Finding]:
    errors = []
    if any(item.denied for item in side.lines):
        errors.append(manifest_finding("ERROR_INVALID_PERMISSIONS_IMAGES_S3_BUCKET"))
    if sum(not item.is_valid for item in side.lines) > MOST_INVALID_SHARE * len(side.lines):
        errors.append(manifest_finding("ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST"))
    if len({item.line.location[0] for item in side.lines if item.line}) > 1:
        errors.append(manifest_finding("ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS"))
    fewest = FEWEST_LABELS[side.use_case]
    if len(side.labels) < fewest:
        errors.append(manifest_finding("ERROR_MANIFEST_TOO_FEW_LABELS"))
    elif len(side.usable_labels) < fewest:
        errors.append(manifest_finding("ERROR_MANIFEST_TOO_FEW_USABLE_LABELS"))
    if len(side.labels) > settings.quota("labels"):
        errors.append(manifest_finding("ERROR_MANIFEST_TOO_MANY_LABELS"))
    return errors


def _overlap_errors(training: CheckedManifest, testing: CheckedManifest) -> list[Finding]:
    if _overlap_percent(training.labels, testing.labels) < LEAST_OVERLAP_PERCENT:
        return [manifest_finding("ERROR_INSUFFICIENT_LABEL_OVERLAP", LEAST_OVERLAP_PERCENT)]
    if _overlap_percent(training.usable_labels, testing.usable_labels) < LEAST_OVERLAP_PERCENT:
        return [manifest_finding("ERROR_INSUFFICIENT_USABLE_LABEL_OVERLAP", LEAST_OVERLAP_PERCENT)]
    return []


def _overlap_percent(training: set[str], testing: set[str]) -> float:
    return 100 * len(training & testing) / len(training) if training else 0.0
