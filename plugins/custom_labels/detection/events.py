"""What a message of a queue says about images: S3's events, as they come directly, through SNS or EventBridge."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus

from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.keys import INBOX, may_be_image

WRAPPERS_AT_MOST = 3
"""SNS to SQS is one wrapper, EventBridge to SNS to SQS two; deeper than this nobody goes."""


class PassedOver(StrEnum):
    """Why an object or an event is not put to a version; nothing is wrong with it. The values are for people."""

    TEST_EVENT = "Test events of S3"
    OTHER_EVENT = "Events that announce no object"
    FOLDER_MARKER = "Folder markers"
    NOT_AN_IMAGE = "Files of another kind by their names"
    OUTSIDE = "Objects outside the inbox"

    @property
    def is_news(self) -> bool:
        """Whether a run has to count it: what lies in the inbox is somebody's, however it is named."""
        return self is PassedOver.NOT_AN_IMAGE


@dataclass(frozen=True)
class Announcement:
    """An image that was put into the inbox.

    :param order: sorts the announcements of one key by the order of their events; empty where the event has none.
    """

    image: InferenceImage
    order: str = ""


@dataclass(frozen=True)
class Announced:
    """What one message says.

    :param announcements: the images that it announces.
    :param passed_over: how many of its records announce none, by the reason, and ``examples`` of them.
    :param trouble: what is wrong with the message, ``None`` if nothing: a person should see it.
    """

    announcements: tuple[Announcement, ...] = ()
    passed_over: Mapping[PassedOver, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    trouble: str | None = None

    @property
    def is_news(self) -> bool:
        """Whether a run has to see the message: it announces an image, has to be counted, or is trouble.

        The project's own writes are no news, which a bucket announces too whose notification has no prefix.
        """
        return bool(self.announcements or self.trouble or any(reason.is_news for reason in self.passed_over))


class _NotUnderstood(Exception):
    """Why a body or a record is no event of S3."""


def read_event(body: str, *, bucket: str, prefix: str) -> Announced:
    """Read the body of a message.

    Any kind of ``ObjectCreated`` announces an image: Put, Post, Copy and CompleteMultipartUpload. The key in an event
    of S3 is URL-encoded, a space as a plus sign (S3 User Guide, event message structure); in one of EventBridge it is
    not.

    :param bucket: the project's bucket, ``prefix`` what its keys begin with. Objects elsewhere in the bucket are passed
        over, those of other buckets are trouble.
    """
    announcements: list[Announcement] = []
    passed_over: list[tuple[PassedOver, str]] = []
    try:
        for record in _records(body):
            found = _read_record(record, bucket, prefix)
            if isinstance(found, Announcement):
                announcements.append(found)
            else:
                passed_over.append(found)
    except _NotUnderstood as error:
        return Announced(trouble=str(error))
    counts = Counter(reason for reason, _ in passed_over)
    return Announced(tuple(announcements), counts, tuple(f"{reason}: {words}" for reason, words in passed_over))


def is_news(body: str, *, bucket: str, prefix: str, of_images: bool) -> bool:
    """Say whether a run has to see a message of one of the project's queues.

    :param of_images: whether it is of the queue that announces images; else of one to which S3 has nothing to say.
    """
    read = read_event(body, bucket=bucket, prefix=prefix)
    return read.is_news if of_images else read.trouble is not None


@dataclass(frozen=True)
class _Record:
    """A record of either kind, with the key decoded.

    :param kind: as S3 names it, such as ``ObjectCreated:Put``.
    """

    kind: str
    bucket: str
    key: str
    etag: str
    size: int | None
    sequencer: str


def _records(body: str) -> Iterator[_Record | None]:
    """Find the records of a message; ``None`` is the test event, which S3 sends when notifications are set up."""
    value: Any = body
    for _ in range(WRAPPERS_AT_MOST):
        value = _parse(value)
        if value.get("Event") == "s3:TestEvent":
            yield None
            return
        if "Records" in value:
            yield from map(_s3_record, _list(value["Records"]))
            return
        if value.get("source") == "aws.s3" and "detail" in value:
            yield _bridge_record(value)
            return
        if "Message" not in value:
            break
        value = value["Message"]
    raise _NotUnderstood("the message is no event of S3: it has neither 'Records' nor a 'detail' of source aws.s3")


def _parse(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise _NotUnderstood(f"the message is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise _NotUnderstood(f"the message is JSON of type {type(value).__name__}, where an object was expected")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _NotUnderstood(f"'Records' of the message is of type {type(value).__name__}, where a list was expected")
    return value


def _s3_record(record: Any) -> _Record:
    try:
        if record["eventSource"] != "aws:s3":
            raise _NotUnderstood(f"a record of the message is of '{record['eventSource']}', not of 'aws:s3'")
        place = record["s3"]["object"]
        return _Record(
            kind=str(record["eventName"]).removeprefix("s3:"),
            bucket=record["s3"]["bucket"]["name"],
            key=unquote_plus(place["key"], errors="strict"),
            etag=str(place.get("eTag", "")).strip('"'),
            size=place.get("size"),
            sequencer=str(place.get("sequencer", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _incomplete(error) from error


def _bridge_record(value: Mapping[str, Any]) -> _Record:
    try:
        place = value["detail"]["object"]
        kind = {"Object Created": "ObjectCreated", "Object Deleted": "ObjectRemoved"}
        return _Record(
            kind=kind.get(value["detail-type"], str(value["detail-type"])),
            bucket=value["detail"]["bucket"]["name"],
            key=str(place["key"]),
            etag=str(place.get("etag", "")).strip('"'),
            size=place.get("size"),
            sequencer=str(place.get("sequencer", "")),
        )
    except (KeyError, TypeError) as error:
        raise _incomplete(error) from error


def _incomplete(error: Exception) -> _NotUnderstood:
    return _NotUnderstood(f"a record of the message is not as S3 writes them: {type(error).__name__} {error}")


def _read_record(record: _Record | None, bucket: str, prefix: str) -> Announcement | tuple[PassedOver, str]:
    if record is None:
        return PassedOver.TEST_EVENT, bucket
    if record.bucket != bucket:
        raise _NotUnderstood(f"the event is of bucket '{record.bucket}', and the project's is '{bucket}'")
    if not record.key.startswith(f"{prefix}{INBOX}"):
        return PassedOver.OUTSIDE, record.key
    if not record.kind.startswith("ObjectCreated"):
        return PassedOver.OTHER_EVENT, record.kind
    key = record.key.removeprefix(prefix)
    if (reason := why_passed_over(key)) is not None:
        return reason, record.key
    if not record.etag:
        raise _NotUnderstood(f"the event of '{record.key}' has no ETag")
    # S3 writes sequencers as hexadecimal of differing lengths; the shorter ones are padded for a comparison (S3 User
    # Guide, event message structure).
    image = InferenceImage(key, record.etag, is_empty=record.size == 0)
    return Announcement(image, record.sequencer.upper().ljust(64, "0"))


def why_passed_over(key: str) -> PassedOver | None:
    """Say why an object of the inbox is not put to a version, ``None`` if it is. An empty file gets a result, too."""
    if key.endswith("/"):
        return PassedOver.FOLDER_MARKER
    return None if may_be_image(key) else PassedOver.NOT_AN_IMAGE
