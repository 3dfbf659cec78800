"""The harvest in S3: the ledger of reviews that have ended, what is being harvested, and the copies of images.

``reviews/harvested/<YYYY-MM-DD>/<chunk>.jsonl``, the ledger, has a line for each review whose end was dealt with. While
a chunk of reviews is dealt with, ``reviews/unfinished/<chunk>.jsonl`` holds what was decided about them, so that a run
after a crash carries out the same. ``reviews/rounds/<review>.json`` has the answers about an image up to a round that
did not decide, for the next. ``reviews/watermark.json`` says before when all reviews have been dealt with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.core.names import in_round
from custom_labels.review.harvest import HarvestedReview, ReviewOutcome, copy_metadata
from custom_labels.review.review import ReviewAnswer, ReviewRequest
from custom_labels.s3.changes import change_json
from custom_labels.s3.errors import ARCHIVED, CHANGED, DENIED, MISSING, REFUSED, error_code
from custom_labels.s3.line_files import LineFile, list_keys, read_folder, read_lines, write_lines
from custom_labels.s3.store import S3Store

HARVESTED = f"{REVIEWS}harvested/"
UNFINISHED = f"{REVIEWS}unfinished/"
ROUNDS = f"{REVIEWS}rounds/"
WATERMARK = f"{REVIEWS}watermark.json"

EPOCH = datetime(2019, 1, 1, tzinfo=UTC)
"""Before the first review that can be: A2I is younger."""
PROBES = 5
"""Other images that are read where S3 refuses one, to tell whose trouble it is."""
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


# -- the ledger ------------------------------------------------------------------------------------


def ledger_key(chunk: str) -> str:
    """Give the place of a chunk in the ledger; a chunk's name begins with its day."""
    return f"{HARVESTED}{chunk[:10]}/{chunk}.jsonl"


def read_ledger(store: S3Store, since: date | None = None, until: date | None = None) -> Iterator[LineFile]:
    """Read the ledger from a day on: one call a day, and one for each file of some dozens of lines.

    :param since: ``None`` for its beginning.
    :param until: its last day.
    """
    if since is None or until is None:
        yield from read_folder(store, HARVESTED)
        return
    for number in range((until - since).days + 1):
        yield from read_folder(store, f"{HARVESTED}{since + timedelta(days=number)}/")


def chunks_in_ledger(store: S3Store, batch: str) -> set[str]:
    """Find the chunks of a batch that the ledger has."""
    return _names(store, f"{HARVESTED}{batch[:10]}/{batch}-")


def read_chunk(store: S3Store, chunk: str) -> list[HarvestedReview]:
    """Read a chunk of the ledger; empty if it has none of this name."""
    file = read_lines(store, ledger_key(chunk))
    return [from_json(HarvestedReview, line) for line in file.records] if file else []


def write_ledger(store: S3Store, chunk: str, harvested: Iterable[HarvestedReview]) -> None:
    """Write a chunk into the ledger; from now on its reviews are dealt with."""
    write_lines(store, ledger_key(chunk), (to_json(one) for one in harvested))


# -- chunks that are being harvested ---------------------------------------------------------------


def unfinished_chunks(store: S3Store, batch: str | None = None) -> set[str]:
    """Find the chunks that were decided and not seen to their end, of one batch or of all."""
    return _names(store, f"{UNFINISHED}{batch}-" if batch else UNFINISHED)


def write_unfinished(store: S3Store, chunk: str, decided: Iterable[HarvestedReview]) -> None:
    """Write what was decided about a chunk, before anything of it is carried out."""
    write_lines(store, _unfinished_key(chunk), (to_json(one) for one in decided))


def read_unfinished(store: S3Store, chunk: str) -> list[HarvestedReview] | None:
    """Read what was decided about a chunk; ``None`` if it is finished by now."""
    file = read_lines(store, _unfinished_key(chunk))
    return None if file is None else [from_json(HarvestedReview, line) for line in file.records]


