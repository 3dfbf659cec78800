"""What was chosen to be opened as reviews, written before it is opened.

``reviews/opened/<YYYY-MM-DD>/<owner>-<number>.jsonl`` has a line for each request of one reservation. A retry goes on
with the same choice; and a review for which its backend wrote nothing is known by its request all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.budget import Reservation
from custom_labels.review.request_records import Waiting
from custom_labels.review.review import ReviewRequest
from custom_labels.s3.errors import CHANGED
from custom_labels.s3.line_files import read_folder, read_lines, write_lines
from custom_labels.s3.store import S3Store

OPENED = f"{REVIEWS}opened/"


def read_chosen(store: S3Store, day: date, held: Reservation) -> list[Waiting] | None:
    """Read what was chosen under a reservation; ``None`` if nothing was yet."""
    file = read_lines(store, _key(day, held))
    if file is None:
        return None
    return [Waiting(line["file"], from_json(ReviewRequest, line["request"])) for line in file.records]


def write_chosen(store: S3Store, day: date, held: Reservation, chosen: Iterable[Waiting]) -> list[Waiting]:
    """Write what is chosen under a reservation, once; give what counts, which is what the first to write it chose."""
    from botocore.exceptions import ClientError

    ours = list(chosen)
    lines = [{"file": one.file, "request": to_json(one.request)} for one in ours]
    try:
        write_lines(store, _key(day, held), lines, IfNoneMatch="*", expect=CHANGED)
    except ClientError:
        return read_chosen(store, day, held) or ours
    return ours


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


def _key(day: date, held: Reservation) -> str:
    return f"{OPENED}{day.isoformat()}/{held.owner}-{held.number}.jsonl"
