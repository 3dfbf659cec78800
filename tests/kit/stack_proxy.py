"""A proxy before CloudFormation: states that moto's stacks are never in, and calls that are refused."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from tests.kit.faulty_proxy import FaultyProxy

_ERROR = (
    '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
    "<Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
)
_XML = {"Content-Type": "text/xml"}
_DENIED = _ERROR.format(code="AccessDenied", message="User: arn:aws:iam::123456789012:user/anna is not authorized")
_EVENT = (
    "<member><StackId>{stack}</StackId><EventId>event-{number}</EventId><StackName>s</StackName>"
    "<LogicalResourceId>{resource}</LogicalResourceId><ResourceType>{kind}</ResourceType>"
    "<Timestamp>2026-11-29T08:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus>"
    "<ResourceStatusReason>{reason}</ResourceStatusReason></member>"
)
_CHANGES = {"ExecuteChangeSet", "DeleteStack"}


class StackProxy(FaultyProxy):
    """Stands before the embedded AWS.

    ``statuses`` are told one after the other, whatever state a stack is in; then the truth again. ``events`` are told
    once something is changed, beside those of the stack, the newest first: resource, its type, its status and why.
    ``refused`` are calls that are denied. Of one name there is one change set, as at AWS, and with ``no_change_set``
    they fail for that reason.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, lambda *_: None)
        self.statuses: list[str] = []
        self.events: list[tuple[str, str, str, str]] = []
        self.refused: set[str] = set()
        self.no_change_set = ""
        self.names: set[str] = set()
        self.actions: list[str] = []

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        target = handler.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fields = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        action = target or fields.get("Action", "")
        self.actions.append(action)
        if action in self.refused:
            return 403, _XML, _DENIED.encode()
        if action == "CreateChangeSet":
            if (name := fields["ChangeSetName"]) in self.names:
                error = _ERROR.format(code="AlreadyExistsException", message=f"ChangeSet {name} already exists")
                return 400, _XML, error.encode()
            self.names.add(name)
        if action in {"DeleteChangeSet", "DeleteStack"}:
            self.names.clear()
        status, headers, content = super()._forward(handler, body)
        return status, headers, self._retold(action, content.decode()).encode() if status == 200 else content

    def _retold(self, action: str, text: str) -> str:
        if action == "DescribeStacks" and "<StackStatus>" in text and self.statuses:
            return re.sub(r"<StackStatus>\w+", f"<StackStatus>{self.statuses.pop(0)}", text)
        if action == "DescribeChangeSet" and self.no_change_set:
            text = re.sub("(?<=<ExecutionStatus>)[A-Z_]+", "UNAVAILABLE", text)
            return re.sub(
                "<Status>[A-Z_]+</Status>",
                f"<Status>FAILED</Status><StatusReason>{self.no_change_set}</StatusReason>",
                text,
            )
        if action == "DescribeStackEvents" and _CHANGES.intersection(self.actions):
            events = [
                _EVENT.format(stack="s", number=number, resource=resource, kind=kind, status=status, reason=reason)
                for number, (resource, kind, status, reason) in enumerate(self.events)
            ]
            return text.replace("<StackEvents>", f"<StackEvents>{''.join(events)}", 1)
        return text