def delete_unfinished(store: S3Store, chunk: str) -> None:
    """Forget a chunk that is in the ledger."""
    store.call("delete_object", _unfinished_key(chunk))


# -- rounds ----------------------------------------------------------------------------------------


def earlier_answers(store: S3Store, request: ReviewRequest) -> tuple[ReviewAnswer, ...]:
    """Read the answers of all earlier rounds about an image; there are none before the first."""
    if request.round == 1:
        return ()
    value, _ = store.read_json(_round_key(in_round(request.name, request.round - 1)))
    return tuple(ReviewAnswer(**answer) for answer in (value or {}).get("answers", []))


def save_answers(store: S3Store, harvested: HarvestedReview) -> None:
    """Keep the answers so far for the next round; they are not in its request, which the backend shows to people."""
    round_ = harvested.request.round if harvested.request else 1
    store.write_json(
        _round_key(in_round(harvested.review, round_)), {"answers": [asdict(answer) for answer in harvested.answers]}
    )


# -- images ----------------------------------------------------------------------------------------


def copy_image(store: S3Store, harvested: HarvestedReview) -> HarvestedReview:
    """Copy an image to where its label puts it, if it is still the one that people saw; give what became of it.

    Its tags stay behind, since they may say how long it is kept.

    :raises StorageError: S3 refused for a reason that is not the image's.
    """
    from botocore.exceptions import ClientError

    request, target = harvested.request, harvested.target
    if request is None or target is None:
        return harvested
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
        if error_code(error) in CHANGED:
            return _not_copied(harvested, ReviewOutcome.REPLACED, "the image was replaced since")
        if error_code(error) in DENIED:
            refusal = store.explain("copy_object", request.key, error)
            if not _is_refused_alone(store, request.key):
                raise refusal from error
            return _not_copied(harvested, ReviewOutcome.GONE, f"the image cannot be read: {refusal}")
        what = "archived" if error_code(error) in ARCHIVED else "deleted"
        return _not_copied(harvested, ReviewOutcome.GONE, f"the image was {what} since")
    return replace(harvested, review_outcome=ReviewOutcome.COPIED)


def _is_refused_alone(store: S3Store, key: str) -> bool:
    """Say whether S3 refuses to give one image, while it gives others beside it: then nobody's permission is at fault.

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


def _not_copied(harvested: HarvestedReview, review_outcome: ReviewOutcome, why: str) -> HarvestedReview:
    return replace(harvested, review_outcome=review_outcome, reason=f"{harvested.reason}, but {why}", target=None)


def _content_type(key: str) -> str:
    return next((kind for ending, kind in _TYPES.items() if key.lower().endswith(ending)), "application/octet-stream")


# -- the watermark ---------------------------------------------------------------------------------


def read_watermark(store: S3Store) -> datetime | None:
    """Read the moment before whose reviews all have been dealt with; ``None`` before the first harvest."""
    value, _ = store.read_json(WATERMARK)
    return datetime.fromisoformat(value["created_before"]) if value else None


def move_watermark(store: S3Store, moment: datetime) -> None:
    """Move the watermark forward; it never goes back, whoever else moves it at the same time."""
    new = {"created_before": moment.astimezone(UTC).isoformat()}
    change_json(
        store,
        WATERMARK,
        lambda value: value if value and datetime.fromisoformat(value["created_before"]) >= moment else new,
    )


# -- helpers ---------------------------------------------------------------------------------------


def _names(store: S3Store, prefix: str) -> set[str]:
    """Give the names of the files whose keys begin so."""
    return {key.rpartition("/")[2].removesuffix(".jsonl") for keys in list_keys(store, prefix) for key in keys}


def _unfinished_key(chunk: str) -> str:
    return f"{UNFINISHED}{chunk}.jsonl"


def _round_key(review: str) -> str:
    return f"{ROUNDS}{review}.json"
