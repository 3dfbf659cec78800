"""What was asked in reviews, written before they are opened.

``reviews/opened/<YYYY-MM-DD>/<id>.jsonl`` has a line for each request that was opened together with others. So a review
for which its backend wrote nothing, since nobody answered it, is known by its request all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.review import ReviewRequest
from custom_labels.s3.line_files import read_folder, write_lines
from custom_labels.s3.store import S3Store

OPENED = f"{REVIEWS}opened/"


def write_opened(store: S3Store, day: date, requests: Sequence[ReviewRequest]) -> None:
    """Write what is about to be opened together; the same requests are the same file."""
    names = "\n".join(request.name for request in requests)
    key = f"{OPENED}{day.isoformat()}/{hashlib.sha256(names.encode()).hexdigest()[:24]}.jsonl"
    write_lines(store, key, ({"request": to_json(request)} for request in requests))


@dataclass(frozen=True)
class OpenedReview:
    """What was asked, and the day whose budget it was opened under."""

    request: ReviewRequest
    day: date


def find_requests(store: S3Store, names: set[str], first: date, last: date) -> dict[str, OpenedReview]:
    """Find requests by their names in what was opened between two days: a call for each day and for each file of it.

    :param first: a review's day of creation, or the earliest of several; what is opened around midnight is found too.
    """
    found: dict[str, OpenedReview] = {}
    day = first - timedelta(days=1)
    while names - found.keys() and day <= last + timedelta(days=1):
        for file in read_folder(store, f"{OPENED}{day.isoformat()}/"):
            for entry in (line["request"] for line in file.records):
                if entry["name"] in names:
                    found.setdefault(entry["name"], OpenedReview(from_json(ReviewRequest, entry), day))
        day += timedelta(days=1)
    return found
