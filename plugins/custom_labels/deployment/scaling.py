"""Are other inference units due? A version cannot change them while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.deployment.deployment import Units


@dataclass(frozen=True)
class ScaleDecision:
    """Whether the live version is to be stopped and started, and why."""

    is_due: bool
    reason: str


def decide_scaling(
    version_name: str | None, status: str | None, *, present: Units, wanted: Units, was_interrupted: bool
) -> ScaleDecision:
    """Decide whether the live version is to run with other units.

    :param version_name: the live version, ``None`` if there is none.
    :param status: AWS's status of it.
    :param present: the units that it runs with.
    :param was_interrupted: whether a run of ours stopped it for this and did not live to start it again.
    """
    if version_name is None:
        return ScaleDecision(is_due=False, reason="no version was deployed yet")
    if was_interrupted and status != "RUNNING":
        return ScaleDecision(is_due=True, reason=f"version {version_name} was stopped for it by a run that did not end")
    if status != "RUNNING":
        return ScaleDecision(
            is_due=False, reason=f"version {version_name} is {status}: it starts with {wanted} whenever it is started"
        )
    if present == wanted:
        return ScaleDecision(is_due=False, reason=f"version {version_name} runs with {present}, as wanted")
    return ScaleDecision(is_due=True, reason=f"version {version_name} runs with {present}, wanted are {wanted}")
