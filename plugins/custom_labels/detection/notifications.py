"""What a bucket's notifications and EventBridge's rules send to a project's queues, and what is wrong with them.

Sources: S3 User Guide, "Configuring event notifications using object key name filtering"; EventBridge User Guide,
"Amazon EventBridge event patterns".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

CREATED = frozenset(f"s3:ObjectCreated:{kind}" for kind in ("Put", "Post", "Copy", "CompleteMultipartUpload"))
EVERY_CREATION = "s3:ObjectCreated:*"
_KINDS = {
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}


@dataclass(frozen=True)
class Route:
    """One notification of a bucket.

    :param target: ARN of the queue, topic or function that it sends to.
    :param prefix: what the keys begin with that it announces; likewise ``suffix``.
    """

    id: str
    target: str
    events: frozenset[str]
    prefix: str
    suffix: str

    def reaches(self, folder: str) -> bool:
        """Whether it announces any object of a folder."""
        return self.prefix.startswith(folder) or folder.startswith(self.prefix)

    def faults(self, folder: str) -> Iterator[str]:
        """Explain why it does not announce every new object of a folder, and no other; nothing if it does."""
        named = f"the prefix '{self.prefix}'" if self.prefix else "no prefix"
        if folder != self.prefix and folder.startswith(self.prefix):
            yield f"has {named}, so that what the project writes itself is announced as new images, too"
        elif self.prefix != folder:
            yield f"has {named}, so that {'other' if self.reaches(folder) else 'no'} images of the inbox are announced"
        if self.suffix:
            yield f"has the suffix '{self.suffix}', so that images with other endings are not announced"
        missing = sorted(CREATED - self.events)
        if EVERY_CREATION not in self.events and missing:
            yield f"leaves out {', '.join(missing)}, so that images which come that way are not announced"


def routes_of(configuration: Mapping[str, Any]) -> tuple[Route, ...]:
    """Read the answer of GetBucketNotificationConfiguration."""
    return tuple(_route(each, target) for kind, target in _KINDS.items() for each in configuration.get(kind, ()))


def _route(value: Mapping[str, Any], target: str) -> Route:
    rules = value.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = {str(rule["Name"]).lower(): unquote_plus(rule["Value"]) for rule in rules}
    events = frozenset(value.get("Events", ()))
    return Route(value.get("Id", ""), value[target], events, filters.get("prefix", ""), filters.get("suffix", ""))


def may_send_own_objects(configuration: Mapping[str, Any], queue_arn: str, folders: tuple[str, ...]) -> bool:
    """Whether a bucket may announce to a queue what is below none of some folders, by itself or through SNS or
    EventBridge.

    :param folders: what the queue is for.
    """
    if "EventBridgeConfiguration" in configuration or configuration.get("TopicConfigurations"):
        return True
    mine = [route for route in routes_of(configuration) if route.target == queue_arn]
    return any(not route.prefix.startswith(folders) for route in mine)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool | None:
    """Whether EventBridge sends an event to the targets of a rule with this pattern.

    :return: ``None`` where the pattern asks for what the event does not hold, or uses a comparison that is not known
        here: then it cannot be known.
    """
    found: set[bool | None] = set()
    for name, wanted in pattern.items():
        if name not in event:
            found.add(None)
        elif isinstance(wanted, Mapping):
            found.add(matches(wanted, event[name]) if isinstance(event[name], Mapping) else None)
        else:
            found.add(_matches_any(wanted, event[name]))
    return False if False in found else None if None in found else True


def _matches_any(wanted: list[Any], value: Any) -> bool | None:
    found = {_matches_one(each, value) for each in wanted}
    return True if True in found else None if None in found else False


def _matches_one(wanted: Any, value: Any) -> bool | None:
    if not isinstance(wanted, Mapping):
        return bool(wanted == value)
    if set(wanted) == {"exists"}:
        return bool(wanted["exists"])
    text = next(iter(wanted.values()), None)
    if isinstance(text, str) and set(wanted) <= {"prefix", "suffix"}:
        return str(value).startswith(text) if "prefix" in wanted else str(value).endswith(text)
    return None
