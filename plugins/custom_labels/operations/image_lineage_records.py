"""The lineage of an image as it is looked up in S3, across all versions. Nothing is written.

What is read, and what that costs, is in ``docs/lineage.md``. An object that is gone or damaged is named among the
troubles, and everything else is given.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from custom_labels.core.codec import from_json
from custom_labels.core.keys import CHECKS, IMAGES, INBOX, MAXIMUM_KEY_BYTES, NONE_FITS, REVIEWED_IMAGES, result_stem
from custom_labels.core.names import review_subject
from custom_labels.core.registry import VERSIONS, Registry
from custom_labels.core.settings import Project
from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.snapshot_contents import CheckedImages, SnapshotContents, SnapshotImage
from custom_labels.datasets.snapshot_records import fetch_snapshot
from custom_labels.datasets.split import Subset, position
from custom_labels.detection.detection import Detection
from custom_labels.evaluation.answers import Answer, ChampionAnswer
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.operations.lineage import (
    ImageLineage,
    LineageError,
    Occasion,
    Origin,
    OriginKind,
    Present,
    RelatedImage,
    Relation,
    Statement,
    VersionSummary,
    VersionUse,
    seen_by_labels,
    seen_in,
    summarize,
)
from custom_labels.operations.lineage_records import (
    UNREADABLE,
    Troubles,
    read_answers,
    unreadable_snapshot,
)
from custom_labels.operations.origin_records import find_origin
from custom_labels.operations.versions import RecordedVersion
from custom_labels.review.harvest import HarvestedReview
from custom_labels.review.harvest_records import read_ledger
from custom_labels.s3.errors import DENIED, MISSING, StorageError, error_code
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.store import S3Store
from custom_labels.training.training_records import read_trainings

_COPIES = (IMAGES, REVIEWED_IMAGES, NONE_FITS)
_MD5 = re.compile(r"[0-9a-f]{32}")


def relative_key(store: S3Store, image: str) -> str:
    """Give the key of an image, relative to the project's prefix.

    :param image: such a key, or an ``s3://`` URI.
    :raises LineageError: it is no key, or one that is elsewhere.
    """
    key = image.removeprefix(store.uri()) if image.startswith("s3://") else image
    if key.startswith("s3://"):
        raise LineageError(
            f"The image is {image!a}, which is not in the project's place, {store.uri()}. Name one that is there."
        )
    if not key or len(store.key(key).encode(errors="replace")) > MAXIMUM_KEY_BYTES or not _is_text(key):
        raise LineageError(
            f"The image is {image[:80]!a}: expected the key of an object below {store.uri()}, or its s3:// URI. "
            "Name one."
        )
    return key


def _is_text(key: str) -> bool:
    """Whether a key can be written in UTF-8 and holds no null, as S3's keys."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in key


def image_lineage(
    store: S3Store, project: Project, key: str, etag: str | None = None, newest: int | None = None
) -> ImageLineage:
    """Look up an image.

    Its contents are known by what the bucket has now, by detections and reviews, and by the snapshots, which are gone
    through from the oldest on. So a copy or a renamed image is found under its other keys, as long as their content was
    seen under this key before, or is there now.

    :param key: relative to the project's prefix.
    :param etag: of the one content that is meant, without quotes; all without it.
    :param newest: look at so many versions only, from the newest on; at all without it.
    :raises StorageError: S3 refused, or a record of a version is damaged.
    """
    return _ImageLookup(store, project, key, etag.strip('"') if etag else None).run(newest)


class _Known:
    """The keys and contents by which the image is known so far."""

    def __init__(self, key: str, etag: str | None) -> None:
        self.key = key
        self.etag = etag
        self.relations: dict[str, Relation] = {}
        self.etags: dict[str, list[str]] = {}
        self.positions: set[str] = set()

    def is_meant(self, key: str, etag: str) -> bool:
        """Whether a content of a key is the one that was asked about."""
        return self.etag is None or key != self.key or etag == self.etag

    def add(self, key: str, relation: Relation, etag: str = "") -> None:
        """Note a key, and a content that it had."""
        self.relations.setdefault(key, relation)
        etags = self.etags.setdefault(key, [])
        if etag and etag not in etags:
            etags.append(etag)
        if _MD5.fullmatch(etag):  # an ETag that is no MD5 gives a position that nothing has
            self.positions.add(position(etag))

    @property
    def names(self) -> list[str]:
        """Keys and positions, which are different things and never the same."""
        return [*self.relations, *self.positions]

    @property
    def related(self) -> tuple[RelatedImage, ...]:
        """All of it, the image itself first."""
        return tuple(RelatedImage(key, how, tuple(self.etags[key])) for key, how in self.relations.items())


