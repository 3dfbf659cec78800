"""What a project's human review needs at Amazon A2I: one worker page and a flow for each number of reviewers.

It is planned from the project's settings, made without doubles, and recorded in ``registry/review.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.aws.statuses import Described, StatusTable
from custom_labels.core.keys import A2I_OUTPUT
from custom_labels.core.names import PROJECT_TAG, slug
from custom_labels.core.records import Record
from custom_labels.core.registry import REVIEW
from custom_labels.core.review_setup import ReviewSetup
from custom_labels.core.settings import Project
from custom_labels.review.backends.a2i.project_file import A2IPart
from custom_labels.review.backends.base import ReviewBackendNotReady
from custom_labels.review.backends.registry import review_of
from custom_labels.review.backends.worker_page import read_template
from custom_labels.s3.errors import error_code
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import HumanLoopConfigTypeDef

FLOW_ACTIVE = StatusTable("flow_definition_active", "Active", frozenset({"Active"}), frozenset({"Initializing"}))
"""SageMaker's FlowDefinitionStatus is Initializing, Active, Failed or Deleting; only an Active flow takes loops."""
FIELD = "shown"
"""Name of the element on the page by which answers are read."""
_REFUSED = frozenset({"ValidationException", "AccessDeniedException", "ResourceLimitExceeded"})
"""Answers that stay the same however often a task is retried."""


@dataclass(frozen=True)
class ReviewFlow:
    """A flow definition: a page shown to a number of people.

    :param reviewers: TaskCount, 1 to 3 people for each loop.
    :param output: ``s3://`` URI that A2I writes answers below.
    """

    name: str
    arn: str
    reviewers: int
    output: str


@dataclass(frozen=True)
class ReviewRecord:
    """The flows of a project, as ``registry/review.json`` has them.

    :param task_ui: name of the page that is shown now.
    :param current: for each number of reviewers, the name of the flow that new reviews are opened with.
    :param flows: every flow ever made, so that reviews opened with a replaced one are still harvested.
    """

    task_ui: str = ""
    current: Mapping[int, str] = field(default_factory=dict)
    flows: tuple[ReviewFlow, ...] = ()

    def flow_for(self, reviewers: int) -> ReviewFlow | None:
        """Give the flow that asks this many people; ``None`` if there is none."""
        return next((flow for flow in self.flows if flow.name == self.current.get(reviewers)), None)

    def with_current(self, task_ui: str, flows: Iterable[ReviewFlow]) -> ReviewRecord:
        """Make these the flows to open reviews with; all others stay, for reviews that were opened with them."""
        new = {flow.name: flow for flow in flows}
        every = {flow.name: flow for flow in self.flows} | new
        current = {**self.current, **{flow.reviewers: flow.name for flow in new.values()}}
        return ReviewRecord(task_ui, current, tuple(every.values()))


FLOWS = Record(REVIEW, ReviewRecord)


def read_review_record(store: S3Store) -> ReviewRecord:
    """Read the record; an empty one before the first set-up."""
    return FLOWS.read(store) or ReviewRecord()


@dataclass(frozen=True)
class ReviewPlan:
    """The page and the flows that a project should have.

    :param flows: names of the flows by number of reviewers.
    :param output: ``s3://`` URI that A2I writes answers below.
    """

    task_ui: str
    template: str
    flows: dict[int, str]
    output: str


def reviewer_counts(store: S3Store, reviewers_per_image: int) -> set[int]:
    """Give how many people reviews may ask: one in further rounds, and as many as requests that wait may ask.

    :param reviewers_per_image: the setting of now; requests of before it was changed ask as many as it was then.
    """
    return {1, reviewers_per_image, *read_review_record(store).current}


def plan_review(project: Project, store: S3Store, reviewers: Iterable[int]) -> ReviewPlan:
    """Plan the page and the flows; equal settings give equal names, and any change gives others.

    :param reviewers: how many people a review may ask: one flow for each number.
    :raises ReviewBackendNotReady: the project file has no ``review`` part.
    :raises SettingError: the template is missing, too long, or lacks the field that answers are read by.
    """
    review = review_of(project)
    part = review.part_of(A2IPart)
    template = _template(project, review, part)
    output = store.uri(A2I_OUTPUT).rstrip("/")
    task_ui = _resource_name(project.name, {"kind": "task-ui", "template": template})
    shared = {
        "kind": "flow",
        "task_ui": task_ui,
        "output": output,
        **part.model_dump(exclude={"template"}),
        **review.model_dump(include={"title", "lifetime_hours"}),
    }
    flows = {n: f"{_resource_name(project.name, {**shared, 'reviewers': n})}-x{n}" for n in sorted(set(reviewers))}
    return ReviewPlan(task_ui, template, flows, output)


