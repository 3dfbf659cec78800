"""What may replace the version that serves, the inference units that a version runs with, and the smoke test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from custom_labels.core.live_version import Candidate, LiveVersion

_TOLERANCE = 1e-9
"""A share is a float: 0.6 of 5 images is 3 images."""


@dataclass(frozen=True)
class VersionRef:
    """A version, as an operator addresses it."""

    project_arn: str
    version_name: str


@dataclass(frozen=True)
class Units:
    """The inference units that a version runs with.

    :param minimum: units it was started with, each billed by the minute.
    :param maximum: units up to which the service may scale it, ``None`` for no scaling.
    """

    minimum: int
    maximum: int | None = None

    def __str__(self) -> str:
        """Give them in words."""
        if self.maximum is not None:
            return f"{self.minimum} to {self.maximum} inference units"
        return f"{self.minimum} inference unit{'' if self.minimum == 1 else 's'}"

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Units:
        """Read them from a ProjectVersionDescription; one unit where AWS names none.

        Equal bounds are no scaling, which is also what AWS makes of a start without ``MaxInferenceUnits``.
        """
        minimum = int(described.get("MinInferenceUnits") or 1)
        maximum = described.get("MaxInferenceUnits")
        return cls.wanted(minimum, int(maximum) if maximum else None)

    @classmethod
    def wanted(cls, minimum: int, maximum: int | None) -> Units:
        """Take them from the settings."""
        return cls(minimum, None if maximum == minimum else maximum)

    def to_record(self) -> dict[str, Any]:
        """Give them by the names of their settings."""
        return {"minimum_inference_units": self.minimum, "maximum_inference_units": self.maximum}


@dataclass(frozen=True)
class DeploymentPlan:
    """What is to be done to put a version into service.

    :param kept: versions of ours that run and do not serve; they are stopped first.
    :param stop_first: the live version, if it may be stopped for want of a place in the quota.
    :param units: inference units that it is started with.
    :param needs_approval: whether a person must have approved it.
    """

    candidate: Candidate
    kept: tuple[VersionRef, ...]
    stop_first: VersionRef | None
    units: Units
    needs_approval: bool


class AfterSwap(StrEnum):
    """What becomes of the version that was replaced."""

    STOP = "the replaced version goes"
    NOTHING = "none is to go"


@dataclass(frozen=True)
class Swap:
    """A version that was put into service.

    :param live: the pointer as it is now.
    :param drained_at: until when the replaced version goes on running for calls that are under way, ISO 8601.
    """

    choice: AfterSwap
    live: LiveVersion
    drained_at: str


def why_not_replaced(live: LiveVersion | None, challenger: Candidate) -> str | None:
    """Say why the pointer may not be moved to a version; ``None`` where it may, or where it is there already."""
    expected = challenger.champion_arn
    present = live.version_arn if live else None
    if present == challenger.version_arn:
        return None
    if present != expected:
        return (
            f"'registry/live.json' names {present or 'no version'}, not {expected or 'none'}, which "
            f"{challenger.version_name} was to replace: another run deployed meanwhile. Nothing was changed; "
            "trigger the DAG again to compare with the version that serves now."
        )
    was_rolled_back = live and live.is_rollback and live.previous_version_arn == challenger.version_arn
    if was_rolled_back and not challenger.is_rollback:
        return (
            f"'registry/live.json' names {present}, which a person put back in place of {challenger.version_name} "
            "meanwhile. Nothing was changed; to let that serve again, trigger the rollback DAG and name it in the "
            "Param 'version'."
        )
    return None


@dataclass(frozen=True)
class SmokeAnswer:
    """One known image put to a version: the answer that is expected and what the version said.

    :param labels: what the version said of it when it was evaluated; the image's labels where that is not known.
    :param answered: the labels answered, the surest first; empty when it named none.
    """

    image: str
    labels: tuple[str, ...]
    answered: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the surest answer is one of the expected labels."""
        return bool(self.answered) and self.answered[0] in self.labels


@dataclass(frozen=True)
class SmokeTest:
    """How many known images were put to a version, and how many of its answers were right."""

    asked: int
    right: int


def smoke_failure(answers: tuple[SmokeAnswer, ...], share: float) -> str | None:
    """Say why a version must not serve, or ``None`` when it answers as the trained model does.

    The gates have judged how good it is; this asks only whether the running endpoint is that model.

    :param share: share of the known images that it must answer as expected, 0 to 1; always at least one image.
    """
    if not answers:
        return "no known image could be put to it"
    right = sum(answer.right for answer in answers)
    needed = max(1, math.ceil(share * len(answers) - _TOLERANCE))
    if right >= needed:
        return None
    first = next(answer for answer in answers if not answer.right)
    return (
        f"it answered {right} of {len(answers)} known images as expected, and {needed} are needed: "
        f"of {first.image} it was to say {' or '.join(map(repr, first.labels))} and said "
        f"{', '.join(first.answered) or 'nothing'}"
    )
