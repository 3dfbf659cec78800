"""Statuses that descriptions are made to tell, whatever state a resource is in, known to AWS or not."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from include.local_aws.settings import SettingError, json_object, optional_count
from include.local_aws.wire.parse import Params
from include.local_aws.wire.validate import Forced


@dataclass(frozen=True)
class _Place:
    """Where an answer tells a status.

    Parameters: `name` is the member, of the answer or of the request, that names the resource; `items` is the member
    that holds the resource or lists them, None where the answer itself is the resource.
    """

    name: str
    status: str
    message: str | None = None
    items: str | None = None


_PLACES = {
    "rekognition.DescribeProjects": _Place("ProjectArn", "Status", items="ProjectDescriptions"),
    "rekognition.DescribeDataset": _Place("DatasetArn", "Status", "StatusMessage", "DatasetDescription"),
    "rekognition.DescribeProjectVersions": _Place(
        "ProjectVersionArn", "Status", "StatusMessage", "ProjectVersionDescriptions"
    ),
    "sagemaker.DescribeFlowDefinition": _Place("FlowDefinitionArn", "FlowDefinitionStatus", "FailureReason"),
    "sagemaker.DescribeHumanTaskUi": _Place("HumanTaskUiArn", "HumanTaskUiStatus"),
    "sagemaker.DescribeLabelingJob": _Place("LabelingJobArn", "LabelingJobStatus", "FailureReason"),
    "sagemaker.ListLabelingJobs": _Place(
        "LabelingJobArn", "LabelingJobStatus", "FailureReason", "LabelingJobSummaryList"
    ),
    "sagemaker-a2i-runtime.DescribeHumanLoop": _Place("HumanLoopName", "HumanLoopStatus", "FailureReason"),
    "sagemaker-a2i-runtime.ListHumanLoops": _Place(
        "HumanLoopName", "HumanLoopStatus", "FailureReason", "HumanLoopSummaries"
    ),
}


@dataclass(frozen=True)
class StatusRule:
    """A status to tell.

    Parameters: `resource` is a glob on the ARN, of a human loop on the name; `message` is told as AWS's own words
    where the answer has room for them; `times` limits the rule to the first n answers.
    """

    resource: str
    status: str
    message: str | None = None
    times: int | None = None

    @classmethod
    def from_json(cls, value: object) -> StatusRule:
        """Read one rule; raises SettingError with what is wrong."""
        fields = json_object(value, "status", {"resource", "status", "message", "times"})
        for name in ("resource", "status"):
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise SettingError(f"{name!r} of the status is {fields.get(name)!r}: expected a text.")
        message = fields.get("message")
        if message is not None and not isinstance(message, str):
            raise SettingError(f"'message' of the status is {message!r}: expected a text, or null.")
        return cls(fields["resource"], fields["status"], message, optional_count(fields.get("times"), "status"))


class Statuses:
    """The rules in force; the first that matches and is not used up is told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[StatusRule, list[int]]] = []

    def set_rules(self, rules: list[StatusRule]) -> None:
        """Replace the rules."""
        with self._lock:
            self._rules = [(rule, [0]) for rule in rules]

    def to_json(self) -> list[dict[str, Any]]:
        """Give the rules, each with how often it was told."""
        with self._lock:
            return [{**vars(rule), "told": count[0]} for rule, count in self._rules]

    def revise(self, operation: str, params: Params, answer: Params) -> Params:
        """Return the answer of 'service.Operation' with the statuses that the rules tell."""
        place = _PLACES.get(operation)
        if place is None or not self._rules:
            return answer
        if place.items is None:
            return self._told(place, params, answer)
        found = answer[place.items]
        if isinstance(found, list):
            return {**answer, place.items: [self._told(place, params, item) for item in found]}
        return {**answer, place.items: self._told(place, params, found)}

    def _told(self, place: _Place, params: Mapping[str, Any], item: Params) -> Params:
        rule = self._take(str(item.get(place.name) or params.get(place.name)))
        if rule is None:
            return item
        message = {place.message: rule.message} if place.message and rule.message is not None else {}
        return {**item, place.status: Forced(rule.status), **message}

    def _take(self, resource: str) -> StatusRule | None:
        with self._lock:
            for rule, count in self._rules:
                spent = rule.times is not None and count[0] >= rule.times
                if not spent and fnmatchcase(resource, rule.resource):
                    count[0] += 1
                    return rule
        return None
