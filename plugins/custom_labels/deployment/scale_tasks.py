"""The steps of the scale DAG: does the live version run with the units that are wanted?"""

from __future__ import annotations

from dataclasses import replace

from custom_labels.aws.statuses import NOTHING
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.metrics import Gauge, send_gauges
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.steps import decision, step
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.scaling import ScaleDecision, Scaling, decide_scaling
from custom_labels.deployment.served_record import ServedRecord
from custom_labels.deployment.settings import ServingSettings
from custom_labels.deployment.version_tasks import minutes_without, note_status, read_served, stop_for_quota
from custom_labels.errors import ModelError

_WHY = "other inference units"


@decision
def inspect_live(ctx: ProjectContext, settings: ServingSettings) -> ScaleDecision:
    """Compare the live version's units with those that are wanted, under the deployment lock.

    Where they differ, that it is being stopped for this is written down first: whoever comes next starts it again.
    """
    ctx.deployment_lock.hold()
    live = ctx.registry.live()
    described = note_status(ctx, live.project_arn, live.version_name, stopped_by_us=False) if live else NOTHING
    record = read_served(ctx, live.version_name) if live else ServedRecord()
    decided = decide_scaling(
        live.version_name if live else None,
        described.status,
        present=Units.of(described.raw),
        wanted=Units.wanted(settings.minimum_inference_units, settings.maximum_inference_units),
        was_interrupted=record.stopped_for == _WHY,
    )
    if live is None or decided.choice is Scaling.NOT_DUE:
        return decided
    stop_for_quota(ctx, live, _WHY, may_stop=True)
    return replace(decided, project_arn=live.project_arn, version_name=live.version_name, digest=live.digest)


@step
def finish(ctx: ProjectContext, settings: ServingSettings, decided: ScaleDecision) -> RunOutcome:
    """Record the units that the version runs with now and for how long nothing served, or why nothing was done."""
    if decided.project_arn is None or decided.version_name is None:
        return finish_run(ctx, settings, Outcome.NOTHING_TO_SCALE, decided.reason)
    name = decided.version_name
    described = note_status(ctx, decided.project_arn, name)
    units = Units.of(described.raw)
    if described.status != "RUNNING" or units != decided.wanted:
        raise ModelError(
            f"Version '{name}' is {described.status or 'not there any more'} with {units}, and {decided.wanted} were "
            "asked for: 'stop_live' or 'start_live' was marked by hand. Trigger the DAG again."
        )
    send_gauges(ctx, {Gauge.LIVE_UNITS: units.minimum})
    without = minutes_without(read_served(ctx, name))
    detail = f"version {name} runs with {decided.wanted}; nothing served for at most {without}"
    return finish_run(ctx, settings, Outcome.SCALED, detail)
