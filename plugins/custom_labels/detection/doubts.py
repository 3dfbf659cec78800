"""The review that a detection asks for."""

from __future__ import annotations

from custom_labels.core.names import review_name
from custom_labels.datasets.label_names import choices
from custom_labels.detection.detection import Detection
from custom_labels.review.review import Purpose, ReviewRequest


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
