"""What is made at Custom Labels carries the project's tag, and what was made before tags were set gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator, CustomLabelsReplaceDatasetOperator
from custom_labels.aws.operators.versions import CustomLabelsTrainVersionOperator
from tests.kit.support import BUCKET, effects, manifests, rekognition
from tests.kit.task_contexts import run

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

TAGS = {"custom-labels-project": "birds"}
QUICK = {"waiter_delay": 0, "waiter_max_attempts": 2000}


def make(uris: dict[str, str], tags: dict[str, str] | None) -> list[str]:
    """Make a project, its datasets and a version, or adopt them; give the ARNs."""
    project = run(CustomLabelsCreateProjectOperator(task_id="p", project_name="birds", tags=tags, **QUICK))
    datasets = [
        run(
            CustomLabelsReplaceDatasetOperator(
                task_id="d", project_arn=project, dataset_type=kind, manifest_uri=uri, tags=tags, **QUICK
            )
        )
        for kind, uri in uris.items()
    ]
    trained = CustomLabelsTrainVersionOperator(
        task_id="t", project_arn=project, version_name="v1", output_uri=f"s3://{BUCKET}/evaluation", tags=tags, **QUICK
    )
    return [project, *datasets, run(trained)]


@pytest.mark.parametrize("before", [None, {"team": "wildlife"}, TAGS], ids=["untagged", "other tags", "tagged"])
def test_everything_has_the_tag_when_it_is_made_and_when_it_is_adopted(
    aws: LocalAws, before: dict[str, str] | None
) -> None:
    uris = manifests(aws)
    made = make(uris, before)

    assert make(uris, TAGS) == made
    for arn in made:
        found = rekognition(aws).list_tags_for_resource(ResourceArn=arn)["Tags"]
        assert {**(before or {}), **TAGS}.items() <= found.items(), arn
    assert effects(aws, "TagResource") == (0 if before == TAGS else len(made))


def test_what_cannot_be_tagged_is_adopted_all_the_same(aws: LocalAws, capfd: pytest.CaptureFixture[str]) -> None:
    uris = manifests(aws)
    made = make(uris, {f"tag-{number}": "x" for number in range(199)})
    for arn in (made[0], made[-1]):
        rekognition(aws).tag_resource(ResourceArn=arn, Tags={"the-last-one": "x"})

    assert make(uris, TAGS) == made
    assert not RekognitionHook("aws_default").ensure_tags(made[0], TAGS)
    logged = capfd.readouterr().out
    assert "would have 201 tags; 200 are allowed" in logged
    assert "Allow rekognition:ListTagsForResource and rekognition:TagResource" in logged


def test_throttling_is_not_taken_for_a_refusal(aws: LocalAws) -> None:
    arn = rekognition(aws).create_project(ProjectName="birds")["ProjectArn"]
    aws.control.faults({"operation": "rekognition.TagResource", "kind": "throttle", "times": 2})

    assert RekognitionHook("aws_default").ensure_tags(arn, TAGS)
    assert rekognition(aws).list_tags_for_resource(ResourceArn=arn)["Tags"] == TAGS
