"""The hook for what human review is set up with: task UIs, flow definitions and workteams of Amazon SageMaker."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config
from botocore.exceptions import ClientError

from custom_labels.domain.statuses import NOTHING, Described

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import HumanLoopConfigTypeDef, TagTypeDef, WorkteamTypeDef

Result = TypeVar("Result")
RETRIES = {"mode": "standard", "max_attempts": 10}
MISSING = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
EXISTS = frozenset({"ResourceInUse", "ConflictException"})


class ReviewSetupHook(AwsBaseHook):
    """Interact with the set-up side of Amazon A2I, which belongs to SageMaker.

    :param aws_conn_id: the Airflow connection, as for every hook of the Amazon provider; likewise
        ``region_name``, ``verify`` and ``config`` (a botocore ``Config`` or its keywords).
    """

    def __init__(
        self,
        aws_conn_id: str | None = "aws_default",
        *,
        region_name: str | None = None,
        verify: bool | str | None = None,
        config: Config | dict[str, Any] | None = None,
    ) -> None:
        given = Config(**config) if isinstance(config, dict) else config
        defaults = Config(retries=RETRIES)  # type: ignore[arg-type]
        super().__init__(
            aws_conn_id,
            region_name=region_name,
            verify=verify,
            client_type="sagemaker",
            config=defaults.merge(given) if given else defaults,
        )

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """The waiters of this package; neither the SDK nor the provider has one for flow definitions."""
        return Path(__file__).parents[1] / "waiters" / "sagemaker.json"

    @cached_property
    def client(self) -> SageMakerClient:
        """The boto3 client, typed."""
        client: SageMakerClient = self.conn
        return client

    def describe_task_ui(self, name: str) -> Described:
        """Describe a task UI by name; one that does not exist has no status."""
        found = _find(lambda: self.client.describe_human_task_ui(HumanTaskUiName=name))
        return Described(found["HumanTaskUiStatus"], raw=dict(found)) if found else NOTHING

    def describe_flow(self, name: str) -> Described:
        """Describe a flow definition by name; one that does not exist has no status."""
        found = _find(lambda: self.client.describe_flow_definition(FlowDefinitionName=name))
        if found is None:
            return NOTHING
        return Described(found["FlowDefinitionStatus"], found.get("FailureReason") or "", dict(found))

    def find_workteam(self, arn: str) -> WorkteamTypeDef | None:
        """Describe a workteam; ``None`` if there is none with this ARN.

        A missing one is a ValidationException, as is a name that cannot be one (not verified against AWS).
        """
        try:
            found = _find(lambda: self.client.describe_workteam(WorkteamName=arn.rpartition("/")[2]))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                return None
            raise
        return found["Workteam"] if found and found["Workteam"]["WorkteamArn"] == arn else None

    def create_task_ui(self, name: str, template: str, tags: dict[str, str]) -> str:
        """Create a task UI, or adopt the one of that name; give its ARN."""
        found = self.describe_task_ui(name)
        if found.status is None:
            self._create(
                lambda: self.client.create_human_task_ui(
                    HumanTaskUiName=name, UiTemplate={"Content": template}, Tags=_listed(tags)
                )
            )
            found = self.describe_task_ui(name)
        return str(found.raw["HumanTaskUiArn"])

    def create_flow(
        self, name: str, loop: HumanLoopConfigTypeDef, output: str, role_arn: str, tags: dict[str, str]
    ) -> None:
        """Create a flow definition, or adopt the one of that name.

        :param loop: who is asked what, and for how long.
        :param output: ``s3://`` URI that answers are written below.
        """
        self._create(
            lambda: self.client.create_flow_definition(
                FlowDefinitionName=name,
                HumanLoopConfig=loop,
                OutputConfig={"S3OutputPath": output},
                RoleArn=role_arn,
                Tags=_listed(tags),
            )
        )

    def _create(self, create: Callable[[], Any]) -> None:
        """Create something; one that is there was made by another try, since its name is made of its content."""
        try:
            create()
        except ClientError as error:
            if error.response["Error"]["Code"] not in EXISTS:
                raise
            self.log.info("It was created meanwhile, adopting it: %s", error)


def _find(describe: Callable[[], Result]) -> Result | None:
    try:
        return describe()
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            return None
        raise


def _listed(tags: dict[str, str]) -> list[TagTypeDef]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
