"""The steps of the rollback DAG: which version is put back, and what is recorded of it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from custom_labels.aws.statuses import Described
from custom_labels.core.context import ProjectContext, branch, step, values
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.reporting_tasks import outcome
from custom_labels.deployment.end_tasks import require_live
from custom_labels.deployment.rollback import find_target, make_candidate
from custom_labels.errors import ModelError
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.retraining import AttemptState

log = logging.getLogger(__name__)


@values
def choose_version(project: str) -> dict[str, Any]:
    """Find the version to put back, under the deployment lock: the named one, else the live version's predecessor."""
    ctx = ProjectContext(project)
    ctx.deployment_lock.renew()
    live = ctx.registry.live()
    replaced = ctx.registry.version(live.previous_version_name) if live and live.previous_version_name else {}
    target = find_target(live, ctx.param("version"), replaced.get("rolled_back"))
    if target.version_name is None:
        return {"reason": target.reason}
    record = ctx.registry.version(target.version_name)
    project_arn = _project_arn(ctx, live, record)
    described = ctx.rekognition.describe_version(project_arn, target.version_name) if record else Described(None)
    candidate = make_candidate(
        target.version_name, record=record, project_arn=project_arn, described=described, live=live
    )
    log.info("%s is to replace %s.", target.version_name, candidate["replaces"] or "no version")
    return candidate


def _project_arn(ctx: ProjectContext, live: LiveVersion | None, record: dict[str, Any]) -> str:
    """Find the project at AWS; a version's own ARN does not name it."""
    attempt = TrainingRecords(ctx.registry).attempt(record["digest"]) if record.get("digest") else None
    if attempt is not None:
        return attempt.project_arn
    if live is not None:
        return live.project_arn
    found = ctx.rekognition.find_project(ctx.project.name)
    if found is None:
        raise ModelError(
            f"AWS has no Custom Labels project '{ctx.project.name}' in {ctx.project.region_name}, so there is no "
            "version to put into service. Check 'region_name' and 'aws_conn_id' in the project's YAML file."
        )
    return found["ProjectArn"]


@branch
def is_version_chosen(chosen: dict[str, Any]) -> str:
    """Deploy the version, if there is one."""
    return "plan_deployment" if "version_name" in chosen else "nothing_to_roll_back"


@step
def nothing_to_roll_back(project: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """Say why there is nothing to put back."""
    return outcome(ProjectContext(project), "nothing_to_roll_back", chosen["reason"])


@step
def rolled_back(project: str, chosen: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """Record who put which version back and why; the one that it replaced is not deployed again by itself."""
    ctx = ProjectContext(project)
    require_live(ctx, live["version_name"])
    replaced = chosen["replaces"]
    who = getattr(ctx.context["dag_run"], "triggering_user_name", None) or "unknown"
    why = ctx.param("reason") or "no reason was given"
    fact = {
        "to": live["version_name"],
        "by": who,
        "reason": why,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": ctx.run_name,
    }
    if replaced:
        ctx.registry.update_version(replaced, {"rolled_back": fact})
        # A train run that died after its swap left its attempt open: the next would resume it, and deploy it again.
        for attempt in TrainingRecords(ctx.registry).open_attempts():
            if attempt.version_name == replaced:
                TrainingRecords(ctx.registry).finish_attempt(
                    attempt.digest, attempt.version_name, AttemptState.DEPLOYED, f"rolled back by {who}: {why}"
                )
    return outcome(
        ctx,
        "rolled_back",
        f"version {live['version_name']} serves instead of {replaced or 'none'}: {why}",
        {"By": who, "F1": f"{live['f1']:.3f}"},
    )
