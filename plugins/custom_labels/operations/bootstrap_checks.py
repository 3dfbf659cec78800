"""What a project needs around it, checked one by one: each check gives a finding, none stops the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import get_current_context
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.aws.statuses import PROJECT_CREATED, Verdict
from custom_labels.core.context import ProjectContext
from custom_labels.core.names import PROJECT_FILE
from custom_labels.core.settings import Project, find_shared_queues, template_path
from custom_labels.errors import BelongsToAnother, CustomLabelsError
from custom_labels.operations.announcement_checks import TEMPLATE, AnnouncementChecks
from custom_labels.review.backends.a2i.page_check import WorkerPage, check_page
from custom_labels.review.backends.a2i.setup import (
    A2ISetup,
    plan_review,
    read_review_record,
    review_of,
    reviewer_counts,
)
from custom_labels.s3.errors import connection_way_out, error_code
from custom_labels.training.retraining_tasks import require_bucket_in_region

CHECKED = "registry/bootstrap.json"
ALWAYS_THERE = "default_pool"
PATIENCE_SECONDS = 60.0
"""How long a task of a pool may wait for a slot before the pool counts as missing or full."""
POLL_SECONDS = 2.0
WITHOUT_SLOT = frozenset({None, "scheduled", "up_for_reschedule", "up_for_retry"})
"""States of a task that was not given a slot yet."""


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    :param value: what it is, for people.
    :param problem: what is wrong and the way out; empty if nothing is.
    """

    subject: str
    value: str
    problem: str = ""


class Wrong(CustomLabelsError):
    """A thing is missing, or not as it has to be."""


