"""The harvest in S3: the ledger of reviews that have ended, and the copies of images.

``reviews/harvested/<YYYY-MM-DD>/<chunk>.jsonl``, the ledger, has a line for each review whose end was dealt with; it is
written once, after the images are copied. A copy's key is derived from the image and its label: what a killed try had
copied a second one copies over, unless a setting was changed in between by which another label or folder counts.

``annotations/reviewed/<chunk>.manifest`` has a line for each image with several labels or boxes that people agree on.
It is written between copies and ledger, and again with the same lines by a second try. Of several lines about an image,
such as those of a harvest that failed for good and of the next one, snapshots take the newest.

``reviews/rounds/<review>.json`` has the answers about an image up to a round that did not decide, for the next.
``reviews/watermark.json`` has the moment before which all reviews have been dealt with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import IMAGES, REPLACED_IMAGES, REVIEWS, reviewed_lines_key
from custom_labels.core.names import in_round
from custom_labels.review.harvest import HarvestedReview, ReviewOutcome, copy_metadata
from custom_labels.review.harvest_work import Watermark
from custom_labels.review.review import AnyAnswer, Purpose, ReviewRequest
from custom_labels.review.reviewed import reviewed_line
from custom_labels.s3.changes import change_json
from custom_labels.s3.errors import ARCHIVED, CHANGED, DENIED, MISSING, REFUSED, error_code
from custom_labels.s3.line_files import LineFile, list_keys, read_files, read_lines, write_lines
from custom_labels.s3.store import S3Store

HARVESTED = f"{REVIEWS}harvested/"
ROUNDS = f"{REVIEWS}rounds/"
WATERMARK = f"{REVIEWS}watermark.json"

EPOCH = datetime(2019, 1, 1, tzinfo=UTC)
"""Before the first review that can be: A2I is younger."""
PROBES = 5
"""Other images that are read where S3 refuses one, to see whether only that image is refused."""
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def ledger_key(chunk: str) -> str:
    """Give the key of a chunk of the ledger; a chunk's name begins with its day."""
    return f"{HARVESTED}{chunk[:10]}/{chunk}.jsonl"


def read_ledger(store: S3Store, since: date | None = None) -> Iterator[LineFile]:
    """Read the ledger from a day on, or from its beginning: one call for each file of some dozens of lines."""
    return read_files(store, (key for keys in list_ledger(store, since) for key in keys))


def list_ledger(store: S3Store, since: date | None = None) -> Iterator[list[str]]:
    """List the files of the ledger from a day on, or from its beginning, a page at a time."""
    return list_keys(store, HARVESTED, f"{HARVESTED}{since}" if since else None)


def read_chunk(store: S3Store, chunk: str) -> list[HarvestedReview]:
    """Read a chunk of the ledger; empty if it has none of this name."""
    file = read_lines(store, ledger_key(chunk))
    return [from_json(HarvestedReview, line) for line in file.records] if file else []


def write_ledger(store: S3Store, chunk: str, harvested: Sequence[HarvestedReview]) -> Sequence[HarvestedReview]:
    """Write a chunk into the ledger, once; from now on its reviews are dealt with.

    :return: what the ledger has, which is what the first writer wrote.
    """
    from botocore.exceptions import ClientError

    lines = [to_json(one) for one in harvested]
    try:
        write_lines(store, ledger_key(chunk), lines, IfNoneMatch="*", expect=CHANGED)
    except ClientError:
        return read_chunk(store, chunk) or harvested
    return harvested


def write_reviewed(store: S3Store, chunk: str, harvested: Sequence[HarvestedReview]) -> None:
    """Write what people say about the images of a chunk that were copied, for snapshots to read."""
    lines = [reviewed_line(one) for one in harvested if one.review_outcome is ReviewOutcome.COPIED]
    if given := [line for line in lines if line is not None]:
        write_lines(store, reviewed_lines_key(chunk), given)


def earlier_answers(store: S3Store, request: ReviewRequest) -> tuple[AnyAnswer, ...]:
    """Read the answers of all earlier rounds about an image; there are none before the first."""
    if request.round == 1:
        return ()
    value, _ = store.read_json(_round_key(in_round(request.name, request.round - 1)))
    return from_json(tuple[AnyAnswer, ...], (value or {}).get("answers", []))


def save_answers(store: S3Store, harvested: HarvestedReview) -> None:
    """Save the answers so far for the next round; they are not in its request, which the backend shows to people."""
    round_ = harvested.request.round if harvested.request else 1
    answers = [to_json(answer) for answer in harvested.answers]
    store.write_json(_round_key(in_round(harvested.review, round_)), {"answers": answers})


def _round_key(review: str) -> str:
    return f"{ROUNDS}{review}.json"