def _resource_name(project: str, content: Mapping[str, Any]) -> str:
    """Derive a name from what it stands for: task UIs and flows cannot be changed, so another content is another name.

    HumanTaskUiName and FlowDefinitionName are 1-63 characters of ``[a-z0-9](-*[a-z0-9])*`` (SageMaker API reference).
    """
    text = json.dumps({"project": project, **content}, sort_keys=True)
    return f"{slug(project)}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _template(project: Project, review: ReviewSetup, part: A2IPart) -> str:
    path = part.template_path(project.task)
    where = f"'review.a2i.template' of project '{project.name}' is '{part.template or path}'"
    return read_template(path, where, review, project.task, FIELD)


class A2ISetup:
    """Creates what is planned, or adopts what is there.

    :param project: the project, with a ``review`` part.
    :param hook: the set-up side of A2I.
    """

    def __init__(self, project: Project, store: S3Store, hook: ReviewSetupHook, plan: ReviewPlan) -> None:
        self.project = project
        self.review = review_of(project)
        self.part = self.review.part_of(A2IPart)
        self.store = store
        self.hook = hook
        self.plan = plan

    def create(self) -> None:
        """Create or adopt the page and all flows.

        A flow for a workteam that does not exist would only fail and then hold its name, so that is checked first.

        :raises ReviewBackendNotReady: the workteam does not exist, or AWS refuses what the project file asks for.
        """
        missing = [name for name, found in self.describe().items() if found.status is None]
        if not missing and self.hook.describe_task_ui(self.plan.task_ui).status is not None:
            return
        if self.hook.find_workteam(self.part.workteam_arn) is None:
            raise ReviewBackendNotReady(
                f"There is no workteam {self.part.workteam_arn}. 'review.a2i.workteam_arn' in {self.project.name}.yaml "
                "names it; create a private workteam in that region (SageMaker console, Labeling workforces), or "
                "correct the ARN."
            )
        tags = {PROJECT_TAG: self.project.name}
        try:
            arn = self.hook.create_task_ui(self.plan.task_ui, self.plan.template, tags)
            for reviewers, name in self.plan.flows.items():
                if name in missing:
                    loop = self._loop(arn, reviewers)
                    self.hook.create_flow(name, loop, self.plan.output, self.part.role_arn, tags)
        except ClientError as error:
            if error_code(error) not in _REFUSED:
                raise
            raise ReviewBackendNotReady(
                f"AWS refused what 'review' in {self.project.name}.yaml asks for: {error}. Correct it there, allow the "
                f"Airflow connection '{self.project.aws_conn_id}' what include/infra/custom-labels-project.yaml lists, "
                "or raise the quota that is named."
            ) from error

    def _loop(self, task_ui_arn: str, reviewers: int) -> HumanLoopConfigTypeDef:
        review, part = self.review, self.part
        return {
            "WorkteamArn": part.workteam_arn,
            "HumanTaskUiArn": task_ui_arn,
            "TaskTitle": review.title,
            "TaskDescription": f"Say what images of the project {self.project.name} show."[:255],
            "TaskCount": reviewers,
            "TaskTimeLimitInSeconds": part.task_seconds,
            "TaskAvailabilityLifetimeInSeconds": max(1, round(review.lifetime_hours * 3600)),
        }

    def describe(self) -> dict[str, Described]:
        """Describe each flow, by name."""
        return {name: self.hook.describe_flow(name) for name in self.plan.flows.values()}

    def record(self, described: dict[str, Described]) -> None:
        """Record flows that are Active as those to open reviews with, and keep every earlier one."""
        flows = [
            ReviewFlow(name, str(described[name].raw["FlowDefinitionArn"]), reviewers, self.plan.output)
            for reviewers, name in self.plan.flows.items()
        ]
        FLOWS.change(self.store, lambda present: (present or ReviewRecord()).with_current(self.plan.task_ui, flows))
