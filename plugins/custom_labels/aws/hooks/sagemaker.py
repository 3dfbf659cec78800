"""The hook for what human review is set up with: task UIs, flow definitions and workteams of Amazon SageMaker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from custom_labels.aws.hooks.base import P, ServiceHook, find
from custom_labels.aws.statuses import NOTHING, Described

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import HumanLoopConfigTypeDef, TagTypeDef, WorkteamTypeDef

EXISTS = frozenset({"ResourceInUse", "ConflictException"})


class ReviewSetupHook(ServiceHook["SageMakerClient"]):
    """Interact with the set-up side of Amazon A2I, which belongs to SageMaker; the parameters are those of
    :class:`ServiceHook`.
    """

    service = "sagemaker"

    def describe_task_ui(self, name: str) -> Described:
        """Describe a task UI by name; one that does not exist has no status."""
        found = find(self.client.describe_human_task_ui, HumanTaskUiName=name)
        return Described(found["HumanTaskUiStatus"], raw=dict(found)) if found else NOTHING

    def describe_flow(self, name: str) -> Described:
        """Describe a flow definition by name; one that does not exist has no status."""
        found = find(self.client.describe_flow_definition, FlowDefinitionName=name)
        if found is None:
            return NOTHING
        return Described(found["FlowDefinitionStatus"], found.get("FailureReason") or "", dict(found))

    def list_flows(self) -> Iterator[str]:
        """Name the flow definitions of the account, a page of them at a time."""
        for page in self.client.get_paginator("list_flow_definitions").paginate():
            for flow in page["FlowDefinitionSummaries"]:
                yield flow["FlowDefinitionName"]

    def find_workteam(self, arn: str) -> WorkteamTypeDef | None:
        """Describe a workteam; ``None`` if there is none with this ARN.

        A missing one is a ValidationException, as is a name that cannot be one (not verified against AWS).
        """
        try:
            found = find(self.client.describe_workteam, WorkteamName=arn.rpartition("/")[2])
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
                self.client.create_human_task_ui,
                HumanTaskUiName=name,
                UiTemplate={"Content": template},
                Tags=_listed(tags),
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
            self.client.create_flow_definition,
            FlowDefinitionName=name,
            HumanLoopConfig=loop,
            OutputConfig={"S3OutputPath": output},
            RoleArn=role_arn,
            Tags=_listed(tags),
        )

    def delete_task_ui(self, name: str) -> None:
        """Delete a task UI; one that does not exist is left."""
        find(self.client.delete_human_task_ui, HumanTaskUiName=name)

    def delete_flow(self, name: str) -> None:
        """Delete a flow definition; one that does not exist is left."""
        find(self.client.delete_flow_definition, FlowDefinitionName=name)

    def render_page(self, template: str, task_input: str, role_arn: str) -> tuple[str, list[str]]:
        """Render a worker page with a task's input, as A2I does when a human loop starts.

        :param role_arn: role that images are read with.
        :return: the page, and what is wrong with template or input, in AWS's words.
        """
        answer = self.client.render_ui_template(
            UiTemplate={"Content": template}, Task={"Input": task_input}, RoleArn=role_arn
        )
        return answer["RenderedContent"], [f"{each['Code']}: {each['Message']}" for each in answer["Errors"]]

    def _create(self, create: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Create something; one that is there was made by another try, since its name is made of its content."""
        try:
            create(*args, **kwargs)
        except ClientError as error:
            if error.response["Error"]["Code"] not in EXISTS:
                raise
            self.log.info("It was created meanwhile, adopting it: %s", error)


def _listed(tags: dict[str, str]) -> list[TagTypeDef]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
