"""Whether new images and finished reviews are announced to a project's queues, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from custom_labels.core.checks import TEMPLATE
from custom_labels.core.context import ProjectContext
from custom_labels.core.keys import INBOX
from custom_labels.detection.notifications import EVERY_CREATION, Route, matches, routes_of
from custom_labels.errors import CustomLabelsError
from custom_labels.review.backends.base import Announcements
from custom_labels.s3.errors import error_code

OWN_OBJECT = "registry/last_run/project_detect.json"
"""Stands for all that the project writes itself."""
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"})


class WrongAnnouncement(CustomLabelsError):
    """Something is not announced, or to the wrong queue, or too much is."""


class AnnouncementChecks:
    """The checks of what feeds the queues.

    :param client: gives a boto3 client of the project's connection and region by its service.
    :param arns: the queues' ARNs by their names in the project file, of those that it names.
    """

    def __init__(self, ctx: ProjectContext, client: Callable[[str], Any], arns: Mapping[str, str]) -> None:
        self.project = ctx.project
        self.store = ctx.store
        self.client = client
        self.arns = arns
        self.folder = ctx.store.key(INBOX)
        self.notes: list[str] = []

    def images(self) -> str:
        """See whether every new image of the inbox is announced to ``queues.detections``, and nothing else.

        :raises WrongAnnouncement: with every notification and rule that is wrong.
        """
        queue = self.arns["detections"]
        configuration = self.store.client.get_bucket_notification_configuration(Bucket=self.project.bucket)
        routes = routes_of(configuration)
        ways = [route for route in routes if route.target == queue or self._comes_by_topic(route, queue)]
        problems = [text for route in ways for text in self._route_problems(route)]
        problems += list(self._sent_elsewhere(routes))
        rules = self._rules(queue) if "EventBridgeConfiguration" in configuration else {}
        announcing = {name: rule for name, rule in rules.items() if self._image_matches(rule) is not False}
        problems += [text for name, rule in announcing.items() for text in self._rule_problems(name, rule)]
        if not ways and not announcing and not self.notes:
            problems.insert(0, self._missing(routes, queue))
        if problems:
            raise WrongAnnouncement(" ".join(problems))
        by = [route.target for route in ways if route.target != queue] + [f"rule {name}" for name in announcing]
        way = f" by {', '.join(by)}" if by else ""
        return "; ".join([f"{self.folder} to {queue}{way}", *self.notes])

    def reviews(self, announced: Announcements) -> str:
        """See whether what the review backend announces reaches ``queues.reviews``: events, or objects of the bucket.

        :raises WrongAnnouncement: it does not.
        """
        if not (announced.events or announced.folder):
            return announced.what
        queue = self.arns["reviews"]
        if announced.folder:
            return self._objects(announced, queue)
        rules = self._rules(queue)
        if self.notes:
            return "; ".join(self.notes)
        names = [
            name
            for name, rule in rules.items()
            if rule["State"].startswith("ENABLED")
            and all(matches(_pattern(rule), each) is not False for each in announced.events)
        ]
        if names:
            return f"rule {', '.join(names)} to {queue}"
        found = ", ".join(f"{name} ({rule['State']})" for name, rule in rules.items()) or "none"
        raise WrongAnnouncement(
            f"No enabled EventBridge rule sends {announced.what} to {queue}; rules with this target: {found}. Finished "
            f"reviews are found on the schedule only. Add that rule ({TEMPLATE} has it), or take 'queues.reviews' out "
            f"of {self.project.name}.yaml."
        )

    def _objects(self, announced: Announcements, queue: str) -> str:
        """See whether the bucket announces what a review backend writes below a folder.

        :raises WrongAnnouncement: it does not.
        """
        configuration = self.store.client.get_bucket_notification_configuration(Bucket=self.project.bucket)
        folder, created = self.store.key(announced.folder), self._created(f"{self.store.key(announced.folder)}1")
        ways = [
            f"notification {route.id}"
            for route in routes_of(configuration)
            if route.reaches(folder) and (route.target == queue or self._comes_by_topic(route, queue))
        ]
        if "EventBridgeConfiguration" in configuration:
            rules = {name: rule for name, rule in self._rules(queue).items() if rule["State"].startswith("ENABLED")}
            ways += [f"rule {name}" for name, rule in rules.items() if matches(_pattern(rule), created) is not False]
        if ways or self.notes:
            return "; ".join([f"{folder} to {queue} by {', '.join(ways)}"] * bool(ways) + self.notes)
        raise WrongAnnouncement(
            f"The bucket {self.project.bucket} does not send {EVERY_CREATION} of {folder} to {queue}. Finished reviews "
            f"are found on the schedule only. Add that notification to the bucket, or take 'queues.reviews' out of "
            f"{self.project.name}.yaml."
        )

    # -- notifications of the bucket -------------------------------------------------------------------

    def _route_problems(self, route: Route) -> Iterator[str]:
        for fault in route.faults(self.folder):
            yield (
                f"The notification '{route.id}' of the bucket {self.project.bucket} to {route.target} {fault}. Give it "
                f"the prefix '{self.folder}', no suffix, and the event {EVERY_CREATION}, as {TEMPLATE} does."
            )

    def _sent_elsewhere(self, routes: tuple[Route, ...]) -> Iterator[str]:
        """Name what is sent to a queue of the project that is for something else."""
        others = {arn: name for name, arn in self.arns.items() if name != "detections"}
        for route in routes:
            if route.target in others and route.reaches(self.folder):
                yield (
                    f"The notification '{route.id}' of the bucket {self.project.bucket} sends to {route.target}, which "
                    f"is 'queues.{others[route.target]}' and for no images. Let it send to {self.arns['detections']}, "
                    "or delete it."
                )

    def _missing(self, routes: tuple[Route, ...], queue: str) -> str:
        elsewhere = sorted({route.target for route in routes if route.reaches(self.folder)})
        to = f", but to {', '.join(elsewhere)}" if elsewhere else ""
        return (
            f"The bucket {self.project.bucket} does not send {EVERY_CREATION} of {self.folder} to {queue}{to}, so that "
            f"images are found on the schedule only. Add that notification to the bucket ({TEMPLATE} has it), or take "
            f"'queues.detections' out of {self.project.name}.yaml."
        )

    def _comes_by_topic(self, route: Route, queue: str) -> bool:
        """Whether a notification goes to an SNS topic that the queue has subscribed."""
        if ":sns:" not in route.target:
            return False
        try:
            pages = self.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=route.target)
            return any(each["Endpoint"] == queue for page in pages for each in page["Subscriptions"])
        except ClientError as error:
            self._note_denied(f"the subscriptions of {route.target}", "sns:ListSubscriptionsByTopic", error)
            return False

    # -- rules of EventBridge --------------------------------------------------------------------------

    def _rules(self, queue: str) -> dict[str, Mapping[str, Any]]:
        """Give the rules of the default bus, where AWS's own events are, that send to a queue."""
        events = self.client("events")
        try:
            pages = events.get_paginator("list_rule_names_by_target").paginate(TargetArn=queue)
            return {name: events.describe_rule(Name=name) for page in pages for name in page["RuleNames"]}
        except ClientError as error:
            actions = "events:ListRuleNamesByTarget and events:DescribeRule"
            self._note_denied(f"the EventBridge rules that send to {queue}", actions, error)
            return {}

    def _note_denied(self, what: str, action: str, error: ClientError) -> None:
        """Take note that something may not be inspected: only this check needs the right to."""
        if error_code(error) not in _DENIED:
            raise error
        self.notes.append(f"{what} may not be inspected ({action})")

    def _created(self, key: str) -> Mapping[str, Any]:
        detail = {"bucket": {"name": self.project.bucket}, "object": {"key": key}}
        return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    def _image_matches(self, rule: Mapping[str, Any]) -> bool | None:
        return matches(_pattern(rule), self._created(f"{self.folder}image.png"))

    def _rule_problems(self, name: str, rule: Mapping[str, Any]) -> Iterator[str]:
        if not rule["State"].startswith("ENABLED"):
            yield f"The EventBridge rule '{name}', which announces images, is {rule['State']}. Enable it."
        if matches(_pattern(rule), self._created(self.store.key(OWN_OBJECT))):
            yield (
                f"The EventBridge rule '{name}' announces what the project writes itself as new images, too. Add "
                f'"object": {{"key": [{{"prefix": "{self.folder}"}}]}} to "detail" of its event pattern.'
            )


def _pattern(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a rule's event pattern; a rule without one is on a schedule, and sends no event."""
    text = rule.get("EventPattern")
    return json.loads(text) if text else {"source": []}