class BootstrapChecks:
    """The checks of one project.

    :param ctx: the project, as a task sees it.
    """

    def __init__(self, ctx: ProjectContext) -> None:
        self.ctx = ctx
        self.project = ctx.project
        self.belongs_to_another = False

    def all(self) -> Iterator[Finding]:
        """Check everything that the project file names."""
        queues, review = self.project.queues, self.project.review
        yield (region := self._run("region", self.project.region_name or "none", self.ctx.require_region))
        if region.problem:
            # Nothing can be asked, and each answer would be this one.
            return
        yield self._run("settings", PROJECT_FILE, self.settings)
        for field, pool in named_pools(self.project).items():
            yield self._run(field.replace("_", " "), pool, partial(self.pool, field, pool))
        yield self._run("bucket", self.project.bucket, self.bucket)
        if self.belongs_to_another:
            # Some checks write into it.
            return
        yield self._run("Custom Labels project", self.project.name, self.custom_labels_project)
        yield self._run("SNS topic", self.project.sns_topic_arn, self.topic)
        for kind, url in queues.model_dump().items():
            yield self._run(f"queue {kind}", url, partial(self.queue, kind, url))
        yield self._run("announcement of images", queues.detections, lambda: self.announcements("detections").images())
        yield self._run("review role", review.role_arn if review else None, self.role)
        yield self._run("review workteam", review.workteam_arn if review else None, self.workteam)
        yield self._run("bucket CORS", self.project.bucket if review else None, self.cors)
        yield self._run(
            "announcement of reviews",
            queues.reviews if review else None,
            lambda: self.announcements("reviews").reviews(),
        )
        yield self._run("review flows", review.backend if review else None, self.flows)
        yield self._run("review page", review.backend if review else None, self.page)

    def _run(self, subject: str, value: str | None, check: Callable[[], str]) -> Finding:
        """Run one check, unless the project file names nothing to check."""
        if not value:
            return Finding(subject, "none in the project file")
        try:
            return Finding(subject, check())
        except CustomLabelsError as error:
            return Finding(subject, value, str(error))
        except (ClientError, BotoCoreError) as error:
            connection = self.project.aws_conn_id
            way_out = connection_way_out(error, connection, PROJECT_FILE) or (
                f"allow it to the Airflow connection '{connection}', as {TEMPLATE} does, or trigger the DAG again"
            )
            return Finding(
                subject,
                value,
                f"It could not be checked: {str(error).rstrip('.')}. {way_out[0].upper()}{way_out[1:]}.",
            )

    def client(self, service: str) -> Any:
        """Give a client of the project's connection and region."""
        return AwsBaseHook(
            self.project.aws_conn_id, client_type=service, region_name=self.project.region_name
        ).get_conn()

    # -- the checks: each gives what it found, or raises -----------------------------------------------

    def settings(self) -> str:
        """Read and validate all settings, those of every DAG."""
        return f"all {len(type(self.ctx.settings()).model_fields)} are as they have to be"

    @cached_property
    def tasks_without_slot(self) -> set[str]:
        """The tasks of pools that are missing or full: a task has no way to read Airflow's pools themselves."""
        return tasks_without_slot([use_of(field) for field in named_pools(self.project)])

    def pool(self, field: str, name: str) -> str:
        """See whether a task got a slot of a pool."""
        if use_of(field) in self.tasks_without_slot:
            raise Wrong(
                f"The task {use_of(field)} got no slot of pool '{name}' within {PATIENCE_SECONDS:g} s: there is no "
                "such pool, or all its slots are taken. A task whose pool is missing waits for ever: add it under "
                f"Admin > Pools, or correct '{field}' in {self.project.name}.yaml."
            )
        return f"a task got a slot of '{name}'"

    def bucket(self) -> str:
        """Read and write the bucket, which has to be the project's own and where Custom Labels is called."""
        try:
            self.ctx.claim()
        except BelongsToAnother:
            self.belongs_to_another = True
            raise
        self.ctx.store.write_json(CHECKED, {"run": self.ctx.run_name})
        self.ctx.store.read_json(CHECKED)
        require_bucket_in_region(self.ctx)
        return f"{self.ctx.store.uri()} can be read and written"

    def custom_labels_project(self) -> str:
        """Find the project at Custom Labels."""
        found = self.ctx.rekognition.describe_project(self.project.name)
        if PROJECT_CREATED.judge(found.status) is not Verdict.DONE:
            raise Wrong(
                f"The Custom Labels project '{self.project.name}' is {found.status or 'missing'}. Read the log of the "
                "task create_project of this run, and clear it."
            )
        return found.arn

    def topic(self) -> str:
        """Find the topic that messages go to."""
        arn = str(self.project.sns_topic_arn)
        with self._named("SNS topic", arn, "sns_topic_arn", "NotFound", "NotFoundException"):
            self.client("sns").get_topic_attributes(TopicArn=arn)
        return arn

    def queue(self, kind: str, url: str) -> str:
        """Find a queue, which no other project may read."""
        self._queue_attributes(kind, url)
        if shared := [each for each in find_shared_queues(self.project) if each.startswith(f"'queues.{kind}'")]:
            raise Wrong(" ".join(shared))
        return url

    def _queue_attributes(self, kind: str, url: str) -> dict[str, str]:
        with self._named("queue", url, f"queues.{kind}", "NonExistentQueue", "QueueDoesNotExist"):
            found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return dict(found["Attributes"])

    def announcements(self, queue: str) -> AnnouncementChecks:
        """Give the checks of what feeds the queues.

        :param queue: name of the one that is inspected; it has to exist, another that does not is a finding by itself.
        """
        arns = {}
        for kind, url in self.project.queues.model_dump(exclude_none=True).items():
            try:
                arns[kind] = self._queue_attributes(kind, url)["QueueArn"]
            except Wrong:
                if kind == queue:
                    raise
        return AnnouncementChecks(self.ctx, self.client, arns)

    def role(self) -> str:
        """Find the role that A2I takes on; nothing else needs the right to read roles, so that it may be missing."""
        arn = review_of(self.project).role_arn
        try:
            with self._named("role", arn, "review.role_arn", "NoSuchEntity"):
                found = self.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
        except ClientError as error:
            if error_code(error) not in {"AccessDenied", "AccessDeniedException"}:
                raise
            return f"{arn}, which may not be inspected (iam:GetRole)"
        if "sagemaker.amazonaws.com" not in str(found["AssumeRolePolicyDocument"]):
            raise Wrong(
                f"The role {arn} does not trust sagemaker.amazonaws.com, so that A2I cannot take it on. Add that to "
                "its trust policy, or name another as 'review.role_arn'."
            )
        return arn

    def workteam(self) -> str:
        """Find the people, and where they work."""
        arn = review_of(self.project).workteam_arn
        found = self._sagemaker().find_workteam(arn)
        if found is None:
            raise Wrong(
                f"There is no workteam {arn}. Create it (SageMaker console, Labeling workforces), or correct "
                f"'review.workteam_arn' in {self.project.name}.yaml."
            )
        return f"{arn}, works at https://{found.get('SubDomain')}"

    def cors(self) -> str:
        """See whether the worker portal may show images of the bucket; A2I fails tasks that cannot."""
        try:
            found = self.ctx.store.client.get_bucket_cors(Bucket=self.project.bucket)
        except ClientError as error:
            if error_code(error) != "NoSuchCORSConfiguration":
                raise
            found = {"CORSRules": []}  # type: ignore[typeddict-item]
        if not any("GET" in rule["AllowedMethods"] for rule in found["CORSRules"]):
            raise Wrong(
                f"The bucket {self.project.bucket} has no CORS rule that allows GET, without which the worker portal "
                f"shows no images and A2I fails the tasks. Add one ({TEMPLATE} has it)."
            )
        return "GET is allowed"

    def flows(self) -> str:
        """See whether the flows that the settings ask for are Active and recorded."""
        store = self.ctx.store
        reviewers = reviewer_counts(store, self.ctx.settings("reviewers_per_image").reviewers_per_image)
        setup = A2ISetup(self.project, store, self._sagemaker(), plan_review(self.project, store, reviewers))
        record = read_review_record(store)
        bad = [
            f"{name} is {found.status or 'missing'}{f' ({found.message})' if found.message else ''}"
            for name, found in setup.describe().items()
            if found.status != "Active"
        ]
        bad += [
            f"{name} is not recorded in registry/review.json"
            for count, name in setup.plan.flows.items()
            if (record.current or {}).get(count) != name
        ]
        if bad:
            raise Wrong(f"Reviews cannot be opened: {'; '.join(bad)}. Read the log of set_up_review in this run.")
        return ", ".join(f"{name} asks {count}" for count, name in setup.plan.flows.items())

    def page(self) -> str:
        """Render the page that reviewers see with an image of the project: a page that fails fails every review."""
        review, live = review_of(self.project), self.ctx.registry.live()
        template = plan_review(self.project, self.ctx.store, [1]).template
        source = review.template or template_path(review, self.project.task)
        where = f"'review.template' of {self.project.name}.yaml is '{source}'"
        labels = live.labels if live else ()
        page = WorkerPage(template, self.project.task, labels, where)
        return check_page(self.ctx.store, self._sagemaker(), page, review.role_arn)

    def _sagemaker(self) -> ReviewSetupHook:
        return ReviewSetupHook(self.project.aws_conn_id, region_name=self.project.region_name)

    @contextmanager
    def _named(self, what: str, value: str, setting: str, *codes: str) -> Iterator[None]:
        """Ask AWS for something; where it says that there is none, say where it is named.

        :param codes: ends of the error codes by which AWS says so.
        :raises Wrong: there is none.
        """
        try:
            yield
        except ClientError as error:
            if not error_code(error).endswith(codes):
                raise
            raise Wrong(
                f"There is no {what} {value} ({error}). Create it ({TEMPLATE} does), or correct '{setting}' in "
                f"{self.project.name}.yaml."
            ) from error


