"""An image on its way through the loop, and its lineage looked up both ways: nothing of it is made up by the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from custom_labels.core.registry import Registry
from custom_labels.datasets.split import Subset
from custom_labels.operations.image_lineage_records import image_lineage
from custom_labels.operations.lineage import ImageLineage, Occasion, OriginKind, Relation, Show
from custom_labels.operations.lineage_records import version_lineage
from custom_labels.operations.versions import RecordedVersion
from tests.kit.dag_runs import Variables
from tests.kit.review_project import loops, set_up_review, wait_until_ended
from tests.kit.step_runs import detect_by_steps, harvest_by_steps
from tests.kit.support import BUCKET, LABELS, picture, put_images, rekognition, s3
from tests.kit.task_contexts import project_context
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow]

IMAGES = 6
KEY = "images_for_detection/rows/it's 0 & <1>.png"


def test_an_image_is_followed_from_the_inbox_to_the_next_version_and_back(
    digits: LocalAws, variables: Variables
) -> None:
    variables.set(detections_per_unit_second=1000, minimum_label_detection_confidence=100, daily_review_budget=1000)
    variables.set(minimum_f1_score=0, test_share=0.4)
    review_project = set_up_review(digits, announced=False)
    put_images(digits, 8)
    assert train_by_steps().ends == {"deployed"}
    keys = [KEY, *(f"images_for_detection/{label}/{number:04}.png" for label in LABELS for number in range(IMAGES))]
    for number, key in enumerate(keys):
        s3(digits).put_object(Bucket=BUCKET, Key=key, Body=picture(key.split("/")[1], 100 + number))
    digits.control.workforce(seconds=0)
    assert detect_by_steps().outcome == "detected"
    wait_until_ended(review_project, *loops(review_project))
    assert harvest_by_steps().outcome == "harvested"
    assert train_by_steps().ends == {"deployed"}
    ctx = project_context()
    first, second = (name for name, _ in Registry(ctx.store).versions(RecordedVersion))

    found = image_lineage(ctx.store, ctx.project, KEY)

    assert found.troubles == ()
    assert (found.origin.kind, found.inspected, found.on_record) == (OriginKind.INBOX, 2, 2)
    [review] = found.reviews
    assert (review.label, review.request and review.request.version_name) == ("rows", first)
    assert review.target is not None
    assert {each.key: each.relation for each in found.related} == {KEY: Relation.ITSELF, review.target: Relation.COPY}
    assert [use.version.name for use in found.versions] == [second, first]
    assert [image.key for image in found.versions[0].images] == [review.target]
    assert [image.labels for image in found.versions[0].images] == [("rows",)]
    assert found.versions[1].images == ()
    assert detections(found, first) == [KEY]

    # The copy leads back to its source, and on to what was said of that.
    back = image_lineage(ctx.store, ctx.project, review.target)

    assert (back.origin.kind, back.origin.source, back.origin.by) == (OriginKind.REVIEW, KEY, review.review)
    assert {each.key: each.relation for each in back.related} == {review.target: Relation.ITSELF, KEY: Relation.SOURCE}
    assert back.reviews == found.reviews
    assert [use.images for use in back.versions] == [use.images for use in found.versions]
    assert detections(back, first) == [KEY]

    # The version names the copy; what it said of its test images, and what the champion did, is there for each.
    with version_lineage(ctx.store, ctx.project, second) as (version, table):
        assert table is not None
        images = {each.image.key: each for each in table.shown()}
        assert len(images) == version.counts[Show.ALL] == 16 + len(keys)
    assert (version.troubles, version.version.champion) == ((), first)
    assert review.target in images
    tests = [each for each in images.values() if each.image.subset is Subset.TEST]
    assert len(tests) == version.counts[Show.TEST] > 0
    assert all(each.seen is not None for each in tests)
    judged = image_lineage(ctx.store, ctx.project, tests[0].image.key)
    assert occasions(judged, second) == [Occasion.EVALUATION]
    assert Occasion.COMPARISON in occasions(judged, first)

    # A version that is deleted at AWS keeps its lineage: all of it lies in the bucket.
    arn = next(record.version_arn for name, record in Registry(ctx.store).versions(RecordedVersion) if name == first)
    rekognition(digits).delete_project_version(ProjectVersionArn=str(arn))
    assert image_lineage(ctx.store, ctx.project, tests[0].image.key) == judged


def detections(found: ImageLineage, version: str) -> list[str]:
    """Give the keys of the images that a version was asked about by the detect DAG."""
    said = [each for use in found.versions if use.version.name == version for each in use.statements]
    return [each.key for each in said if each.occasion is Occasion.DETECTION]


def occasions(found: ImageLineage, version: str) -> list[Occasion]:
    """Give when a version said something."""
    return [each.occasion for use in found.versions if use.version.name == version for each in use.statements]
