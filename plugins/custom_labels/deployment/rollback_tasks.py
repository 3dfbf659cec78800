"""The steps of the rollback DAG: which version is put back, and what is recorded of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from custom_labels.aws.statuses import Described
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.steps import decision, step
from custom_labels.deployment.preconditions import require_live
from custom_labels.deployment.rollback import (
    Rollback,
    RollbackDecision,
    find_replaced,
    find_target,
    make_candidate,
)
from custom_labels.deployment.served_record import RolledBack, ServedRecord
from custom_labels.deployment.settings import DeploymentSettings
from custom_labels.deployment.version_tasks import change_served, read_served
from custom_labels.errors import ModelError
from custom_labels.training.retraining import AttemptState
from custom_labels.training.training_records import finish_training, read_trainings


@decision
def choose_version(ctx: ProjectContext) -> RollbackDecision:
    """Find the version to put back, under the deployment lock: the named one, else the live version's predecessor."""
    ctx.deployment_lock.hold()
    live = ctx.registry.live()
    before = live.previous_version_name if live else None
    target = find_target(live, ctx.param("version"), read_served(ctx, before).rolled_back if before else None)
    if target.version_name is None:
        return RollbackDecision(Rollback.NOT_DUE, target.reason)
    record = ctx.registry.version(target.version_name, ServedRecord)
    project_arn = _project_arn(ctx, live, record)
    described = ctx.rekognition.describe_version(project_arn, target.version_name) if record else Described(None)
    candidate = make_candidate(
        target.version_name, record=record, project_arn=project_arn, described=described, live=live
    )
    goes = find_replaced(target.version_name, live)
    return RollbackDecision(Rollback.DUE, f"{target.version_name} is to replace {goes or 'none'}", candidate, goes)


def _project_arn(ctx: ProjectContext, live: LiveVersion | None, record: ServedRecord | None) -> str:
    """Find the project at AWS; a version's own ARN does not name it."""
    attempt = read_trainings(ctx.store).attempt(record.digest if record else None)
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


@step
def finish(ctx: ProjectContext, settings: DeploymentSettings, decided: RollbackDecision) -> RunOutcome:
    """Record who put which version back and why; the one that it replaced is not deployed again by itself."""
    if decided.candidate is None:
        return finish_run(ctx, settings, Outcome.NOTHING_TO_ROLL_BACK, decided.reason)
    name, replaced = decided.candidate.version_name, decided.replaced
    require_live(ctx.registry.live(), name)
    who = ctx.run.triggered_by or "unknown"
    why = ctx.param("reason") or "no reason was given"
    if replaced:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        fact = RolledBack(name, who, why, now, ctx.run_name)
        change_served(ctx, replaced, lambda record: replace(record, rolled_back=fact))
        # A train run that died after its swap left its attempt open: the next would resume it, and deploy it again.
        for attempt in read_trainings(ctx.store).open:
            if attempt.version_name == replaced:
                finish_training(
                    ctx.store, attempt.digest, replaced, AttemptState.DEPLOYED, f"rolled back by {who}: {why}"
                )
    detail = f"version {name} serves instead of {replaced or 'none'}: {why}"
    return finish_run(ctx, settings, Outcome.ROLLED_BACK, detail, {"By": who, "F1": f"{decided.candidate.f1:.3f}"})
