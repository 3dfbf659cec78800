"""What people agree on about an image with several labels or boxes, as the line of annotations for a training."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from custom_labels.datasets.annotations.annotation import Annotation, ImageLabel, Provenance, Refusal
from custom_labels.datasets.annotations.kinds import KINDS

if TYPE_CHECKING:
    from custom_labels.review.harvest import HarvestedReview


def reviewed_line(harvested: HarvestedReview) -> dict[str, Any] | None:
    """Write the line about the copy of an image; ``None`` where people agree on nothing, or folders say it.

    Confidence is the share of the people who said so. ``review`` is for whoever wants to know where the line comes
    from; no manifest for a training has it.
    """
    request, target = harvested.request, harvested.target
    if request is None or target is None or request.task not in KINDS:
        return None
    annotation = _annotation(harvested, f"{request.image.removesuffix(request.key)}{target}")
    return {
        "source-ref": annotation.source_ref,
        **KINDS[request.task].write(annotation),
        "review": {
            "name": harvested.review,
            "people": len({answer.reviewer for answer in harvested.answers}),
            "votes": [[label, number] for label, number in harvested.votes],
            "image": request.image,
            "etag": request.etag,
            "version": request.version_name,
            "harvested-at": harvested.harvested_at,
        },
    }


def why_not_usable(harvested: HarvestedReview) -> str:
    """Explain why no snapshot could read what people agree on; empty if one can."""
    line, request = reviewed_line(harvested), harvested.request
    if line is None or request is None:
        return ""
    read = KINDS[request.task].parse(json.dumps(line, ensure_ascii=False))
    if isinstance(read, Refusal):
        return read.detail
    return read.dropped[0].detail if read.dropped else ""


def _annotation(harvested: HarvestedReview, source_ref: str) -> Annotation:
    people = len({answer.reviewer for answer in harvested.answers}) or 1
    votes = dict(reversed(harvested.votes))
    last = max((answer.submitted_at for answer in harvested.answers), default=harvested.harvested_at)
    moment = datetime.fromisoformat(last).astimezone(UTC)
    return Annotation(
        source_ref,
        Provenance(moment.replace(tzinfo=None).isoformat(timespec="milliseconds"), "yes", harvested.review),
        moment,
        boxes=harvested.boxes,
        image_labels=tuple(
            ImageLabel(label, votes.get(label, votes.get(None, people)) / people) for label in harvested.labels
        ),
        size=harvested.size,
    )
