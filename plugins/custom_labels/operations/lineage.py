"""Lineage as values: what is known of an image across all versions, and of a version across all its images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.annotations.pixels import in_pixels
from custom_labels.datasets.snapshot_contents import SnapshotImage
from custom_labels.errors import CustomLabelsError
from custom_labels.evaluation.answers import Answer
from custom_labels.evaluation.box_answers import BoxAnswer
from custom_labels.operations.versions import RecordedVersion
from custom_labels.review.harvest import HarvestedReview
from custom_labels.training.retraining import TrainingAttempt


class LineageError(CustomLabelsError):
    """What was asked about is not there."""


# -- the image --------------------------------------------------------------------------------------


class Relation(StrEnum):
    """Why an image belongs to the one that was asked about."""

    ITSELF = "the image itself"
    SOURCE = "the image that it is a copy of"
    COPY = "the copy that was made when people had reviewed it"
    SAME_CONTENT = "the same content under another key"


@dataclass(frozen=True)
class RelatedImage:
    """A key under which something is known of the image.

    :param key: relative to the project's prefix.
    :param etags: the contents that it is known to have had, without quotes, in the order in which they were found.
    """

    key: str
    relation: Relation
    etags: tuple[str, ...] = ()


class OriginKind(StrEnum):
    """Where an image's label comes from."""

    REVIEW = "review"
    IMPORT = "import"
    FOLDER = "folder"
    INBOX = "inbox"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """Where an image and its label come from.

    :param sentence: the same in words.
    :param source: key or URI of what it is a copy of.
    :param by: name of the review or of the import.
    """

    kind: OriginKind
    sentence: str
    source: str = ""
    by: str = ""


@dataclass(frozen=True)
class Present:
    """The object as it is in the bucket now.

    :param last_modified: ISO 8601 in UTC.
    :param review: of a copy that a harvest made: name of the review; likewise the key and the ETag of its source, and
        the day on which the review was opened, ISO 8601. Empty where the object does not say so.
    """

    etag: str
    last_modified: str
    review: str = ""
    source_key: str = ""
    source_etag: str = ""
    asked_at: str = ""

    @classmethod
    def of(cls, etag: str, last_modified: str, metadata: Mapping[str, str]) -> Present:
        """Take it from an object's metadata, as :func:`custom_labels.review.harvest.copy_metadata` writes them."""
        names = ("review", "source-key", "source-etag", "asked-at")
        return cls(etag, last_modified, *(unquote(metadata.get(name, "")) for name in names))


# -- what versions said -----------------------------------------------------------------------------


class Occasion(StrEnum):
    """When a version said something of an image."""

    EVALUATION = "its own evaluation"
    COMPARISON = "as the champion, when a later version was judged"
    DETECTION = "detection"


@dataclass(frozen=True)
class Seen:
    """A label that a version saw, or an object.

    :param confidence: from 0 to 1.
    :param right: whether it is there, as far as that is known.
    :param box: in pixels, of an object whose image's size is known.
    """

    label: str
    confidence: float
    right: bool | None = None
    box: Box | None = None


@dataclass(frozen=True)
class Statement:
    """What a version said of an image, once.

    :param right: whether it saw all that is there and nothing else; ``None`` where nobody knows.
    :param at: when, ISO 8601 in UTC, where that is on record.
    :param detail: what became of it, in words.
    """

    occasion: Occasion
    key: str
    etag: str
    seen: tuple[Seen, ...]
    right: bool | None = None
    at: str = ""
    detail: str = ""


def seen_in(answer: Answer) -> tuple[Seen, ...]:
    """Give what a version predicted of a known image, the surest first."""
    if isinstance(answer, BoxAnswer):
        hits = [(box, True) for _, box in answer.matching.found if box is not None]
        boxes = [*hits, *((box, False) for box in answer.matching.false_alarms)]
        found = [Seen(box.label, box.confidence, right, box) for box, right in boxes]
    else:
        found = [Seen(each.label, each.confidence, each.right) for each in answer.predictions]
    return tuple(sorted(found, key=lambda seen: (-seen.confidence, seen.label)))


def seen_by_labels(labels: Iterable[DetectedLabel], size: ImageSize | None = None) -> tuple[Seen, ...]:
    """Give what a version answered of an image of which it is not known what it shows.

    :param size: of the upright picture, by which boxes are given in pixels; without it they are not given.
    """
    return tuple(
        Seen(each.name, each.confidence / 100, None, in_pixels(each, size) if size is not None else None)
        for each in labels
    )


