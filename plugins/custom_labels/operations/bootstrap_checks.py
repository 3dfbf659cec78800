"""What a project needs around it, checked one by one: each check gives a finding, none stops the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import get_current_context
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.aws.statuses import PROJECT_CREATED, Verdict
from custom_labels.core.checks import TEMPLATE, Check, CheckFailed, Finding, named
from custom_labels.core.context import ProjectContext
from custom_labels.core.names import PROJECT_FILE
from custom_labels.core.pools import named_pools, needed_pools
from custom_labels.core.settings import find_shared_queues, load_projects
from custom_labels.errors import BelongsToAnother, CustomLabelsError
from custom_labels.operations.announcement_checks import AnnouncementChecks
from custom_labels.review.backends.registry import definition_of
from custom_labels.s3.errors import connection_way_out
from custom_labels.training.retraining_tasks import require_bucket_in_region

CHECKED = "registry/bootstrap.json"
PATIENCE_SECONDS = 60.0
"""How long a task of a pool may wait for a slot before the pool counts as missing or full."""
POLL_SECONDS = 2.0
WITHOUT_SLOT = frozenset({None, "scheduled", "up_for_reschedule", "up_for_retry"})
"""States of a task that was not given a slot yet."""


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
        yield (region := self._run(Check("region", self.project.region_name or "none", self.ctx.require_region)))
        if region.problem:
            # Nothing can be asked, and each answer would be this one.
            return
        yield self._run(Check("settings", PROJECT_FILE, self.settings))
        for field, pool in named_pools(self.project).items():
            yield self._run(Check(field.replace("_", " "), pool, partial(self.pool, field, pool)))
        yield self._run(Check("bucket", self.project.bucket, self.bucket))
        if self.belongs_to_another:
            # Some checks write into it.
            return
        yield from map(self._run, self._others())

    def _others(self) -> Iterator[Check]:
        """Give the checks that need the bucket, and those of the review backend, which are its own."""
        queues, has_reviews = self.project.queues, self.project.review is not None
        yield Check("Custom Labels project", self.project.name, self.custom_labels_project)
        yield Check("SNS topic", self.project.sns_topic_arn, self.topic)
        for kind, url in queues.model_dump().items():
            yield Check(f"queue {kind}", url, partial(self.queue, kind, url))
        yield Check("announcement of images", queues.detections, lambda: self.announcements("detections").images())
        yield Check("announcement of reviews", queues.reviews if has_reviews else None, self.announced_reviews)
        if has_reviews:
            yield from definition_of(self.project).checks(self.ctx)
        else:
            yield Check("reviews", None, str)

    def _run(self, check: Check) -> Finding:
        """Run one check, unless the project file names nothing to check."""
        if not check.value:
            return Finding(check.subject, "none in the project file")
        try:
            return Finding(check.subject, check.run())
        except CustomLabelsError as error:
            return Finding(check.subject, check.value, str(error))
        except (ClientError, BotoCoreError) as error:
            connection = self.project.aws_conn_id
            way_out = connection_way_out(error, connection, PROJECT_FILE) or (
                f"allow it to the Airflow connection '{connection}', as {TEMPLATE} does, or trigger the DAG again"
            )
            return Finding(
                check.subject,
                check.value,
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
            every = {each.name: each for each in (*load_projects(), self.project)}
            command = needed_pools(every.values())[name].command
            raise CheckFailed(
                f"The task {use_of(field)} got no slot of pool '{name}' within {PATIENCE_SECONDS:g} s: there is no "
                "such pool, or all its slots are taken. A task whose pool is missing waits for ever: add it by "
                f"`{command}` or under Admin > Pools (`make airflow-settings` writes all that are named), or correct "
                f"'{field}' in {self.project.name}.yaml."
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
            raise CheckFailed(
                f"The Custom Labels project '{self.project.name}' is {found.status or 'missing'}. Read the log of the "
                "task create_project of this run, and clear it."
            )
        return found.arn

    def topic(self) -> str:
        """Find the topic that messages go to."""
        arn = str(self.project.sns_topic_arn)
        with named(self.project, "SNS topic", arn, "sns_topic_arn", "NotFound", "NotFoundException"):
            self.client("sns").get_topic_attributes(TopicArn=arn)
        return arn

    def queue(self, kind: str, url: str) -> str:
        """Find a queue, which no other project may read."""
        self._queue_attributes(kind, url)
        if shared := [each for each in find_shared_queues(self.project) if each.startswith(f"'queues.{kind}'")]:
            raise CheckFailed(" ".join(shared))
        return url

    def _queue_attributes(self, kind: str, url: str) -> dict[str, str]:
        with named(self.project, "queue", url, f"queues.{kind}", "NonExistentQueue", "QueueDoesNotExist"):
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
            except CheckFailed:
                if kind == queue:
                    raise
        return AnnouncementChecks(self.ctx, self.client, arns)

    def announced_reviews(self) -> str:
        """See whether what the review backend announces reaches its queue."""
        checks = self.announcements("reviews")
        return checks.reviews(definition_of(self.project).announcements(checks.arns["reviews"], self.project))


# -- Airflow's pools -------------------------------------------------------------------------------------


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
