"""Which version serves: the value behind the serving pointer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_TOLERANCE = 1e-9
"""A share is a float: 0.6 of 5 images is 3 images."""


@dataclass(frozen=True)
class LiveVersion:
    """The version that serves, as ``registry/live.json`` holds it.

    :param since: when the pointer was moved, ISO 8601 in UTC.
    :param f1: the version's F1 on its test dataset.
    :param labels: the labels that it knows.
    :param is_rollback: whether a person put it back in place of a later one, which is ``previous`` then.
    :param previous: the version that it replaced, with its ``project_arn``; to be stopped, and to roll back to.
    """

    version_name: str
    version_arn: str
    project_arn: str
    digest: str
    since: str
    f1: float
    labels: tuple[str, ...]
    is_rollback: bool = False
    previous_version_name: str | None = None
    previous_version_arn: str | None = None
    previous_project_arn: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {**asdict(self), "labels": list(self.labels)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LiveVersion:
        """Read back what :meth:`to_json` gave."""
        return cls(**{**value, "labels": tuple(value["labels"])})

    def replacing(self, champion: LiveVersion | None) -> LiveVersion:
        """Give this version as the successor of the present one; repeated for itself it keeps its predecessor."""
        if champion is None:
            return self
        if champion.version_arn == self.version_arn:
            return champion
        return LiveVersion(
            **{
                **asdict(self),
                "labels": self.labels,
                "previous_version_name": champion.version_name,
                "previous_version_arn": champion.version_arn,
                "previous_project_arn": champion.project_arn,
            }
        )


def why_not_replaced(live: LiveVersion | None, challenger: Mapping[str, Any], expected: str | None) -> str | None:
    """Say why the pointer may not be moved to a version; ``None`` where it may, or where it is there already.

    :param challenger: its ``version_name``, ``version_arn`` and ``is_rollback``.
    :param expected: ARN of the version that it was compared with, ``None`` for none.
    """
    present = live.version_arn if live else None
    if present == challenger["version_arn"]:
        return None
    if present != expected:
        return (
            f"'registry/live.json' names {present or 'no version'}, not {expected or 'none'}, which "
            f"{challenger['version_name']} was to replace: somebody deployed meanwhile. Nothing was changed; trigger "
            "the DAG again to compare with the version that serves now."
        )
    was_rolled_back = live and live.is_rollback and live.previous_version_arn == challenger["version_arn"]
    if was_rolled_back and not challenger.get("is_rollback"):
        return (
            f"'registry/live.json' names {present}, which a person put back in place of {challenger['version_name']} "
            "meanwhile. Nothing was changed; to let that serve again, trigger the rollback DAG and name it in the "
            "Param 'version'."
        )
    return None


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

    def to_json(self) -> dict[str, Any]:
        """Give them by the names of their settings."""
        return {"minimum_inference_units": self.minimum, "maximum_inference_units": self.maximum}


@dataclass(frozen=True)
class SmokeAnswer:
    """One known image put to a version: the answer that is expected and what the version said.

    :param label: what the version said of it when it was evaluated; the image's label where that is not known.
    :param answered: the labels answered, the surest first; empty when it named none.
    """

    image: str
    label: str
    answered: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the surest answer is the expected label."""
        return self.answered[:1] == (self.label,)


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
        f"of {first.image} it was to say '{first.label}' and said {', '.join(first.answered) or 'nothing'}"
    )
