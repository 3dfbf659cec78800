"""A detection: what a version predicts for an image, and what is decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.codec import to_json
from custom_labels.core.names import review_name
from custom_labels.datasets.label_names import choices
from custom_labels.review.review import Purpose, ReviewRequest


class Decision(StrEnum):
    """What becomes of a detection."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    NOT_REVIEWED = "not_reviewed"
    """Doubtful, but the review workflow is off."""
    UNREADABLE = "unreadable"
    """Custom Labels cannot read the image, and never will."""


@dataclass(frozen=True)
class Detection:
    """One result: one image, at one ETag, detected by one version.

    :param image: its ``s3://`` URI; ``key`` is relative to the project's prefix, ``etag`` without quotes.
    :param detected_at: ISO 8601 in UTC.
    :param labels: all that the version named, the surest first.
    :param minimum_confidence: threshold of the surest label, in percent.
    :param reason: one sentence: why this decision.
    :param review: name of the review that a doubtful detection asks for.
    """

    image: str
    key: str
    etag: str
    version_name: str
    version_arn: str
    detected_at: str
    labels: tuple[DetectedLabel, ...]
    minimum_confidence: float
    decision: Decision
    reason: str
    review: str | None = None

    @property
    def label(self) -> str | None:
        """The surest label, ``None`` where the version named none."""
        return self.labels[0].name if self.labels else None

    @property
    def confidence(self) -> float | None:
        """The surest label's confidence, in percent."""
        return self.labels[0].confidence if self.labels else None

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON types; ``label`` and ``confidence`` are there for readers of the result."""
        return {**to_json(self), "label": self.label, "confidence": self.confidence}


def decide(
    labels: tuple[DetectedLabel, ...], minimum: float, by_label: Mapping[str, float], *, review_is_on: bool
) -> tuple[Decision, float, str]:
    """Decide whether a detection is believed.

    :param labels: the surest first.
    :param minimum: confidence in percent that a label must reach; ``by_label`` for single labels.
    :param review_is_on: whether doubtful ones go to people.
    :return: the decision, the threshold that counted, and why.
    """
    doubtful = Decision.REVIEW if review_is_on else Decision.NOT_REVIEWED
    if not labels:
        return doubtful, minimum, "no label was found"
    first = labels[0]
    minimum = by_label.get(first.name, minimum)
    is_below = first.confidence < minimum
    compared = f"{'is below' if is_below else 'reaches'} its minimum of {minimum:g} %"
    reason = f"'{first.name}' at {first.confidence:.1f} % {compared}"
    return doubtful if is_below else Decision.ACCEPTED, minimum, reason


def first_request(
    project: str, detection: Detection, labels: tuple[str, ...], purpose: Purpose, reviewers: int
) -> ReviewRequest:
    """Make the request of the first review of a detection.

    :param labels: of the version.
    """
    offered, none_label = choices(labels)
    return ReviewRequest(
        name=review_name(project, detection.key, detection.etag, 1, audit=purpose is Purpose.AUDIT),
        image=detection.image,
        key=detection.key,
        etag=detection.etag,
        label=detection.label,
        confidence=detection.confidence,
        labels=offered,
        none_label=none_label,
        version_name=detection.version_name,
        purpose=purpose,
        round=1,
        reviewers=reviewers,
        is_also_in_doubt=purpose is Purpose.AUDIT and detection.review is not None,
    )
