"""GetBucketNotificationConfiguration says whether a bucket sends to EventBridge, which moto keeps and does not show."""

from __future__ import annotations

import re

from include.local_aws.messages import Request, Response
from include.local_aws.objects import Objects

_SHOWN = "<EventBridgeConfiguration></EventBridgeConfiguration>"
_WHOLE = re.compile(r"<NotificationConfiguration([^>]*?)(?:/>|>(.*)</NotificationConfiguration>)", re.DOTALL)


def with_event_bridge(request: Request, response: Response, objects: Objects) -> Response:
    """Return moto's answer, with the part about EventBridge where the bucket has it."""
    if request.method != "GET" or "notification" not in request.parameters or response.status != 200:
        return response
    if not objects.sends_to_event_bridge(request.path.strip("/")):
        return response
    body = _WHOLE.sub(
        lambda match: f"<NotificationConfiguration{match[1]}>{match[2] or ''}{_SHOWN}</NotificationConfiguration>",
        response.body.decode(),
    )
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return Response(response.status, headers, body.encode())
