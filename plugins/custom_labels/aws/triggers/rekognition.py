"""Triggers that wait for Custom Labels datasets and model versions without holding a worker slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
from airflow.triggers.base import TriggerEvent
from botocore.exceptions import ClientError

from custom_labels.aws.hooks.rekognition import RekognitionHook


class StatusTrigger(AwsBaseWaiterTrigger):
    """Base of the triggers: sleep, then look, since the task looked just before it deferred.

    An event that comes at once is also one too early for Airflow: where a worker has not yet reported the end of its
    process, the scheduler takes the resumed task for one that was changed from outside, and retries it.
    """

    aws_hook_class = RekognitionHook

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
    :param waiter_name: a waiter of ``waiters/rekognition.json`` on DescribeProjects.
    :param waiter_delay: seconds between two polls.
    :param waiter_max_attempts: number of polls.
    """

    def __init__(
        self,
        *,
        project_name: str,
        waiter_name: str,
        waiter_delay: int = 5,
        waiter_max_attempts: int = 60,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            serialized_fields={"project_name": project_name, "waiter_name": waiter_name},
            waiter_name=waiter_name,
            waiter_args={"ProjectNames": [project_name]},
            failure_message=f"Project {project_name}",
            status_message=f"Waiting ({waiter_name}): project status",
            status_queries=["ProjectDescriptions[0].Status"],
            return_key="project_name",
            return_value=project_name,
            waiter_delay=waiter_delay,
            waiter_max_attempts=waiter_max_attempts,
            aws_conn_id=aws_conn_id,
            region_name=region_name,
            verify=verify,
            botocore_config=botocore_config,
        )


class DatasetStatusTrigger(StatusTrigger):
    """Wait for a dataset's status.

    :param dataset_arn: the dataset.
    :param waiter_name: a waiter of ``waiters/rekognition.json`` on DescribeDataset.
    :param waiter_delay: seconds between two polls.
    :param waiter_max_attempts: number of polls.
    """

    def __init__(
        self,
        *,
        dataset_arn: str,
        waiter_name: str,
        waiter_delay: int = 10,
        waiter_max_attempts: int = 360,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            serialized_fields={"dataset_arn": dataset_arn, "waiter_name": waiter_name},
            waiter_name=waiter_name,
            waiter_args={"DatasetArn": dataset_arn},
            failure_message=f"Dataset {dataset_arn}",
            status_message=f"Waiting ({waiter_name}): dataset status",
            status_queries=["DatasetDescription.Status", "DatasetDescription.StatusMessage"],
            return_key="dataset_arn",
            return_value=dataset_arn,
            waiter_delay=waiter_delay,
            waiter_max_attempts=waiter_max_attempts,
            aws_conn_id=aws_conn_id,
            region_name=region_name,
            verify=verify,
            botocore_config=botocore_config,
        )


class ProjectVersionStatusTrigger(StatusTrigger):
    """Wait for the status of a model version.

    :param project_arn: the project.
    :param version_name: the version's name; always named, or the API would answer with every version.
    :param waiter_name: a waiter of ``waiters/rekognition.json`` on DescribeProjectVersions.
    :param waiter_delay: seconds between two polls.
    :param waiter_max_attempts: number of polls.
    :param stop_on_kill: stop the version when a user kills the waiting task, so that no model is left starting,
        unwatched and billed by the minute.
    """

    def __init__(
        self,
        *,
        project_arn: str,
        version_name: str,
        waiter_name: str,
        waiter_delay: int = 60,
        waiter_max_attempts: int = 1560,
        stop_on_kill: bool = False,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            serialized_fields={
                "project_arn": project_arn,
                "version_name": version_name,
                "waiter_name": waiter_name,
                "stop_on_kill": stop_on_kill,
            },
            waiter_name=waiter_name,
            waiter_args={"ProjectArn": project_arn, "VersionNames": [version_name]},
            failure_message=f"Model version {version_name}",
            status_message=f"Waiting ({waiter_name}): status of {version_name}",
            status_queries=[
                "ProjectVersionDescriptions[0].Status",
                "ProjectVersionDescriptions[0].StatusMessage",
            ],
            return_key="version_name",
            return_value=version_name,
            waiter_delay=waiter_delay,
            waiter_max_attempts=waiter_max_attempts,
            aws_conn_id=aws_conn_id,
            region_name=region_name,
            verify=verify,
            botocore_config=botocore_config,
        )
        self.project_arn = project_arn
        self.version_name = version_name
        self.stop_on_kill = stop_on_kill

    async def on_kill(self) -> None:
        """Stop a model that was being started; a training is left alone, since it cannot be stopped and is paid."""
        if not self.stop_on_kill:
            return
        async with await self.hook().get_async_conn() as client:
            found = await client.describe_project_versions(
                ProjectArn=self.project_arn, VersionNames=[self.version_name]
            )
            for version in found["ProjectVersionDescriptions"]:
                try:
                    await client.stop_project_version(ProjectVersionArn=version["ProjectVersionArn"])
                except ClientError as error:
                    self.log.warning(
                        "Model version %s was starting when its task was killed and could not be stopped yet (%s). "
                        "It is billed by the minute once it runs: stop it in the Custom Labels console, or "
                        "with CustomLabelsStopVersionOperator, which waits until it can be stopped.",
                        self.version_name,
                        error,
                    )
