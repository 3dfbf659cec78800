"""The messages by which EventBridge announces that loops have ended."""

from __future__ import annotations

from custom_labels.core.names import slug
from custom_labels.review.backends.base import Announcements

EVENT = "SageMaker A2I HumanLoop Status Change"
"""Detail type of the messages (SageMaker guide, A2I events)."""
ENDED = ("Completed", "Failed", "Stopped")


def announced(queue: str, project: str) -> Announcements:
    """Describe the events about the loops of a project's flows.

    :param queue: ARN of the queue that they have to reach.
    """
    partition, _, region, account = queue.split(":")[1:5]
    flow = f"arn:{partition}:sagemaker:{region}:{account}:flow-definition/{slug(project)}-"
    events = (
        {
            "source": "aws.sagemaker",
            "detail-type": EVENT,
            "detail": {"flowDefinitionArn": f"{flow}any", "humanLoopStatus": status},
        }
        for status in ENDED
    )
    return Announcements(f"'{EVENT}' of the flows {flow}* in the states {', '.join(ENDED)}", tuple(events))
