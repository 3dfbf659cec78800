"""What may replace the version that serves, the inference units that a version runs with, and the smoke test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_labels.core.live_version import LiveVersion

_TOLERANCE = 1e-9
"""A share is a float: 0.6 of 5 images is 3 images."""


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
            f"{challenger['version_name']} was to replace: another run deployed meanwhile. Nothing was changed; "
            "trigger the DAG again to compare with the version that serves now."
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

    def to_record(self) -> dict[str, Any]:
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