# -- versions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VersionSummary:
    """A version in short.

    :param digest: of its snapshot; ``as_of`` is up to when that saw images, ISO 8601 in UTC.
    :param run: that began its training, as ``dag_id/run_id``.
    :param attempt: how far the training of the snapshot came, with the reason; empty where that is not on record, or
        where a later version was trained on the same snapshot.
    :param measured: F1 and numbers of images, in words.
    :param gate: ``passed`` or ``refused`` and why; empty where it was not judged.
    :param headline: both versions' values of the headline metric, in words.
    :param champion: name of the version that it was judged against.
    """

    name: str
    digest: str = ""
    as_of: str = ""
    run: str = ""
    attempt: str = ""
    status: str = ""
    measured: str = ""
    gate: str = ""
    headline: str = ""
    champion: str = ""
    serves_since: str = ""
    deleted_at: str = ""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What is on record of it, with names for people."""
        facts = (
            ("Trained by", self.run),
            ("Attempt", self.attempt),
            ("Status", self.status),
            ("Snapshot", self.digest),
            ("Images as of", self.as_of),
            ("Measured", self.measured),
            ("Gates", self.gate),
            ("Compared", self.headline),
            ("Judged against", self.champion),
            ("Serves since", self.serves_since),
            ("Deleted at AWS", self.deleted_at),
        )
        return tuple((name, value) for name, value in facts if value)


def summarize(name: str, record: RecordedVersion, attempts: Iterable[TrainingAttempt]) -> VersionSummary:
    """Put together what is on record of a version.

    :param attempts: those of all snapshots.
    """
    attempt = next((each for each in attempts if each.version_name == name), None)
    how = f"{attempt.state}: {attempt.detail}" if attempt and attempt.detail else attempt.state if attempt else ""
    gate = record.gate
    return VersionSummary(
        name,
        digest=record.digest or "",
        as_of=record.as_of or "",
        run=record.begun_by or (attempt.run if attempt else ""),
        attempt=how,
        status=record.status or "",
        measured=record.evaluation.sentence if record.evaluation else "",
        gate=f"{'passed' if gate.passed else 'refused'}: {gate.reason}" if gate else "",
        headline=gate.headline if gate else "",
        champion=version_of_arn(gate.champion_arn) if gate and gate.champion_arn else "",
        serves_since=record.serves_since or "",
        deleted_at=record.deleted_at.isoformat() if record.deleted_at else "",
    )


def version_of_arn(arn: str) -> str:
    """Give a version's name out of its ARN, ``...:project/<project>/version/<name>/<number>``."""
    parts = arn.split("/")
    return parts[3] if len(parts) > 3 else arn


@dataclass(frozen=True)
class VersionUse:
    """What an image and a version have to do with each other.

    :param images: the image as the version's snapshot has it; several where several of its keys are there.
    :param statements: what the version said of it.
    """

    version: VersionSummary
    images: tuple[SnapshotImage, ...] = ()
    statements: tuple[Statement, ...] = ()


# -- the whole --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ImageLineage:
    """All that is known of an image.

    :param key: as it was asked about, relative to the project's prefix; ``etag`` is the content, ``None`` for all.
    :param present: the object now, ``None`` where it is gone.
    :param unusable: why the last check of images left it out, in words; empty where it did not.
    :param related: the image's keys, itself first.
    :param uri: ``s3://`` URI of the key.
    :param versions: the newest first; only those that had it or said something of it.
    :param inspected: how many versions were looked at, of ``on_record`` ones.
    :param reviews: of the image, in the order in which they were harvested.
    :param troubles: what could not be read, in words; the rest is complete.
    """

    project: str
    uri: str
    key: str
    etag: str | None
    present: Present | None
    origin: Origin
    unusable: str
    related: tuple[RelatedImage, ...]
    versions: tuple[VersionUse, ...]
    reviews: tuple[HarvestedReview, ...]
    inspected: int
    on_record: int
    troubles: tuple[str, ...] = ()

    def require_known(self) -> None:
        """Stop where nothing at all is known of it.

        :raises LineageError: it is so.
        """
        if not (self.present or self.versions or self.reviews or self.unusable):
            also = "".join(f" {trouble}" for trouble in self.troubles)
            raise LineageError(
                f"Nothing is known of {self.uri!a}: there is no such object, none of {self.inspected} versions had it, "
                f"and nobody reviewed it. Name an image by its key below the project's prefix, or by its s3:// "
                f"URI.{also}"
            )


@dataclass(frozen=True)
class VersionImage:
    """An image of a version.

    :param seen: what the version predicted of it; ``None`` where no answer is on record.
    :param right: whether that is all that is there and nothing else.
    """

    image: SnapshotImage
    seen: tuple[Seen, ...] | None = None
    right: bool | None = None


class Show(StrEnum):
    """Which images of a version are shown."""

    ALL = "all"
    TRAIN = "train"
    TEST = "test"
    WRONG = "wrong"


@dataclass(frozen=True)
class VersionLineage:
    """A version and how many images it has.

    :param counts: images by :class:`Show`, and of ``TEST`` those that it answered rightly as ``right``.
    """

    project: str
    version: VersionSummary
    counts: Mapping[str, int] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
