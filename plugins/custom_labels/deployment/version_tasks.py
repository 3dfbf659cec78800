"""What the registry says of a version while it is started, stopped and kept; and how the live one makes room."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.aws.statuses import VERSION_RUNNING, Described, Verdict
from custom_labels.core.context import ProjectContext, step, values
from custom_labels.core.listener import NOTE_KEY
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.notifications import notify_all
from custom_labels.core.outcome import RunOutcome
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.serving_records import ServingLog

log = logging.getLogger(__name__)


def note_status(ctx: ProjectContext, project_arn: str, version_name: str, *, stopped_by_us: bool = True) -> Described:
    """Put on record what AWS says of a version now: whether it runs, since when and with which units.

    Called after every start and stop of ours; calling it again changes nothing.

    :param stopped_by_us: whether one that does not run was stopped a moment ago, by this run. Otherwise nobody knows
        when it was, and its costs end where it was last seen.
    :return: AWS's description.
    """
    now = datetime.now(UTC)
    described = ctx.rekognition.describe_version(project_arn, version_name)
    record = ctx.registry.version(version_name)
    facts: dict[str, Any] = {"status": described.status}
    units = Units.of(described.raw)
    if described.status == "RUNNING":
        facts.update(units.to_record())
        if record.get("status") != "RUNNING":
            facts["started_at"] = now.isoformat(timespec="seconds")
    elif VERSION_RUNNING.judge(described.status) is Verdict.FAILED:
        facts["kept_until"] = None
        if stopped_by_us:
            ServingLog(ctx.store).stopped(version_name, now)
    ServingLog(ctx.store).seen(version_name, units.minimum, described.status, now)
    if any(record.get(name) != value for name, value in facts.items()):
        ctx.registry.update_version(version_name, facts)
    return described


def stop_for_quota(ctx: ProjectContext, live: LiveVersion | None, why: str, *, may_stop: bool) -> dict[str, str]:
    """Write down, before it happens, that the live version may be stopped, so that whoever comes next starts it again.

    :param live: the version that serves now and may have to go, ``None`` if there is none.
    :param why: what it is stopped for.
    :param may_stop: whether the settings allow it.
    :return: the version as ``project_arn`` and ``version_name``; empty where nothing is to be stopped.
    """
    if live is None:
        return {}
    status = ctx.rekognition.describe_version(live.project_arn, live.version_name).status
    record = ctx.registry.version(live.version_name)
    is_running = status == "RUNNING"
    if not (may_stop if is_running else record.get("stopped_for")):
        if record.get("stopped_for"):
            ctx.registry.update_version(live.version_name, {"stopped_for": None})
        return {}
    since = None if is_running else record.get("stopped_from")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    ctx.registry.update_version(live.version_name, {"stopped_for": why, "stopped_from": since or now})
    return {"project_arn": live.project_arn, "version_name": live.version_name}


def minutes_without(record: dict[str, Any]) -> str:
    """Say for how long at most a version that was stopped by us did not serve."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(record["stopped_from"])).total_seconds()
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


# -- after a failure -------------------------------------------------------------------------------


@values
def find_live_down(project: str, decided_by: str) -> dict[str, Any]:
    """After a failure: find out whether the live version was stopped by us and is to be started again.

    :param decided_by: the task whose result names the version that was to be started. Its id: as an argument the
        result would be an upstream that never fails, and this task would run where nothing failed.
    """
    ctx = ProjectContext(project)
    candidate = ctx.context["ti"].xcom_pull(task_ids=decided_by)
    if candidate is None:
        raise AirflowSkipException("The run failed before anything was started or stopped.")
    ctx.deployment_lock.renew()
    note_status(ctx, candidate["project_arn"], candidate["version_name"])
    live = ctx.registry.live()
    record = ctx.registry.version(live.version_name) if live else {}
    if live is None or not record.get("stopped_for"):
        raise AirflowSkipException("The version that serves was not stopped by this run or one before it.")
    described = note_status(ctx, live.project_arn, live.version_name)
    if VERSION_RUNNING.judge(described.status) is not Verdict.FAILED:
        ctx.registry.update_version(live.version_name, {"stopped_for": None})
        raise AirflowSkipException(f"Version {live.version_name} serves.")
    units = Units.wanted(record.get("minimum_inference_units") or 1, record.get("maximum_inference_units"))
    log.warning("Version %s was stopped for %s: starting it again.", live.version_name, record["stopped_for"])
    return {"project_arn": live.project_arn, "version_name": live.version_name, **units.to_record()}


@step
def notify_restarted(project: str, down: dict[str, Any]) -> None:
    """Record that the live version serves again, and notify for how long nothing did."""
    ctx = ProjectContext(project)
    name = down["version_name"]
    note_status(ctx, down["project_arn"], name)
    record = ctx.registry.version(name)
    last = ctx.registry.last_run(ctx.context["dag_run"].dag_id)
    why = f"{last['detail']} " if last.get("run") == ctx.run_name else ""
    detail = (
        f"{why}Version {name}, which was stopped for {record.get('stopped_for')}, was started again and serves; "
        f"nothing served for at most {minutes_without(record)}"
    )
    ctx.registry.update_version(name, {"stopped_for": None})
    outcome = RunOutcome("failed", project, detail, ctx.run_name)
    ctx.context["ti"].xcom_push(key=NOTE_KEY, value=outcome.note)
    notify_all(ctx, outcome)


def units_of(ctx: ProjectContext, settings: Mapping[str, Any], version_name: str) -> dict[str, Any]:
    """Give the inference units that a version had when it ran, else those of the settings, for the start operator."""
    record = ctx.registry.version(version_name)
    units = record if record.get("minimum_inference_units") else settings
    return {
        "min_inference_units": units["minimum_inference_units"],
        "max_inference_units": units.get("maximum_inference_units"),
    }


def note_service(ctx: ProjectContext, project_arn: str, version_name: str) -> None:
    """Record whether a version that we started or stopped runs now; calling it again changes nothing."""
    described = note_status(ctx, project_arn, version_name)
    if described.status == "RUNNING" and ctx.registry.version(version_name).get("stopped_for"):
        ctx.registry.update_version(version_name, {"stopped_for": None})
