"""A detection: what a version predicts for an image, and what is decided about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.codec import to_json
from custom_labels.core.keys import result_key
from custom_labels.core.names import PAGES, review_name
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import MAXIMUM_BOXES, Box, ImageSize
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.datasets.annotations.pixels import clip, in_pixels
from custom_labels.datasets.label_names import choices, distinct_names, readable_name
from custom_labels.detection.doubt import DoubtRules, above_noise, in_words
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
    :param labels: all that the version named, the surest first; boxes are ratios of the upright picture's sides.
    :param minimum_confidence: threshold of the label that decided, in percent: of the surest, or where an image may
        have several of the one that is least above its own.
    :param reason: one sentence: why this decision.
    :param review: name of the review that a doubtful detection asks for.
    :param noise: confidence in percent below which a label does not count, where an image may have several.
    :param size: of the upright picture, where it was read, which is for boxes only.
    :param drawing: path of the page that draws it over its image, below Airflow's own address.
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
    noise: float = 0
    size: ImageSize | None = None
    drawing: str | None = None

    @property
    def counted(self) -> tuple[DetectedLabel, ...]:
        """The labels that are no noise, the surest first."""
        return above_noise(self.labels, self.noise)

    @property
    def label(self) -> str | None:
        """The surest label, ``None`` where the version named none."""
        return self.labels[0].name if self.labels else None

    @property
    def confidence(self) -> float | None:
        """The surest label's confidence, in percent."""
        return self.labels[0].confidence if self.labels else None

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON types.

        ``label`` and ``confidence`` are there for readers of the result, and so are the ``pixels`` of a box.
        """
        record = {**to_json(self), "label": self.label, "confidence": self.confidence}
        if self.size is not None:
            record["labels"] = [
                {**value, "pixels": _sides(in_pixels(label, self.size))}
                for value, label in zip(record["labels"], self.labels, strict=True)
            ]
        return record


def _sides(box: Box | None) -> dict[str, float] | None:
    return {"left": box.left, "top": box.top, "width": box.width, "height": box.height} if box else None


def drawing_path(project: str, key: str, etag: str, version_name: str) -> str:
    """Give the path of the page that draws a result over its image, below Airflow's own address."""
    return f"{PAGES}/{quote(project, safe='')}/{quote(result_key(key, etag, version_name))}"


@dataclass(frozen=True)
class Decided:
    """Whether a detection is believed.

    :param minimum: the threshold that counted, in percent.
    :param reason: why, in words.
    """

    decision: Decision
    minimum: float
    reason: str


def decide(labels: tuple[DetectedLabel, ...], rules: DoubtRules, *, review_is_on: bool) -> Decided:
    """Decide whether a detection is believed.

    :param labels: the surest first.
    :param review_is_on: whether doubtful ones go to people.
    """
    doubtful = Decision.REVIEW if review_is_on else Decision.NOT_REVIEWED
    counted = rules.counted(labels)
    if not counted:
        above = f" with {rules.noise:g} % or more" if labels else ""
        decision = Decision.ACCEPTED if rules.task.has_several and rules.fewest == 0 else doubtful
        missing = rules.doubts(()) if decision is Decision.ACCEPTED else []
        return Decided(
            doubtful if missing else decision, rules.minimum, "; ".join([f"no label was found{above}", *missing])
        )
    weakest = min(counted, key=lambda each: (each.confidence - rules.minimum_of(each.name), each.name))
    minimum = rules.minimum_of(weakest.name)
    if reasons := rules.doubts(labels):
        return Decided(doubtful, minimum, "; ".join(reasons))
    reason = f"{in_words(weakest)} reaches its minimum of {minimum:g} %"
    if weakest.confidence < minimum:
        reason = f"{in_words(weakest)}: 'uncertainty' has no rule that doubts it"
    elif len(counted) > 1:
        reason = f"the least sure of {len(counted)}, {reason}"
    return Decided(Decision.ACCEPTED, minimum, reason)


def first_request(
    project: str,
    detection: Detection,
    labels: tuple[str, ...],
    purpose: Purpose,
    reviewers: int,
    task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION,
) -> ReviewRequest:
    """Make the request of the first review of a detection.

    :param labels: of the version.
    :param task: what the project's model does.
    """
    offered, none_label = choices(labels)
    confidence = detection.confidence
    guesses: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    if task is ProjectTask.OBJECT_DETECTION:
        # "None of the above" is no choice among boxes: nothing is drawn.
        offered, none_label = distinct_names(labels), None
    if task is ProjectTask.OBJECT_DETECTION and purpose is not Purpose.AUDIT:
        boxes = _model_boxes(detection, offered)
    if task is ProjectTask.MULTI_LABEL_CLASSIFICATION and purpose is not Purpose.AUDIT:
        guesses = tuple(dict.fromkeys(filter(None, (_offered(each.name, offered) for each in detection.counted))))
    if task.has_several:
        confidence = detection.counted[-1].confidence if detection.counted else None
    return ReviewRequest(
        name=review_name(project, detection.key, detection.etag, 1, audit=purpose is Purpose.AUDIT),
        image=detection.image,
        key=detection.key,
        etag=detection.etag,
        label=detection.label if confidence is not None else None,
        confidence=confidence,
        labels=offered,
        none_label=none_label,
        version_name=detection.version_name,
        purpose=purpose,
        round=1,
        reviewers=reviewers,
        is_also_in_doubt=purpose is Purpose.AUDIT and detection.review is not None,
        task=task,
        guesses=guesses,
        boxes=boxes,
        size=detection.size,
    )


def _model_boxes(detection: Detection, offered: tuple[str, ...]) -> tuple[Box, ...]:
    """Give the boxes that people are shown: the surest, as far as they are on the image and may be annotated."""
    found: list[Box] = []
    for each in detection.counted:
        box, label = in_pixels(each, detection.size) if detection.size else None, _offered(each.name, offered)
        if box is None or label is None or detection.size is None:
            continue
        shown = clip(replace(box, label=label), detection.size)
        if judge_box(shown, detection.size) is None:
            found.append(shown)
    return tuple(found[:MAXIMUM_BOXES])


def _offered(label: str, offered: tuple[str, ...]) -> str | None:
    """Give a label as it is offered, where names that are the same to a person are offered once."""
    name = readable_name(label)
    return next((each for each in offered if readable_name(each) == name), None)
