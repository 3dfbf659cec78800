"""Links to the AWS console, as the tasks leave them for the UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator, CustomLabelsReplaceDatasetOperator
from custom_labels.aws.operators.versions import CustomLabelsTrainVersionOperator
from tests.kit.support import BUCKET, manifests
from tests.kit.task_contexts import context, run

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

QUICK: dict[str, Any] = {"waiter_delay": 0, "waiter_max_attempts": 2000}
PROJECT = "https://console.aws.amazon.com/rekognition/custom-labels?region=us-east-1#/projects/birds"


def run_and_follow(operator: Any) -> tuple[Any, list[str]]:
    """Run an operator; give its result, and where its links lead."""
    given = context()
    result = run(operator, given)
    return result, [link.format_link(**given["ti"].xcoms[link.key]) for link in operator.operator_extra_links]


def test_a_task_links_to_what_it_made_in_the_console(aws: LocalAws) -> None:
    uris = manifests(aws)
    project, links = run_and_follow(CustomLabelsCreateProjectOperator(task_id="p", project_name="birds", **QUICK))
    assert links == [PROJECT]
    for kind, uri in uris.items():
        replace = CustomLabelsReplaceDatasetOperator(
            task_id="d", project_arn=project, dataset_type=kind, manifest_uri=uri, **QUICK
        )
        assert run_and_follow(replace)[1] == [PROJECT]

    train = CustomLabelsTrainVersionOperator(
        task_id="t", project_arn=project, version_name="v1", output_uri=f"s3://{BUCKET}/evaluation", **QUICK
    )

    assert run_and_follow(train)[1] == [f"{PROJECT}/models/v1"]
