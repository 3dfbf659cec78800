"""What a message of a queue announces: S3's events, as they come directly, through SNS or EventBridge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from urllib.parse import unquote_plus

from pydantic import AliasChoices, AliasPath, BaseModel, Field, Json, ValidationError, field_validator

from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.keys import INBOX, may_be_image


class PassedOver(StrEnum):
    """Why an object or an event is passed over, with which nothing is wrong. The values are shown to people."""

    TEST_EVENT = "Test events of S3"
    OTHER_EVENT = "Events that announce no object"
    FOLDER_MARKER = "Folder markers"
    NOT_AN_IMAGE = "Files of another kind by their names"
    OUTSIDE = "Objects outside the inbox"


@dataclass(frozen=True)
class Announcement:
    """An image that was put into the inbox.

    :param order: sorts the announcements of one key by the order of their events; empty where the event has none.
    """

    image: InferenceImage
    order: str = ""


@dataclass(frozen=True)
class Announced:
    """What one message announces.

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
        """Whether a run has to see the message: it announces an image or another file of the inbox, or is trouble.

        The project's own writes are no news, which a bucket announces too whose notification has no prefix.
        """
        return bool(self.announcements or self.trouble or PassedOver.NOT_AN_IMAGE in self.passed_over)


class _Object(BaseModel):
    """What an event is about, as EventBridge writes it; S3 itself does likewise, but for the key."""

    bucket: str = Field(validation_alias=AliasPath("bucket", "name"))
    key: str = Field(validation_alias=AliasPath("object", "key"))
    etag: str = Field("", validation_alias=AliasChoices(AliasPath("object", "eTag"), AliasPath("object", "etag")))
    size: int | None = Field(None, validation_alias=AliasPath("object", "size"))
    sequencer: str = Field("", validation_alias=AliasPath("object", "sequencer"))


class _EncodedObject(_Object):
    @field_validator("key")
    @classmethod
    def _decode(cls, key: str) -> str:
        return unquote_plus(key, errors="strict")


class _Record(BaseModel):
    source: Literal["aws:s3"] = Field(alias="eventSource")
    kind: str = Field(alias="eventName")
    s3: _EncodedObject


class _Message(BaseModel):
    """Any of the messages that announce an object, or the one around it: SNS wraps one, EventBridge and SNS wrap two.

    :param test: the event that S3 sends when notifications are set up.
    """

    test: Literal["s3:TestEvent"] | None = Field(None, alias="Event")
    records: tuple[_Record, ...] | None = Field(None, alias="Records")
    source: Literal["aws.s3"] | None = None
    kind: str = Field("", alias="detail-type")
    detail: _Object | None = None
    wrapped: Json[_Message] | None = Field(None, alias="Message")

    def events(self) -> Iterator[tuple[str, _Object | None]]:
        """Give each event's kind, as S3 names it, and what it is about: nothing for the test event."""
        if self.test:
            yield self.test, None
        elif self.records is not None:
            yield from ((record.kind.removeprefix("s3:"), record.s3) for record in self.records)
        elif self.source and self.kind and self.detail:
            yield _BRIDGE_KINDS.get(self.kind, self.kind), self.detail
        elif self.wrapped:
            yield from self.wrapped.events()
        else:
            raise ValueError("the message is no event of S3: it has neither 'Records' nor a 'detail' of aws.s3")


_BRIDGE_KINDS = {"Object Created": "ObjectCreated", "Object Deleted": "ObjectRemoved"}


def read_event(body: str, *, bucket: str, prefix: str) -> Announced:
    """Read the body of a message.

    Any kind of ``ObjectCreated`` announces an image: Put, Post, Copy and CompleteMultipartUpload. The key in an event
    of S3 is URL-encoded, a space as a plus sign (S3 User Guide, event message structure); in one of EventBridge it is
    not.

    :param bucket: the project's bucket, ``prefix`` what its keys begin with. Objects elsewhere in the bucket are passed
        over, those of other buckets are trouble.
    """
    try:
        events = _Message.model_validate_json(body).events()
        read = [_read_record(kind, found, bucket, prefix) for kind, found in events]
    except ValidationError as error:
        first = error.errors()[0]
        place = f"'{'.'.join(map(str, first['loc']))}': " if first["loc"] else ""
        return Announced(trouble=f"the message is no event as S3 writes them: {place}{first['msg']}")
    except ValueError as error:
        return Announced(trouble=str(error))
    passed_over = [each for each in read if not isinstance(each, Announcement)]
    return Announced(
        tuple(each for each in read if isinstance(each, Announcement)),
        Counter(reason for reason, _ in passed_over),
        tuple(f"{reason}: {words}" for reason, words in passed_over),
    )


def announces_any_below(body: str, folders: tuple[str, ...], *, bucket: str) -> bool:
    """Whether the body of a message announces a new object below one of some folders, each with the project's prefix.

    :param bucket: the project's bucket.
    """
    try:
        events = list(_Message.model_validate_json(body).events())
    except ValueError:
        return False
    return any(
        kind.startswith("ObjectCreated") and found and found.bucket == bucket and found.key.startswith(folders)
        for kind, found in events
    )


def _read_record(kind: str, found: _Object | None, bucket: str, prefix: str) -> Announcement | tuple[PassedOver, str]:
    if found is None:
        return PassedOver.TEST_EVENT, bucket
    if found.bucket != bucket:
        raise ValueError(f"the event is of bucket '{found.bucket}', and the project's is '{bucket}'")
    if not found.key.startswith(f"{prefix}{INBOX}"):
        return PassedOver.OUTSIDE, found.key
    if not kind.startswith("ObjectCreated"):
        return PassedOver.OTHER_EVENT, kind
    key = found.key.removeprefix(prefix)
    if (reason := why_passed_over(key)) is not None:
        return reason, found.key
    etag = found.etag.strip('"')
    if not etag:
        raise ValueError(f"the event of '{found.key}' has no ETag")
    # S3 writes sequencers as hexadecimal of differing lengths; the shorter ones are padded for a comparison (S3 User
    # Guide, event message structure).
    return Announcement(InferenceImage(key, etag, is_empty=found.size == 0), found.sequencer.upper().ljust(64, "0"))


def why_passed_over(key: str) -> PassedOver | None:
    """Decide whether an object of the inbox is passed over, ``None`` if not. An empty file gets a result, too."""
    if key.endswith("/"):
        return PassedOver.FOLDER_MARKER
    return None if may_be_image(key) else PassedOver.NOT_AN_IMAGE
