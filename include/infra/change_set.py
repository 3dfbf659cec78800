"""Change sets: what CloudFormation would create and change, before it does."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from custom_labels.core.names import PROJECT_TAG
from include.infra.account import InfraError
from include.infra.stack import Stack, StackWatch
from include.infra.template import TEMPLATE, read_parameters

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.literals import ChangeSetTypeType
    from mypy_boto3_cloudformation.type_defs import ChangeTypeDef, ParameterTypeDef

CAPABILITY: Literal["CAPABILITY_IAM"] = "CAPABILITY_IAM"
"""The template makes roles and policies, without names of their own."""
POLL_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 600.0
_NOTHING = ("didn't contain changes", "No updates are to be performed")
"""How CloudFormation words a change set without changes, which it gives as a failure."""


@dataclass(frozen=True)
class ChangeSet:
    """A change set that CloudFormation has worked out.

    :param stack_id: of the stack, which a first change set makes without anything in it.
    :param changes: what would be done to each resource, in a line.
    :param is_usable: whether it can be executed: there are changes, and nothing else has changed the stack since.
    """

    arn: str
    stack_id: str
    changes: tuple[str, ...]
    is_usable: bool


def propose(watch: StackWatch, stack: Stack | None, values: Mapping[str, str]) -> ChangeSet:
    """Let CloudFormation work out what would change; nothing is changed.

    Its name is derived from what it is to bring about: one that an earlier try made is taken up.

    :param stack: as it is; ``None`` where there is none.
    :raises InfraError: CloudFormation refuses it.
    """
    name = _name(watch, stack, values)
    made, is_new = _create(watch, stack, values, name), stack is None
    found = _wait(watch, made or name, is_new=is_new)
    if made is None and not found.is_usable:
        # Another run's, which was executed, or is outdated since.
        discard(watch, found)
        found = _wait(watch, _create(watch, stack, values, name) or name, is_new=is_new)
    return found


def discard(watch: StackWatch, change_set: ChangeSet, *, with_stack: bool = False) -> None:
    """Delete a change set.

    :param with_stack: whether also the stack, in which nothing is yet.
    """
    with watch.account.asking("cloudformation:DeleteChangeSet"):
        watch.account.cloudformation.delete_change_set(ChangeSetName=change_set.arn)
    if with_stack:
        with watch.account.asking("cloudformation:DeleteStack"):
            watch.account.cloudformation.delete_stack(StackName=change_set.stack_id)


def execute(watch: StackWatch, change_set: ChangeSet) -> None:
    """Let CloudFormation begin; one that is executed already goes on."""
    try:
        with watch.account.asking("cloudformation:ExecuteChangeSet"):
            watch.account.cloudformation.execute_change_set(
                ChangeSetName=change_set.arn, ClientRequestToken=change_set.arn.rpartition("/")[2]
            )
    except InfraError as error:
        # The answer to an earlier try of the same call was lost.
        if not error.aws_code.startswith("InvalidChangeSetStatus"):
            raise


def _name(watch: StackWatch, stack: Stack | None, values: Mapping[str, str]) -> str:
    wanted = json.dumps([TEMPLATE.read_text(encoding="utf-8"), watch.name, stack and stack.id, dict(values)])
    return f"custom-labels-{hashlib.sha256(wanted.encode()).hexdigest()[:32]}"


def _create(watch: StackWatch, stack: Stack | None, values: Mapping[str, str], name: str) -> str | None:
    """Create a change set; give its ARN, ``None`` where one of its name is there."""
    kind: ChangeSetTypeType = "UPDATE" if stack else "CREATE"
    try:
        with watch.account.asking("cloudformation:CreateChangeSet"):
            made = watch.account.cloudformation.create_change_set(
                StackName=watch.name,
                ChangeSetName=name,
                ChangeSetType=kind,
                TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
                Parameters=_parameters(values, stack),
                Capabilities=[CAPABILITY],
                Tags=[{"Key": PROJECT_TAG, "Value": watch.project}],
            )
    except InfraError as error:
        if error.aws_code.startswith("AlreadyExists"):
            return None
        raise
    return made["Id"]


def _parameters(values: Mapping[str, str], stack: Stack | None) -> list[ParameterTypeDef]:
    """Give the parameters that are not at their defaults, by reference to what is deployed where that is the same."""
    defaults = {name: each.default for name, each in read_parameters().items()}
    deployed = stack.parameters if stack else {}
    return [
        {"ParameterKey": name, "UsePreviousValue": True}
        if deployed.get(name) == value
        else {"ParameterKey": name, "ParameterValue": value}
        for name, value in values.items()
        if value != defaults[name]
    ]


def _wait(watch: StackWatch, change_set: str, *, is_new: bool) -> ChangeSet:
    """Wait until CloudFormation has worked out a change set.

    :param is_new: whether the stack is there for this change set only.
    :raises InfraError: it cannot be executed, or is never ready.
    """
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        changes: list[str] = []
        with watch.account.asking("cloudformation:DescribeChangeSet"):
            pages = watch.account.cloudformation.get_paginator("describe_change_set").paginate(
                ChangeSetName=change_set, StackName=watch.name
            )
            for page in pages:
                changes += [_in_words(each) for each in page.get("Changes", [])]
        status, reason = page["Status"], page.get("StatusReason", "")
        found = ChangeSet(
            page["ChangeSetId"], page["StackId"], tuple(changes), page.get("ExecutionStatus") == "AVAILABLE"
        )
        if status == "FAILED" and not any(each in reason for each in _NOTHING):
            discard(watch, found, with_stack=is_new)
            raise InfraError(
                f"CloudFormation refuses what is asked of the stack {watch.name}: {reason or 'it gives no reason'}. "
                "Correct the options of this command that it is about - where something exists already, --bucket - and "
                "run it again."
            )
        if not status.endswith(("_IN_PROGRESS", "_PENDING")):
            return found
        if time.monotonic() > deadline:
            raise InfraError(
                f"The change set of the stack {watch.name} is {status} after {LONGEST_WAIT_SECONDS / 60:g} minutes. "
                "CloudFormation goes on with it: run the same command again."
            )
        time.sleep(POLL_SECONDS)


def _in_words(change: ChangeTypeDef) -> str:
    resource = change.get("ResourceChange", {})
    text = f"{resource.get('Action', '')} {resource.get('LogicalResourceId', '')} ({resource.get('ResourceType', '')})"
    replaced = resource.get("Replacement", "False")
    return text if replaced == "False" else f"{text}, which is replaced{'' if replaced == 'True' else ' perhaps'}"
