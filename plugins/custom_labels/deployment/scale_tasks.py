"""The steps of the scale DAG: does the live version run with the units that are wanted?"""

from __future__ import annotations

from typing import Any

from custom_labels.aws.statuses import NOTHING
from custom_labels.core.context import ProjectContext, branch, step, values
from custom_labels.core.reporting_tasks import outcome
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.scaling import decide_scaling
from custom_labels.deployment.version_tasks import minutes_without, note_status, stop_for_quota
from custom_labels.errors import ModelError

_WHY = "other inference units"


@values
def inspect_live(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Compare the live version's units with those that are wanted, under the deployment lock.

    Where they differ, that it is being stopped for this is written down first: whoever comes next starts it again.
    """
    ctx = ProjectContext(project)
    # The version is stopped and started before the next sign of life, each within an hour.
    ctx.deployment_lock.renew(training_seconds=2 * settings["lock_lease_minutes"] * 60)
    live = ctx.registry.live()
    name = live.version_name if live else None
    described = note_status(ctx, live.project_arn, live.version_name, stopped_by_us=False) if live else NOTHING
    record = ctx.registry.version(live.version_name) if live else {}
    wanted = Units.wanted(settings["minimum_inference_units"], settings["maximum_inference_units"])
    decision = decide_scaling(
        name,
        described.status,
        present=Units.of(described.raw),
        wanted=wanted,
        was_interrupted=record.get("stopped_for") == _WHY,
    )
    if live is None or not decision.is_due:
        return {"is_due": False, "reason": decision.reason}
    stop_for_quota(ctx, live, _WHY, may_stop=True)
    return {
        "is_due": True,
        "reason": decision.reason,
        "wanted": str(wanted),
        "project_arn": live.project_arn,
        "version_name": live.version_name,
        "digest": live.digest,
    }


@branch
def is_scaling_due(look: dict[str, Any]) -> str:
    """Stop the version and start it again, if other units are wanted."""
    return "stop_live" if look["is_due"] else "nothing_to_scale"


@step
def nothing_to_scale(project: str, look: dict[str, Any]) -> dict[str, Any]:
    """Say why nothing was done."""
    return outcome(ProjectContext(project), "nothing_to_scale", look["reason"])


@step
def scaled(project: str, look: dict[str, Any]) -> dict[str, Any]:
    """Record the units that the version runs with now, and say for how long nothing served."""
    ctx = ProjectContext(project)
    name = look["version_name"]
    described = note_status(ctx, look["project_arn"], name)
    units = str(Units.of(described.raw))
    if described.status != "RUNNING" or units != look["wanted"]:
        raise ModelError(
            f"Version '{name}' is {described.status or 'not there any more'} with {units}, and {look['wanted']} were "
            "asked for: 'stop_live' or 'start_live' was marked by hand. Trigger the DAG again."
        )
    record = ctx.registry.version(name)
    ctx.registry.update_version(name, {"stopped_for": None})
    return outcome(
        ctx,
        "scaled",
        f"version {name} runs with {look['wanted']}; nothing served for at most {minutes_without(record)}",
    )
