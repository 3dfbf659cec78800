"""The trigger that waits for a flow definition of Amazon A2I without holding a worker slot."""

from __future__ import annotations

from typing import Any

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.aws.triggers.rekognition import StatusTrigger


class ReviewFlowTrigger(StatusTrigger):
    """Wait for a flow definition's status.

    :param flow_name: the flow definition.
    :param waiter_name: a waiter of ``waiters/sagemaker.json`` on DescribeFlowDefinition.
    :param waiter_delay: seconds between two polls.
    :param waiter_max_attempts: number of polls.
    """

    aws_hook_class = ReviewSetupHook  # type: ignore[assignment]

    def __init__(
        self,
        *,
        flow_name: str,
        waiter_name: str,
        waiter_delay: int = 5,
        waiter_max_attempts: int = 120,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            serialized_fields={"flow_name": flow_name, "waiter_name": waiter_name},
            waiter_name=waiter_name,
            waiter_args={"FlowDefinitionName": flow_name},
            failure_message=f"Flow {flow_name}",
            status_message=f"Waiting ({waiter_name}): flow status",
            status_queries=["FlowDefinitionStatus", "FailureReason"],
            return_key="flow_name",
            return_value=flow_name,
            waiter_delay=waiter_delay,
            waiter_max_attempts=waiter_max_attempts,
            aws_conn_id=aws_conn_id,
            region_name=region_name,
            verify=verify,
            botocore_config=botocore_config,
        )
