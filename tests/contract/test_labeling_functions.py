"""AWS's own functions for labeling jobs are those that its API reference lists, and the embedded AWS knows them too."""

from __future__ import annotations

import re

import botocore.session
import pytest

from custom_labels.aws.hooks.labeling import ACCOUNTS, lambda_arn
from custom_labels.core.project_task import ProjectTask
from custom_labels.review.backends.ground_truth.job import kind_of
from custom_labels.review.backends.ground_truth.job_states import ENDED_STATUSES, OPEN_STATUSES
from include.local_aws.human_review.labeling import managed
from tests.contract.test_waiters import statuses
from tests.kit.review_requests import request_for
from tests.review.backends.test_ground_truth_job import BOX


def documented() -> set[str]:
    """Read the ARNs in the descriptions of the members that take them."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    config, consolidation = model.shape_for("HumanTaskConfig"), model.shape_for("AnnotationConsolidationConfig")
    texts = (
        config.members["PreHumanTaskLambdaArn"].documentation,  # type: ignore[attr-defined]
        consolidation.members["AnnotationConsolidationLambdaArn"].documentation,  # type: ignore[attr-defined]
    )
    return set(re.findall(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:\w+-\w+", " ".join(texts)))


def test_every_function_that_a_project_needs_is_documented_in_every_region() -> None:
    kinds = {kind_of(request_for(task=task)) for task in ProjectTask}
    kinds.add(kind_of(request_for(task=ProjectTask.OBJECT_DETECTION, boxes=(BOX,))))
    needed = {lambda_arn(f"{side}-{kind}", region) for side in ("PRE", "ACS") for kind in kinds for region in ACCOUNTS}
    assert needed <= documented()


@pytest.mark.parametrize("side", ["PRE", "ACS"])
def test_every_function_of_the_embedded_aws_is_documented(side: str) -> None:
    assert managed.ACCOUNTS == ACCOUNTS
    served = {
        f"arn:aws:lambda:{region}:{account}:function:{side}-{kind}"
        for region, account in managed.ACCOUNTS.items()
        for kind in managed.KINDS
    }
    assert served <= documented()


def test_every_status_of_a_job_has_a_meaning() -> None:
    assert {*statuses("sagemaker", "LabelingJobStatus")} == OPEN_STATUSES | ENDED_STATUSES
