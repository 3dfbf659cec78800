"""Requests for review as tests need them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from custom_labels.core.names import review_name
from custom_labels.review.review import Answered, Purpose, ReviewAnswer, ReviewRequest
from tests.kit.support import BUCKET

PROJECT = "digits"


def request_for(
    key: str = "images_for_detection/a.png", *, etag: str = "e", round_: int = 1, **more: Any
) -> ReviewRequest:
    """Make a request about an image; ``more`` replaces its fields."""
    made = ReviewRequest(
        name=review_name(PROJECT, key, etag, round_),
        image=f"s3://{BUCKET}/{key}",
        key=key,
        etag=etag,
        label="rows",
        confidence=43.0,
        labels=("columns", "rows"),
        version_name="digits-1",
        purpose=Purpose.DOUBT,
        round=round_,
        reviewers=1,
    )
    return replace(made, **more)


def labels_of(answered: Answered) -> list[str | None]:
    """Give the labels that people chose, where each chose one."""
    return [answer.label for answer in answered.answers if isinstance(answer, ReviewAnswer)]