def copy_image(store: S3Store, harvested: HarvestedReview) -> HarvestedReview:
    """Copy an image to where its label puts it, if it is still the one that people saw; give what became of it.

    Its tags stay behind, since a lifecycle rule may go by them. A training image whose label people corrected is moved.

    :raises StorageError: S3 refused for a reason that is not the image's.
    """
    request, target = harvested.request, harvested.target
    if request is None or target is None:
        return harvested
    if request.purpose is Purpose.LABEL:
        return _correct(store, harvested, request, target)
    return _copy(store, harvested, request, target)


def _correct(store: S3Store, harvested: HarvestedReview, request: ReviewRequest, target: str) -> HarvestedReview:
    """Let what people say of a training image count in place of its label.

    An image with annotations stays where it is, and gets a newer line. One in a label's folder is copied to the folder
    of the other label, and then moved aside: where a try was killed in between, the next one finds the copy.
    """
    if target == request.key:
        is_there = store.has_etag(request.key, request.etag)
        outcome = ReviewOutcome.COPIED if is_there else ReviewOutcome.REPLACED
        return replace(harvested, review_outcome=outcome, target=target if is_there else None)
    copied = _copy(store, harvested, request, target)
    if copied.review_outcome is ReviewOutcome.GONE and store.exists(target):
        return replace(harvested, review_outcome=ReviewOutcome.COPIED)
    if copied.review_outcome is ReviewOutcome.COPIED:
        aside = f"{REPLACED_IMAGES}{harvested.review}/{request.key.removeprefix(IMAGES)}"
        store.move_if_unchanged(request.key, request.etag, aside)
    return copied


def _copy(store: S3Store, harvested: HarvestedReview, request: ReviewRequest, target: str) -> HarvestedReview:
    from botocore.exceptions import ClientError

    try:
        store.call(
            "copy_object",
            target,
            expect=CHANGED | MISSING | ARCHIVED | DENIED,
            CopySource={"Bucket": store.bucket, "Key": store.key(request.key)},
            CopySourceIfMatch=f'"{request.etag}"',
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
            # The type is replaced along with the metadata; to ask for it would cost a call an image.
            ContentType=_content_type(request.key),
            Metadata=copy_metadata(harvested),
        )
    except ClientError as error:
        outcome, why = _why_not_copied(store, request.key, error)
        return replace(harvested, review_outcome=outcome, reason=f"{harvested.reason}, but {why}", target=None)
    return replace(harvested, review_outcome=ReviewOutcome.COPIED)


def _why_not_copied(store: S3Store, key: str, error: Any) -> tuple[ReviewOutcome, str]:
    """Find out why S3 does not copy an image.

    :raises StorageError: S3 refused for a reason that is not the image's.
    """
    code = error_code(error)
    if code in CHANGED:
        return ReviewOutcome.REPLACED, "the image was replaced since"
    if code in DENIED:
        refusal = store.explain("copy_object", key, error)
        if not _is_refused_alone(store, key):
            raise refusal from error
        return ReviewOutcome.GONE, f"the image cannot be read: {refusal}"
    return ReviewOutcome.GONE, f"the image was {'archived' if code in ARCHIVED else 'deleted'} since"


def _is_refused_alone(store: S3Store, key: str) -> bool:
    """Whether S3 refuses to give one image, while it gives others beside it: then no permission is missing.

    Where none can be read, or this one can and the copy is refused, nothing may be decided about single images.
    """
    if _can_be_read(store, key):
        return False
    others = (other for page in list_keys(store, f"{key.rpartition('/')[0]}/") for other in page if other != key)
    return any(_can_be_read(store, other) for other in islice(others, PROBES))


def _can_be_read(store: S3Store, key: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        store.read_bytes(key, expect=MISSING | REFUSED | {"InvalidRange"}, Range="bytes=0-0")
    except ClientError as error:
        return error_code(error) == "InvalidRange"
    return True


def _content_type(key: str) -> str:
    return next((kind for ending, kind in _TYPES.items() if key.lower().endswith(ending)), "application/octet-stream")


def read_watermark(store: S3Store) -> Watermark:
    """Read the moment before whose reviews all have been dealt with."""
    value, etag = store.read_json(WATERMARK)
    return Watermark(datetime.fromisoformat(value["created_before"]) if value else None, etag)


def move_watermark(store: S3Store, known: Watermark, moment: datetime) -> None:
    """Move the watermark forward; it never goes back, whoever else moves it at the same time.

    :param known: as it was read.
    """

    def moved(value: Any) -> Any:
        if value and datetime.fromisoformat(value["created_before"]) >= moment:
            return value
        return {"created_before": moment.astimezone(UTC).isoformat()}

    before = {"created_before": known.created_before.isoformat()} if known.created_before else None
    change_json(store, WATERMARK, moved, (before, known.etag))
