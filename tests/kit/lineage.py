"""A project of any kind with versions on record: their snapshots are real, what they said is written by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.project_snapshot_records import frozen_project
from custom_labels.datasets.snapshot_contents import SnapshotContents, SnapshotImage
from custom_labels.datasets.split import Subset
from custom_labels.detection.detection import Decision, Detection
from custom_labels.detection.detection_records import save_result
from custom_labels.evaluation.answers import ChampionAnswer
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.judged_record import GateVerdict
from custom_labels.operations.image_lineage_records import image_lineage
from custom_labels.operations.lineage import ImageLineage
from custom_labels.review.harvest import HarvestRules, decide_outcome
from custom_labels.review.harvest_records import copy_image, write_ledger
from custom_labels.review.review import Answered, ReviewAnswer, ReviewState, ReviewStatus
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import SIZE, AnnotatedBucket
from tests.kit.evaluation_lines import boxes_evaluated, labels_evaluated
from tests.kit.pictures import png
from tests.kit.review_requests import request_for
from tests.kit.version_records import evaluation, put_on_record

ONE, SEVERAL, BOXES = (
    ProjectTask.IMAGE_CLASSIFICATION,
    ProjectTask.MULTI_LABEL_CLASSIFICATION,
    ProjectTask.OBJECT_DETECTION,
)
LABELS = ("cat", "dog")
LATER = timedelta(minutes=5)
V1, V2, V3 = (f"animals-2026112{day}T120000-0123456789ab" for day in (1, 2, 3))


def look(lineage: Lineage, key: str, etag: str | None = None, newest: int | None = None) -> ImageLineage:
    """Look up an image."""
    return image_lineage(lineage.store, lineage.project, key, etag, newest)


def versions(found: ImageLineage) -> list[str]:
    """Name the versions that had an image or said something of it."""
    return [use.version.name for use in found.versions]


class Lineage:
    """A project whose versions a test puts on record.

    :param store: the project's bucket and prefix.
    """

    def __init__(self, store: S3Store, task: ProjectTask) -> None:
        self.store = store
        self.task = task
        self.bucket = AnnotatedBucket(store)
        self.project = Project(name="animals", bucket=store.bucket, prefix=store.prefix, task=task)

    # -- images ----------------------------------------------------------------------------------------

    def key(self, label: str, number: int) -> str:
        """Give the key of an image of a label."""
        folder = "images_labeled_by_folder" if self.task is ONE else "images"
        return f"{folder}/{label}/{number:03}.png"

    def put(self, numbers: range, labels: tuple[str, ...] = LABELS) -> list[str]:
        """Put images of each label with the lines that annotate them; give their keys."""
        keys = {self.key(label, number): label for label in labels for number in numbers}
        for seed, key in enumerate(keys, start=1000 * (1 + numbers.start)):
            self.bucket.put(key, png(seed, SIZE))
        self.annotate(f"from-{numbers.start}", keys)
        return list(keys)

    def annotate(self, name: str, keys: dict[str, str]) -> None:
        """Write lines that give images a label each, where folders do not."""
        if self.task is SEVERAL:
            self.bucket.write(name, [self.bucket.labels(key, label) for key, label in keys.items()])
        elif self.task is BOXES:
            drawn = [self.bucket.boxes(key, [(label, 10, 20, 30, 40)]) for key, label in keys.items()]
            self.bucket.write(name, drawn)

    def etag(self, key: str) -> str:
        """Give the ETag of an object."""
        return str(self.store.call("head_object", key)["ETag"]).strip('"')

    # -- versions --------------------------------------------------------------------------------------

    def freeze(self, test_share: float = 0.5) -> tuple[str, list[SnapshotImage]]:
        """Store a snapshot of the images; give its digest, and them."""
        now = datetime.now(UTC) + LATER
        with (
            frozen_project(self.store, self.task, now, publish=True, test_share=test_share) as (frozen, _),
            SnapshotContents(frozen.path, frozen.header, self.store.uri()) as contents,
        ):
            return frozen.header.snapshot.digest, contents.holding(self._keys())

    def _keys(self) -> list[str]:
        found = self.store.call("list_objects_v2")["Contents"]
        return [each["Key"].removeprefix(self.store.prefix) for each in found]

    def train(
        self,
        name: str,
        champion: str | None = None,
        said: Callable[[SnapshotImage], str] = lambda image: image.labels[0],
        **facts: Any,
    ) -> list[SnapshotImage]:
        """Put a version on record that was trained on the images as they are; give them.

        :param said: what it said of a test image.
        """
        digest, images = self.freeze()
        lines = [self.line(image, said(image)) for image in images if image.subset is Subset.TEST]
        put_on_record(self.store, name, digest=digest, evaluation=evaluation(0.9, *LABELS), **self.say(name, lines))
        if champion is not None:
            gate = GateVerdict("arn", f"arn:aws:rekognition:x:1:project/animals/version/{champion}/1", True, "F1 holds")
            put_on_record(self.store, name, gate=gate)
        put_on_record(self.store, name, **facts)
        return images

    def say(self, name: str, lines: list[Any]) -> dict[str, Any]:
        """Write the evaluation snapshot of a version; give what its record says of it."""
        key = f"evaluation/{name}.manifest"
        body = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        self.store.call("put_object", key, Body=body.encode())
        return {"answers": self.store.uri(key)}

    def line(self, image: SnapshotImage, label: str) -> dict[str, Any]:
        """Give the line of an evaluation in which a version saw a label."""
        uri, actual = self.store.uri(image.key), image.labels
        if self.task is BOXES:
            there = [Box(each, 10, 20, 30, 40) for each in actual]
            return boxes_evaluated(there, [Box(label, 10, 20, 30, 40, 0.9)], image=uri, size=SIZE)
        return labels_evaluated(actual, {label: (0.9, True)}, uri)

    def compare(self, challenger: str, champion: str, images: list[SnapshotImage], label: str) -> None:
        """Write what the champion answered about test images of the challenger."""
        seen = (DetectedLabel(label, 80.0),)
        answers = [ChampionAnswer(each.key, each.etag, seen) for each in images if each.subset is Subset.TEST]
        Decisions(self.store, challenger).save_answers(champion, 0, answers)

    def detect(self, key: str, version: str, label: str = "cat", etag: str | None = None, **facts: Any) -> Detection:
        """Write the result of a detection."""
        fields: dict[str, Any] = {
            "image": self.store.uri(key),
            "key": key,
            "etag": etag or self.etag(key),
            "version_name": version,
            "version_arn": "arn",
            "detected_at": "2026-11-20T12:00:00+00:00",
            "labels": (DetectedLabel(label, 43.0),),
            "minimum_confidence": 50.0,
            "decision": Decision.REVIEW,
            "reason": "below its minimum",
        }
        detection = Detection(**{**fields, **facts})
        save_result(self.store, detection)
        return detection

    def remove(self, key: str) -> None:
        """Delete an object."""
        self.store.call("delete_object", key)


def reviewed(lineage: Lineage, key: str, *votes: str | None, chunk: str = "2026-11-20-1") -> str:
    """Let people answer a review of an image and harvest it; give the key of the copy."""
    store = lineage.store
    request = request_for(key, etag=lineage.etag(key), image=store.uri(key), version_name=V1, labels=("cat", "dog"))
    answers = tuple(ReviewAnswer(f"w{n}", vote, f"2026-11-20T13:00:0{n}+00:00") for n, vote in enumerate(votes))
    state = ReviewState(request.name, ReviewStatus.COMPLETED, "2026-11-20T12:30:00+00:00")
    rules = HarvestRules("digits", store.prefix, quorum=1, maximum_rounds=1)
    ended = decide_outcome(state, Answered(request, answers), (), rules, "2026-11-20T14:00:00+00:00")
    harvested = copy_image(store, ended)
    write_ledger(store, chunk, [harvested])
    return harvested.target or ""
