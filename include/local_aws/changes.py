"""The calls that change something at AWS, in the order in which they came: what each was and what it was about."""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

from include.local_aws.messages import Request
from include.local_aws.operations import Operation
from include.local_aws.strict_json import read_json

_READING = re.compile(r"(Get|List|Head|Describe|Receive|Detect|Render|Select|Lookup|HEAD |GET )")
_SUBJECTS = (
    "VersionName",
    "ProjectVersionArn",
    "DatasetType",
    "DatasetArn",
    "ProjectName",
    "ProjectArn",
    "HumanLoopName",
    "LabelingJobName",
    "QueueUrl",
    "TopicArn",
    "TargetArn",
    "Name",
    "ResourceArn",
)
"""What a request is about: the first of these members that it has; of an ARN the resource, without its time stamp."""


def is_change(operation: Operation) -> bool:
    """Say whether a call changes something, to tell by its name.

    ReceiveMessage counts as reading: what it hides comes back by itself.
    """
    return not _READING.match(operation.name)


def subject_of(request: Request, operation: Operation) -> str:
    """Say what a call is about: an object's key, or the name of the version, dataset, queue ... ; empty if unknown."""
    if operation.protocol == "s3":
        return request.path.lstrip("/").partition("/")[2]
    if operation.service == "sagemaker-a2i-runtime" and not request.body:
        return request.path.rpartition("/")[2]
    members = _members(request, operation)
    value = next((str(members[name]) for name in _SUBJECTS if name in members), "")
    if value.startswith("arn:aws:rekognition:"):
        return value.split(":", 5)[5].rpartition("/")[0]
    return value.rpartition("/")[2].rpartition(":")[2]


def _members(request: Request, operation: Operation) -> dict[str, Any]:
    if operation.protocol == "query":
        return dict(parse_qsl(request.body.decode("utf-8", "replace")))
    try:
        members = read_json(request.body or b"{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


@dataclass(frozen=True)
class Change:
    """A call of 'service.Operation' about something; `effect` says whether it did what was asked."""

    operation: str
    subject: str
    effect: bool


class Changes:
    """The changing calls since the start or the last clear."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: list[Change] = []

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._changes = []

    def record(self, change: Change) -> None:
        """Add one."""
        with self._lock:
            self._changes.append(change)

    def to_json(self) -> list[dict[str, Any]]:
        """Return them in order."""
        with self._lock:
            return [asdict(change) for change in self._changes]
