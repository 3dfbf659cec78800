"""A project's CloudFormation stack: whose it is, what state it is in, and the wait until that is final."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from custom_labels.core.field_types import text_like
from custom_labels.core.names import PROJECT_TAG
from include.infra.account import Account, InfraError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

# CloudFormation API reference, CreateChangeSet.
StackName = Annotated[
    str, text_like(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", "letters, digits and dashes with a letter first, at most 128")
]

POLL_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 3600.0
IN_REVIEW = "REVIEW_IN_PROGRESS"
"""A change set would create the stack, and was not executed: nothing is in it."""
DELETED = "DELETE_COMPLETE"
CREATION_FAILED = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
"""What a first creation leaves that failed; CloudFormation can only delete such a stack."""
_STUCK = "UPDATE_ROLLBACK_FAILED"
_CANCELLED = ("Resource creation cancelled", "Resource update cancelled")


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it.

    :param parameters: values by name, as ``outputs`` and ``tags``.
    """

    id: str
    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    tags: Mapping[str, str]

    @classmethod
    def of(cls, found: StackTypeDef) -> Stack:
        """Read a description."""
        return cls(
            found["StackId"],
            found["StackName"],
            found["StackStatus"],
            {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
            {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
            {each["Key"]: each["Value"] for each in found.get("Tags", [])},
        )

    @property
    def is_changing(self) -> bool:
        """Whether CloudFormation works on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != IN_REVIEW


def stack_name(project: str) -> str:
    """Derive the name of a project's stack: a letter first, then letters, digits and dashes (CloudFormation API)."""
    return f"custom-labels-{project.replace('_', '-')}"


@dataclass
class StackWatch:
    """Looks at one stack, and says what CloudFormation does with it.

    :param name: of the stack; ``project`` is whose it has to be.
    :param say: shows a line to a person.
    """

    account: Account
    name: str
    project: str
    say: Callable[[str], None]
    _seen: set[str] = field(default_factory=set)

    def find(self) -> Stack | None:
        """Give the project's stack, ``None`` if there is none.

        :raises InfraError: there is one of that name that is not the project's.
        """
        found = self._describe(self.name)
        if found and not self._is_ours(found):
            owner = found.tags.get(PROJECT_TAG)
            whose = f"has the tag {PROJECT_TAG}={owner}" if owner else f"has no tag {PROJECT_TAG}"
            raise InfraError(
                f"There is a stack {self.name!a} in {self.account.region} already, and it {whose}: it is not that of "
                f"project '{self.project}', and was not touched. --stack names the stack: name another one."
            )
        return found

    def find_settled(self) -> Stack | None:
        """Give the project's stack once CloudFormation does nothing with it.

        :raises InfraError: it is another's, or the wait is too long, or a person has to repair it.
        """
        found = self.find()
        if found and found.is_changing:
            self.say(f"Stack {found.name} is {found.status}: waiting until CloudFormation has ended that.")
            found = self.wait(found.id)
        if found and found.status == _STUCK:
            raise InfraError(
                f"Stack {found.name} is {_STUCK}: CloudFormation could not take back a change. {self.name} is the "
                "stack of this project; repair what its events name, then run aws cloudformation "
                f"continue-update-rollback --stack-name {found.name}{self.account.options}, and this command again."
            )
        return found

    def wait(self, stack_id: str) -> Stack | None:
        """Wait until CloudFormation has ended its work; give the stack, ``None`` if it is deleted.

        :raises InfraError: an hour was not enough.
        """
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            found = self._describe(stack_id)
            for event in reversed(list(self.new_events(stack_id) if found else ())):
                self.say(_in_words(event))
            if found is None or not found.is_changing:
                return found
            if time.monotonic() > deadline:
                raise InfraError(
                    f"Stack {self.name} is still {found.status} after {LONGEST_WAIT_SECONDS / 60:g} minutes. "
                    f"CloudFormation goes on with it in {self.account.region}: run the same command again."
                )
            time.sleep(POLL_SECONDS)

    def new_events(self, stack_id: str) -> Iterator[StackEventTypeDef]:
        """Give the events that were not given before, the newest first."""
        with self.account.asking("cloudformation:DescribeStackEvents"):
            for page in self.account.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
                for event in page["StackEvents"]:
                    if event["EventId"] in self._seen:
                        return
                    self._seen.add(event["EventId"])
                    yield event

    def failures(self, stack_id: str, since: frozenset[str] = frozenset()) -> list[str]:
        """Give why resources failed, in CloudFormation's words, the first first.

        :param since: ids of events that were there before.
        """
        with self.account.asking("cloudformation:DescribeStackEvents"):
            pages = self.account.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
            found = [event for page in pages for event in page["StackEvents"] if event["EventId"] not in since]
        failed = (each for each in reversed(found) if each.get("ResourceStatus", "").endswith("_FAILED"))
        return [_in_words(each) for each in failed if not each.get("ResourceStatusReason", "").startswith(_CANCELLED)]

    def pass_over_events(self, stack_id: str) -> frozenset[str]:
        """Take note of the events that are there, so that only later ones are shown; give all ids."""
        for _ in self.new_events(stack_id):
            pass
        return frozenset(self._seen)

    def delete(self, stack: Stack) -> None:
        """Delete a stack and wait until it is gone; a second call goes on where the first one ended.

        :raises InfraError: CloudFormation could not delete a resource.
        """
        before = self.pass_over_events(stack.id)
        with self.account.asking("cloudformation:DeleteStack"):
            self.account.cloudformation.delete_stack(StackName=stack.id)
        left = self.wait(stack.id)
        if left:
            reasons = self.failures(stack.id, before) or [f"it is {left.status}"]
            raise InfraError(
                f"CloudFormation could not delete the stack {stack.name}: {'; '.join(reasons)}. What else was in it is "
                "gone: remove what is named there, such as a role or user that a policy was attached to by hand, and "
                "run the same command again."
            )

    def _is_ours(self, stack: Stack) -> bool:
        owner = stack.tags.get(PROJECT_TAG)
        return owner == self.project or (owner is None and stack.status == IN_REVIEW)

    def _describe(self, name: str) -> Stack | None:
        try:
            with self.account.asking("cloudformation:DescribeStacks"):
                found = self.account.cloudformation.describe_stacks(StackName=name)["Stacks"]
        except InfraError as error:
            if error.aws_code == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        return next((Stack.of(each) for each in found if each["StackStatus"] != DELETED), None)


def _in_words(event: StackEventTypeDef) -> str:
    reason = event.get("ResourceStatusReason")
    kind, name = event.get("ResourceType", ""), event.get("LogicalResourceId", "")
    return f"{name} ({kind}) {event.get('ResourceStatus', '')}{f': {reason}' if reason else ''}"
