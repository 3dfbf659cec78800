"""The Lambda functions that AWS brings for its own kinds of tasks, and which account of theirs each region has.

Source: the SageMaker API reference, PreHumanTaskLambdaArn and AnnotationConsolidationLambdaArn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from include.local_aws.human_review.questions import Kind
from include.local_aws.objects import ACCOUNT
from include.local_aws.wire.errors import AwsError

ACCOUNTS = {
    "us-east-1": "432418664414",
    "us-east-2": "266458841044",
    "us-west-2": "081040173940",
    "ca-central-1": "918755190332",
    "eu-west-1": "568282634449",
    "eu-west-2": "487402164563",
    "eu-central-1": "203001061592",
    "ap-northeast-1": "477331159723",
    "ap-northeast-2": "845288260483",
    "ap-south-1": "565803892007",
    "ap-southeast-1": "377565633583",
    "ap-southeast-2": "454466003867",
}
"""The account of AWS's functions by region."""
_ARN = re.compile(r"arn:aws[a-z\-]*:lambda:([a-z0-9\-]*):(\d{12}):function:(.+)", re.DOTALL)


class Result(Enum):
    """What a job writes for an image."""

    LABEL = auto()
    LABELS = auto()
    BOXES = auto()
    VERDICT = auto()


@dataclass(frozen=True)
class TaskKind:
    """A kind of task of AWS's own.

    Parameters: `name` is the part of its functions' names behind PRE- and ACS-; `field` is the name of the element on
    the page that its consolidation reads; `changes` says that it corrects an attribute which the images have.
    """

    name: str
    element: Kind
    field: str
    result: Result
    changes: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        TaskKind("ImageMultiClass", Kind.CHOICE, "crowd-image-classifier", Result.LABEL),
        TaskKind("ImageMultiClassMultiLabel", Kind.CHOICES, "crowd-image-classifier-multi-select", Result.LABELS),
        TaskKind("BoundingBox", Kind.BOXES, "boundingBox", Result.BOXES),
        TaskKind("AdjustmentBoundingBox", Kind.BOXES, "boundingBox", Result.BOXES, changes=True),
        TaskKind("VerificationBoundingBox", Kind.CHOICE, "crowd-image-classifier", Result.VERDICT, changes=True),
    )
}


def kind_of(config: Mapping[str, Any], region: str) -> TaskKind:
    """Return the kind of task that a HumanTaskConfig's two functions stand for.

    Raises AwsError ValidationException for functions of another region or account, or of two kinds; NotImplemented
    for kinds that are not served, and for functions of the caller's own.
    """
    consolidation = config.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn")
    before = _function(config.get("PreHumanTaskLambdaArn"), "PreHumanTaskLambdaArn", "PRE-", region)
    after = _function(consolidation, "AnnotationConsolidationLambdaArn", "ACS-", region)
    if before != after:
        raise AwsError(
            "ValidationException",
            f"PreHumanTaskLambdaArn is for {before} and AnnotationConsolidationLambdaArn for {after}: they must be of "
            "the same task type.",
        )
    if before not in KINDS:
        known = ", ".join(KINDS)
        raise AwsError("NotImplemented", f"Labeling jobs of {before} are not served here, only {known}.", 501)
    return KINDS[before]


def _function(arn: str | None, member: str, prefix: str, region: str) -> str:
    hit = _ARN.fullmatch(arn or "")
    if hit is None:
        raise AwsError("ValidationException", f"{member} is missing: the task type of an image needs it.")
    place, account, name = hit.groups()
    if place != region:
        raise AwsError("ValidationException", f"{member} {arn} is in {place}: it must be in {region}.")
    if account == ACCOUNT:
        text = f"{member} {arn} is a function of your own: only those of AWS are served here."
        raise AwsError("NotImplemented", text, 501)
    if account != ACCOUNTS.get(region) or not name.startswith(prefix):
        expected = f"arn:aws:lambda:{region}:{ACCOUNTS.get(region, '<none>')}:function:{prefix}..."
        raise AwsError("ValidationException", f"{member} {arn} cannot be invoked: AWS's own is {expected}.")
    return name.removeprefix(prefix)
