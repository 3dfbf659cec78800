"""Are other inference units due? A version cannot change them while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from custom_labels.deployment.deployment import Units


class Scaling(StrEnum):
    """What there is to do."""

    DUE = "other units are wanted"
    NOT_DUE = "as wanted"


@dataclass(frozen=True)
class ScaleDecision:
    """Whether the live version is to be stopped and started, and why.

    :param wanted: the units that it is to run with.
    :param project_arn: the version that is to be scaled, with its name and the digest of its images; ``None`` where
        nothing is to be done.
    """

    choice: Scaling
    reason: str
    wanted: Units
    project_arn: str | None = None
    version_name: str | None = None
    digest: str | None = None


def decide_scaling(
    version_name: str | None, status: str | None, *, present: Units, wanted: Units, was_interrupted: bool
) -> ScaleDecision:
    """Decide whether the live version is to run with other units.

    :param version_name: the live version, ``None`` if there is none.
    :param status: AWS's status of it.
    :param present: the units that it runs with.
    :param was_interrupted: whether a run of ours stopped it for this and did not live to start it again.
    """
    choice, reason = Scaling.NOT_DUE, "no version was deployed yet"
    if version_name is None:
        pass
    elif was_interrupted and status != "RUNNING":
        choice, reason = Scaling.DUE, f"version {version_name} was stopped for it by a run that did not end"
    elif status != "RUNNING":
        reason = f"version {version_name} is {status}: it starts with {wanted} whenever it is started"
    elif present == wanted:
        reason = f"version {version_name} runs with {present}, as wanted"
    else:
        choice, reason = Scaling.DUE, f"version {version_name} runs with {present}, wanted are {wanted}"
    return ScaleDecision(choice, reason, wanted)
