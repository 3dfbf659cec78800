"""What the CloudFormation template grants where reviews are labeling jobs: what the backend does, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from custom_labels.aws.hooks.labeling import lambda_arn
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.detection.notifications import matches
from custom_labels.review.backends.ground_truth.events import announced
from custom_labels.review.backends.ground_truth.job import kind_of
from custom_labels.review.backends.ground_truth.teardown import tear_down
from tests.infra.test_template import TEMPLATE, Loader, resolved
from tests.kit.labeling import answer_image, labeling_project, set_up_labeling
from tests.kit.review_project import make_request
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, wait_until
from tests.review.backends.test_ground_truth_job import BOX

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

CONDITION = "AsksByLabelingJobs"
VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "Bucket.Arn": f"arn:aws:s3:::{BUCKET}",
    "BucketName": BUCKET,
    "Prefix": "",
    "ProjectName": "digits",
    "ReviewPrefix": "digits",
}
"""What CloudFormation puts in for the digits project."""


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return dict(yaml.load(TEMPLATE.read_text(), Loader))


class Policies:
    """What statements of the template allow for the digits project."""

    def __init__(self, template: dict[str, Any], *names: str) -> None:
        found = [template["Resources"][name]["Properties"] for name in names]
        documents = [each["PolicyDocument"] for each in found if "PolicyDocument" in each]
        documents += [each["PolicyDocument"] for role in found for each in role.get("Policies", [])]
        self.statements = [statement for each in documents for statement in each["Statement"]]

    def allowed(self) -> Iterator[tuple[str, str]]:
        """Give each action with each pattern of resources on which it is allowed."""
        for each in self.statements:
            resources = each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]]
            for action in [each["Action"]] if isinstance(each["Action"], str) else each["Action"]:
                yield from ((action, resolved(resource, VALUES)) for resource in resources if "GetAtt" not in resource)

    def allow(self, action: str, resource: str = "") -> bool:
        """Whether an action is allowed, on a resource if one is named."""
        return any(
            action == name and (not resource or fnmatchcase(resource, pattern)) for name, pattern in self.allowed()
        )


@pytest.fixture(scope="module")
def airflow(template: dict[str, Any]) -> Policies:
    return Policies(template, "AirflowPolicy", "StoragePolicy", "ReviewPolicy", "GroundTruthPolicy")


@pytest.fixture(scope="module")
def role(template: dict[str, Any]) -> Policies:
    return Policies(template, "ReviewRole", "LabelingJobPolicy")


def test_nothing_of_it_is_there_unless_it_is_asked_for(template: dict[str, Any]) -> None:
    assert template["Parameters"]["GroundTruth"]["Default"] == "false"
    assert template["Conditions"][CONDITION] == {"Equals": [{"Ref": "GroundTruth"}, "true"]}
    conditional = {name for name, each in template["Resources"].items() if each.get("Condition") == CONDITION}
    assert conditional == {"AnswerRule", "GroundTruthPolicy", "LabelingJobPolicy"}
    notification = template["Resources"]["Bucket"]["Properties"]["NotificationConfiguration"]
    without = {"Ref": "AWS::NoValue"}
    assert notification["EventBridgeConfiguration"]["If"] == [CONDITION, {"EventBridgeEnabled": True}, without]
    assert not any(
        "LabelingJob" in action
        for action, _ in Policies(template, "AirflowPolicy", "StoragePolicy", "ReviewPolicy").allowed()
    )


def test_all_that_the_backend_does_is_allowed(aws: LocalAws, airflow: Policies) -> None:
    """A job is created, listed, answered, read and stopped; what it called and wrote is held against the policies."""
    project, store, backend = set_up_labeling(aws)
    answered, left = make_request(aws, 1), make_request(aws, 2)
    aws.control.clear_calls()
    aws.control.clear_changes()
    backend.open([answered, left])
    backend.open([answered])
    answer_image(aws, backend, answered.name, "rows")

    def has_answer() -> bool:
        state = backend.status(answered.name)
        return state is not None and state.status.is_final

    wait_until(has_answer)
    list(backend.states(datetime.now(UTC) - timedelta(hours=1)))
    backend.cancel([answered.name])
    assert list(tear_down(project, store, dry_run=False))

    jobs = "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/"
    name = backend.files.claims({left.name})[left.name]
    called = {call.partition(".")[2] for call in aws.control.calls() if call.startswith("sagemaker.")}
    assert called >= {"CreateLabelingJob", "DescribeLabelingJob", "ListLabelingJobs", "StopLabelingJob"}
    assert [call for call in called if not airflow.allow(f"sagemaker:{call}", jobs + name)] == []
    assert airflow.allow("sagemaker:AddTags", jobs + name)
    written = {each["subject"] for each in aws.control.changes() if each["operation"] == "s3.PutObject"}
    assert {key.split("/")[1] for key in written} >= {"jobs", "reviews"}
    assert [key for key in written if not airflow.allow("s3:PutObject", f"arn:aws:s3:::{BUCKET}/{key}")] == []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sagemaker:StopLabelingJob", "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/birds-reviews-1"),
        ("sagemaker:CreateLabelingJob", "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/digits"),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/ground-truth/output/digits-reviews-1/answer.json"),
        ("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/ground-truth/reviews/a.json"),
    ],
    ids=["a job of another project", "a job that is no review", "an answer", "a claim"],
)
def test_airflow_may_not_touch(airflow: Policies, action: str, resource: str) -> None:
    assert airflow.allow(action), "the action is allowed on something else"
    assert not airflow.allow(action, resource)


def test_the_role_runs_jobs_and_does_nothing_else(role: Policies) -> None:
    kinds = {kind_of(request_for(task=task)) for task in ProjectTask}
    kinds.add(kind_of(request_for(task=ProjectTask.OBJECT_DETECTION, boxes=(BOX,))))
    functions = {str(lambda_arn(f"{side}-{kind}", "us-east-1")) for side in ("PRE", "ACS") for kind in kinds}
    bucket = f"arn:aws:s3:::{BUCKET}"

    assert [each for each in functions if not role.allow("lambda:InvokeFunction", each)] == []
    invoked = {pattern.rpartition(":")[2] for action, pattern in role.allowed() if action == "lambda:InvokeFunction"}
    assert invoked == {each.rpartition(":")[2] for each in functions}
    for key in ("images_for_detection/a.png", "ground-truth/jobs/j/input.manifest", "ground-truth/output/j/a.json"):
        assert role.allow("s3:GetObject", f"{bucket}/{key}")
    assert role.allow("s3:PutObject", f"{bucket}/ground-truth/output/j/manifests/output/output.manifest")
    for key in ("registry/live.json", "ground-truth/jobs/j/input.manifest", "images_labeled_by_folder/rows/a.png"):
        assert not role.allow("s3:PutObject", f"{bucket}/{key}")
    assert {action for action, _ in role.allowed()} == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "lambda:InvokeFunction",
    }


@pytest.mark.parametrize(("name", "is_sent"), [("digits", True), ("digits-2", False), ("birds", False)])
def test_the_rule_sends_this_projects_answers(template: dict[str, Any], name: str, *, is_sent: bool) -> None:
    rule = template["Resources"]["AnswerRule"]["Properties"]
    project: Project = labeling_project().model_copy(update={"name": name})
    (event,) = announced(project).events
    pattern = resolved(rule["EventPattern"], VALUES)
    (key,) = pattern["detail"].pop("object")["key"]

    assert matches(pattern, event)
    assert fnmatchcase(event["detail"]["object"]["key"], key["wildcard"]) is is_sent
    assert rule["Targets"] == [{"Id": "review-queue", "Arn": {"GetAtt": "ReviewQueue.Arn"}}]