class _ImageLookup:
    def __init__(self, store: S3Store, project: Project, key: str, etag: str | None) -> None:
        self.store = store
        self.project = project
        self.key = key
        self.troubles = Troubles()
        self.known = _Known(key, etag)
        self.statements: dict[str, list[Statement]] = {}
        self.since: list[date] = []

    def run(self, newest: int | None) -> ImageLineage:
        self.known.add(self.key, Relation.ITSELF, self.known.etag or "")
        present = self._present()
        reviews = self._reviews(present)
        unusable = self._unusable()
        versions = list(Registry(self.store).versions(RecordedVersion, newest))
        uses = self._uses(versions)
        return ImageLineage(
            self.project.name,
            self.store.uri(self.key),
            self.key,
            self.known.etag,
            present,
            self._origin(present, reviews),
            unusable,
            self.known.related,
            uses,
            reviews,
            len(versions),
            sum(len(keys) for keys in list_keys(self.store, VERSIONS)) if newest else len(versions),
            tuple(self.troubles.found),
        )

    def _origin(self, present: Present | None, reviews: Sequence[HarvestedReview]) -> Origin:
        try:
            return find_origin(self.store, self.project.task, self.key, present, reviews)
        except (StorageError, ValidationError) as error:
            self.troubles.add(f"Where the image comes from is not known: {error}")
            return Origin(OriginKind.UNKNOWN, "not known: what says so cannot be read")

    # -- the object, its detections and reviews --------------------------------------------------------

    def _present(self) -> Present | None:
        from botocore.exceptions import ClientError

        try:
            answer = self.store.call("head_object", self.key, expect=MISSING | DENIED)
        except ClientError as error:
            if error_code(error) in DENIED:
                self.troubles.add(str(self.store.explain("head_object", self.key, error)))
            return None
        moment = answer["LastModified"].astimezone(UTC).isoformat(timespec="seconds")
        present = Present.of(str(answer["ETag"]).strip('"'), moment, answer["Metadata"])
        if self.known.is_meant(self.key, present.etag):
            self.known.add(self.key, Relation.ITSELF, present.etag)
        if present.source_key:
            self.known.add(present.source_key, Relation.SOURCE, present.source_etag)
        return present

    def _reviews(self, present: Present | None) -> tuple[HarvestedReview, ...]:
        """Find the reviews, and by them the copies or the source; the detections before them say since when to look."""
        asked = set(self.known.relations)
        for key in asked:
            self._add_detections(key)
        if present and (day := _day(present.asked_at)):
            self.since.append(day)
        subject = PurePosixPath(self.key).stem if self.key.startswith(_COPIES) else None
        found = [each for each in self._ledger() if self._is_about(each, subject)]
        for review in found:
            if review.request is not None:
                self.known.add(review.request.key, Relation.SOURCE, review.request.etag)
            if review.target is not None:
                self.known.add(review.target, Relation.COPY)
        for key in set(self.known.relations) - asked:
            self._add_detections(key)
        return tuple(found)

    def _ledger(self) -> Iterator[HarvestedReview]:
        try:
            for file in read_ledger(self.store, min(self.since, default=None)):
                yield from (from_json(HarvestedReview, line) for line in file.records)
        except (StorageError, ValidationError) as error:
            self.troubles.add(f"The ledger of reviews cannot be read to its end: {error}")

    def _is_about(self, review: HarvestedReview, subject: str | None) -> bool:
        if review.target == self.key or (subject and review_subject(review.review) == subject):
            return True
        request = review.request
        return (
            request is not None
            and request.key in self.known.relations
            and self.known.is_meant(request.key, request.etag)
        )

    def _add_detections(self, key: str) -> None:
        if not key.startswith(INBOX):
            return
        stem = result_stem(key)
        for keys in list_keys(self.store, stem):
            for each in keys:
                if each.removeprefix(stem).count("/") == 1:
                    self._add_detection(each, key)

    def _add_detection(self, place: str, key: str) -> None:
        try:
            value, _ = self.store.read_json(place)
            detection = from_json(Detection, value)
        except (StorageError, ValidationError) as error:
            self.troubles.add(f"The result {self.store.uri(place)} cannot be read: {error}")
            return
        if detection.key != key or not self.known.is_meant(key, detection.etag):
            return
        self.known.add(key, Relation.ITSELF, detection.etag)
        if day := _day(detection.detected_at):
            self.since.append(day)
        became = f"{detection.decision}: {detection.reason}"
        statement = Statement(
            Occasion.DETECTION,
            key,
            detection.etag,
            seen_by_labels(detection.labels, detection.size),
            None,
            detection.detected_at,
            became,
        )
        self.statements.setdefault(detection.version_name, []).append(statement)

    # -- what the last check of images found -----------------------------------------------------------

    def _unusable(self) -> str:
        """Say why the image is in no snapshot now; by the way, learn its positions and its other keys."""
        try:
            with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
                path = Path(folder) / "checks.sqlite"
                if not self.store.download(CHECKS, path):
                    return ""
                with CheckedImages(path) as images:
                    found = images.holding(self.known.names)
        except UNREADABLE as error:
            self.troubles.add(f"What the last check of images found, {self.store.uri(CHECKS)}, cannot be read: {error}")
            return ""
        why = ""
        for image in found:
            if self.known.is_meant(image.key, image.etag):
                self.known.add(image.key, Relation.SAME_CONTENT, image.etag)
                self.known.positions.update([image.position] if image.position else [])
                why = _reason(image.reason) if image.key == self.key and image.reason else why
        return why

    # -- versions --------------------------------------------------------------------------------------

    def _uses(self, versions: Sequence[tuple[str, RecordedVersion]]) -> tuple[VersionUse, ...]:
        attempts = read_trainings(self.store).every
        snapshots: dict[str, list[SnapshotImage] | None] = {}
        for name, record in versions:
            digest = record.digest or ""
            if digest and digest not in snapshots:
                snapshots[digest] = self._in_snapshot(digest)
            self._add_answers(name, record, snapshots.get(digest))
        summaries = {name: summarize(name, record, attempts) for name, record in versions}
        summaries |= {name: VersionSummary(name) for name in self.statements if name not in summaries}
        uses = (
            VersionUse(summary, tuple(snapshots.get(summary.digest) or ()), tuple(self.statements.get(name, ())))
            for name, summary in sorted(summaries.items(), reverse=True)
        )
        return tuple(use for use in uses if use.images or use.statements)

    def _in_snapshot(self, digest: str) -> list[SnapshotImage] | None:
        """Find the image in a snapshot, ``None`` where that cannot be read."""
        try:
            with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
                snapshot = fetch_snapshot(self.store, digest, Path(folder))
                with SnapshotContents(snapshot.path, snapshot.header, self.store.uri()) as contents:
                    found = contents.holding(self.known.names)
        except UNREADABLE as error:
            self.troubles.add(unreadable_snapshot(self.store, digest, error))
            return None
        meant = [image for image in found if self.known.is_meant(image.key, image.etag)]
        for image in meant:
            self.known.add(image.key, Relation.SAME_CONTENT, image.etag)
            self.known.positions.add(image.position)
        return meant

    def _add_answers(self, name: str, record: RecordedVersion, images: Sequence[SnapshotImage] | None) -> None:
        """Note what a version said of the image when it was evaluated, and what the champion said then."""
        if images is None:  # the snapshot cannot be read: any of its keys may have been among the test images
            etags = {self.store.uri(key): "" for key in self.known.relations}
        else:
            etags = {self.store.uri(image.key): image.etag for image in images if image.subset is Subset.TEST}
        if not etags:
            return
        answers = {
            each.image: each for each in read_answers(self.store, self.project, name, record, self.troubles, etags)
        }
        for uri, answer in answers.items():
            shows = ", ".join(answer.actual_labels) or "none of the labels"
            statement = Statement(
                Occasion.EVALUATION,
                uri.removeprefix(self.store.uri()),
                etags[uri],
                seen_in(answer),
                answer.right,
                record.trained_at.isoformat() if record.trained_at else "",
                f"the image shows {shows}",
            )
            self.statements.setdefault(name, []).append(statement)
        if record.gate is not None and record.gate.champion_arn:
            self._add_champion(name, answers)

    def _add_champion(self, challenger: str, answers: dict[str, Answer]) -> None:
        try:
            for champion, given in Decisions(self.store, challenger).all_answers():
                uri = self.store.uri(given.key)
                if given.key in self.known.relations and self.known.is_meant(given.key, given.etag):
                    self.statements.setdefault(champion, []).append(_compared(challenger, given, answers.get(uri)))
        except (StorageError, ValidationError) as error:
            self.troubles.add(f"What the champion said when {challenger} was judged cannot be read: {error}")


def _compared(challenger: str, given: ChampionAnswer, answer: Answer | None) -> Statement:
    """Say what the champion answered about a test image of its challenger."""
    occasion, when = Occasion.COMPARISON, f"asked when {challenger} was judged"
    if given.why_not:
        return Statement(occasion, given.key, given.etag, (), None, "", f"{when}: {given.why_not}")
    if answer is None:
        return Statement(occasion, given.key, given.etag, seen_by_labels(given.labels), None, "", when)
    judged = answer.predicted_as(given.labels)
    return Statement(occasion, given.key, given.etag, seen_in(judged), judged.right, "", when)


def _reason(name: str) -> str:
    return LeftOut[name].value if name in LeftOut.__members__ else name


def _day(moment: str) -> date | None:
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).date()
    except ValueError:
        return None