# -- Airflow's pools -------------------------------------------------------------------------------------


def named_pools(project: Project) -> dict[str, str]:
    """Give the pools that a project file names, by its fields; the one that Airflow always has is left out."""
    pools = {"pool": project.pool, "detection_pool": project.detection_pool}
    return {field: name for field, name in pools.items() if name != ALWAYS_THERE}


def use_of(field: str) -> str:
    """Name the task that takes a slot of a pool."""
    return f"use_{field}"


def state_of_task(task_id: str) -> str | None:
    """Give the state of another task of the run that the running task is of."""
    ti: Any = get_current_context()["ti"]
    states: Mapping[str, Any] = ti.get_task_states(dag_id=ti.dag_id, task_ids=[task_id], run_ids=[ti.run_id])
    state: str | None = states.get(ti.run_id, {}).get(task_id)
    return state


def tasks_without_slot(
    task_ids: Iterable[str],
    state_of: Callable[[str], str | None] = state_of_task,
    seconds: float = PATIENCE_SECONDS,
) -> set[str]:
    """Wait until each of some tasks has a slot of its pool, or had one; give those that have none after all.

    :param state_of: gives the state of another task of the same run.
    :param seconds: how long all of them may wait together.
    """
    deadline = time.monotonic() + seconds
    while (waiting := {each for each in task_ids if state_of(each) in WITHOUT_SLOT}) and time.monotonic() < deadline:
        time.sleep(min(POLL_SECONDS, seconds))
    return waiting
