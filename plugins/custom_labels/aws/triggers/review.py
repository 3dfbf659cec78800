"""The trigger that waits for a flow definition of Amazon A2I without holding a worker slot."""

from __future__ import annotations

from typing import Any

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.aws.triggers.rekognition import StatusTrigger


class ReviewFlowTrigger(StatusTrigger):
    """Wait for a flow definition's status.

    :param flow_name: the flow definition.
    """

    aws_hook_class = ReviewSetupHook
    queries = ("FlowDefinitionStatus", "FailureReason")

    def __init__(self, *, flow_name: str, **kwargs: Any) -> None:
        self.fields = {"flow_name": flow_name}
        self.arguments = {"FlowDefinitionName": flow_name}
        super().__init__(**kwargs)
