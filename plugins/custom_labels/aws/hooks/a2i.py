"""The hook for the Amazon A2I runtime: human loops by name, and pages of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from custom_labels.aws.hooks.base import ServiceHook, find

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_a2i_runtime.client import AugmentedAIRuntimeClient
    from mypy_boto3_sagemaker_a2i_runtime.type_defs import HumanLoopSummaryTypeDef

PAGE = 100
"""The most that ListHumanLoops gives at once (A2I runtime API reference)."""


class A2IHook(ServiceHook["AugmentedAIRuntimeClient"]):
    """Interact with the Amazon A2I runtime; the parameters are those of :class:`ServiceHook`."""

    service = "sagemaker-a2i-runtime"
    connections = 32  # more than the threads of any caller

    def find_loop(self, name: str) -> dict[str, Any] | None:
        """Describe a human loop; ``None`` if there is none of this name."""
        found = find(self.client.describe_human_loop, HumanLoopName=name)
        return dict(found) if found else None

    def loops(self, flow_arn: str, since: datetime) -> Iterator[list[HumanLoopSummaryTypeDef]]:
        """List a flow's loops that were created at or after a moment, oldest first, a page at a time."""
        pages = self.client.get_paginator("list_human_loops").paginate(
            FlowDefinitionArn=flow_arn,
            CreationTimeAfter=since,
            SortOrder="Ascending",
            PaginationConfig={"PageSize": PAGE},
        )
        for page in pages:
            yield page["HumanLoopSummaries"]
