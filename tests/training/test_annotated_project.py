"""The steps up to a training where images are annotated: each image counts once, however many labels it has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.context import ProjectContext
from custom_labels.core.keys import manifest_key
from custom_labels.core.outcome import Outcome
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.trained_record import TrainedRecord
from custom_labels.errors import NothingToDo
from custom_labels.review.settings import HarvestSettings
from custom_labels.training.retraining import Due, PreparedTraining, Retrain
from custom_labels.training.settings import TrainingSettings
from custom_labels.training.train_tasks import claim_training, decide_training, prepare_images
from custom_labels.training.training_records import change_trainings
from custom_labels.training.trigger_tasks import trigger_training
from tests.kit.annotated_bucket import AnnotatedBucket
from tests.kit.support import BUCKET, s3
from tests.kit.task_contexts import annotated_context, default_settings

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

TASKS = (ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION)
ARN = "arn:aws:rekognition:us-east-1:111122223333:project/digits/1"
SETTINGS = default_settings(TrainingSettings, minimum_untrained_images=20, test_share=0.25)


class AnnotatedProject:
    """A project with 20 images of two labels each, and the first steps of its train DAG."""

    def __init__(self, aws: LocalAws, task: ProjectTask) -> None:
        self.task = task
        s3(aws).create_bucket(Bucket=BUCKET)
        self.bucket = AnnotatedBucket(self.context().store)
        self.annotate("first", range(20))

    def context(self, **params: Any) -> ProjectContext:
        """Give the context of a step."""
        return annotated_context(self.task, params=params)

    def annotate(self, name: str, numbers: range) -> None:
        """Add images that all show a logo and a cup, and lines about them."""
        keys = [f"images/{number:03}.png" for number in numbers]
        self.bucket.put_many(*keys)
        self.write(name, keys, "logo", "cup")

    def write(self, name: str, keys: Sequence[str], *labels: str) -> None:
        """Write lines that say what is on images, each thing twice where there are boxes."""
        if self.task is ProjectTask.OBJECT_DETECTION:
            boxes = [(label, 10, top, 30, 40) for label in labels for top in (10, 50)]
            self.bucket.write(name, [self.bucket.boxes(key, boxes) for key in keys])
        else:
            self.bucket.write(name, [self.bucket.labels(key, *labels) for key in keys])

    def prepare(self) -> PreparedTraining:
        """Go up to the manifests, as the run that has the lock."""
        ctx = self.context()
        assert ctx.lock.try_take(600) is None
        return prepare_images.function(ctx, SETTINGS, decide_training.function(ctx, SETTINGS))

    def lines(self, digest: str, side: str) -> list[dict[str, Any]]:
        """Read a manifest."""
        body = self.context().store.call("get_object", manifest_key(digest, side))["Body"].read()
        return [json.loads(line) for line in body.splitlines()]


@pytest.fixture(params=TASKS)
def project(aws: LocalAws, request: pytest.FixtureRequest) -> AnnotatedProject:
    return AnnotatedProject(aws, request.param)


def test_a_training_is_due_by_the_images_not_by_their_labels(project: AnnotatedProject) -> None:
    decided = decide_training.function(project.context(), SETTINGS)

    assert decided.choice is Due.YES
    assert decided.detail.startswith("20 untrained images of 20")


def test_too_few_new_images_are_no_reason_to_train(project: AnnotatedProject) -> None:
    more = default_settings(TrainingSettings, minimum_untrained_images=21)

    decided = decide_training.function(project.context(), more)

    assert (decided.choice, decided.outcome) == (Due.NO, Outcome.NOTHING_TO_DO)


def test_a_dry_run_counts_each_image_once_and_writes_nothing(project: AnnotatedProject) -> None:
    before = s3_keys(project)

    decided = decide_training.function(project.context(dry_run=True), SETTINGS)

    plan = str(decided.plan)
    assert decided.outcome is Outcome.PLANNED
    assert "| cup | 20 | 20 | 0 | 0 | " in plan
    assert "| logo | 20 | 20 | 0 | 0 | " in plan
    assert "| **all** | 20 | 20 | 0 | 0 | " in plan
    assert "20 lines read of 1 files of annotations." in plan
    assert s3_keys(project) == before


def s3_keys(project: AnnotatedProject) -> list[str]:
    store = project.context().store
    return [entry["Key"] for entry in store.client.list_objects_v2(Bucket=store.bucket)["Contents"]]


def test_manifests_of_the_annotations_are_prepared(project: AnnotatedProject) -> None:
    prepared = project.prepare()

    assert (prepared.choice, prepared.snapshot is not None) == (Retrain.TRAIN, True)
    snapshot = prepared.snapshot
    assert snapshot is not None
    assert (snapshot.images, snapshot.untrained, snapshot.train_images + snapshot.test_images) == (20, 20, 20)
    train, test = (project.lines(snapshot.digest, side) for side in ("train", "test"))
    assert (len(train), len(test)) == (snapshot.train_images, snapshot.test_images)
    kinds = {value["type"] for line in train for name, value in line.items() if name.endswith("-metadata")}
    boxes = project.task is ProjectTask.OBJECT_DETECTION
    assert kinds == {"groundtruth/object-detection" if boxes else "groundtruth/image-classification"}
    assert f"| **all** | 20 | 20 | 0 | 0 | {len(train)} | {len(test)} | 0 |" in str(prepared.plan)


def test_after_a_training_only_new_images_and_changed_annotations_count(project: AnnotatedProject) -> None:
    prepared = project.prepare()
    ctx = project.context()
    attempt = claim_training.function(ctx, SETTINGS, prepared, ARN, ["arn:train", "arn:test"])
    change_trainings(ctx.store, lambda trainings: trainings.count_as_trained(attempt))
    record = ctx.registry.version(attempt.version_name, TrainedRecord)
    assert record is not None
    assert [(count.label, count.images) for count in record.labels] == [("cup", 20), ("logo", 20)]

    again = decide_training.function(project.context(), SETTINGS)
    assert again.choice is Due.NO

    project.annotate("second", range(20, 32))
    project.write("third", ["images/000.png", "images/001.png"], "cup")
    few = default_settings(TrainingSettings, minimum_untrained_images=14, test_share=0.25)
    plan = str(decide_training.function(project.context(dry_run=True), few).plan)
    assert "14 untrained images of 32" in plan
    assert "| cup | 32 | 12 | 2 | 0 | " in plan
    assert "| logo | 30 | 12 | 0 | 2 | " in plan
    assert "| **all** | 32 | 12 | 2 | 0 | " in plan


def test_the_harvest_triggers_a_training_by_the_same_count(project: AnnotatedProject) -> None:
    trigger_training.function(project.context(), default_settings(HarvestSettings, minimum_untrained_images=20))

    with pytest.raises(NothingToDo, match="20"):
        trigger_training.function(project.context(), default_settings(HarvestSettings, minimum_untrained_images=21))
