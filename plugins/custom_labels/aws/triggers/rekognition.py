"""Triggers that wait for Custom Labels projects, datasets and model versions without holding a worker slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
from airflow.triggers.base import TriggerEvent
from botocore.exceptions import ClientError

from custom_labels.aws.hooks.rekognition import RekognitionHook


class StatusTrigger(AwsBaseWaiterTrigger):
    """Base of the triggers: sleep, then poll, since the task asked for the status just before it deferred.

    An event that comes at once is also one too early for Airflow: where a worker has not yet reported the end of its
    process, the scheduler takes the resumed task for one that was changed from outside, and retries it.

    A subclass takes what names its resource, and sets :attr:`fields` and :attr:`arguments` before this constructor.

    :param waiter_name: a waiter of ``waiters/<service>.json`` on the operation that describes the resource.
    :param waiter_delay: seconds between two polls.
    :param waiter_max_attempts: number of polls.
    """

    aws_hook_class: type[AwsGenericHook[Any]] = RekognitionHook
    queries: ClassVar[tuple[str, ...]]
    """JMESPath queries that find status and message in the waiter's response, for the log."""
    fields: dict[str, Any]
    """What names the resource, as the subclass takes it."""
    arguments: dict[str, Any]
    """The parameters of the waiter's operation."""

    def __init__(
        self,
        *,
        waiter_name: str,
        waiter_delay: int = 30,
        waiter_max_attempts: int = 120,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        named = ", ".join(f"{name} {value}" for name, value in self.fields.items())
        super().__init__(
            serialized_fields={**self.fields, "waiter_name": waiter_name},
            waiter_name=waiter_name,
            waiter_args=self.arguments,
            failure_message=named,
            status_message=f"Waiting ({waiter_name}) for {named}",
            status_queries=list(self.queries),
            return_value=None,
            waiter_delay=waiter_delay,
            waiter_max_attempts=waiter_max_attempts,
            aws_conn_id=aws_conn_id,
            region_name=region_name,
            verify=verify,
            botocore_config=botocore_config,
        )

    def hook(self) -> AwsGenericHook[Any]:
        """Make the hook; the Amazon providers of MWAA leave that to each trigger."""
        return self.aws_hook_class(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait one delay, then poll with the waiter."""
        await asyncio.sleep(self.waiter_delay)
        async for event in super().run():
            yield event


class ProjectStatusTrigger(StatusTrigger):
    """Wait for a project's status.

    :param project_name: the project.
    """

    queries = ("ProjectDescriptions[0].Status",)

    def __init__(self, *, project_name: str, **kwargs: Any) -> None:
        self.fields = {"project_name": project_name}
        self.arguments = {"ProjectNames": [project_name]}
        super().__init__(**kwargs)


class DatasetStatusTrigger(StatusTrigger):
    """Wait for a dataset's status.

    :param dataset_arn: the dataset.
    """

    queries = ("DatasetDescription.Status", "DatasetDescription.StatusMessage")

    def __init__(self, *, dataset_arn: str, **kwargs: Any) -> None:
        self.fields = {"dataset_arn": dataset_arn}
        self.arguments = {"DatasetArn": dataset_arn}
        super().__init__(**kwargs)


class ProjectVersionStatusTrigger(StatusTrigger):
    """Wait for the status of a model version.

    :param project_arn: the project.
    :param version_name: the version's name; always named, or the API would answer with every version.
    :param stop_on_kill: stop the version when a user kills the waiting task, so that no model is left starting,
        unwatched and billed by the minute.
    """

    queries = ("ProjectVersionDescriptions[0].Status", "ProjectVersionDescriptions[0].StatusMessage")

    def __init__(self, *, project_arn: str, version_name: str, stop_on_kill: bool = False, **kwargs: Any) -> None:
        self.fields = {"project_arn": project_arn, "version_name": version_name, "stop_on_kill": stop_on_kill}
        self.arguments = {"ProjectArn": project_arn, "VersionNames": [version_name]}
        super().__init__(**kwargs)

    async def on_kill(self) -> None:
        """Stop a model that was being started; a training is left alone, since it cannot be stopped and is paid."""
        if not self.fields["stop_on_kill"]:
            return
        async with await self.hook().get_async_conn() as client:
            found = await client.describe_project_versions(**self.arguments)
            for version in found["ProjectVersionDescriptions"]:
                try:
                    await client.stop_project_version(ProjectVersionArn=version["ProjectVersionArn"])
                except ClientError as error:
                    self.log.warning(
                        "Model version %s was starting when its task was killed and could not be stopped yet (%s). "
                        "It is billed by the minute once it runs: stop it in the Custom Labels console, or "
                        "with CustomLabelsStopVersionOperator, which waits until it can be stopped.",
                        self.fields["version_name"],
                        error,
                    )
