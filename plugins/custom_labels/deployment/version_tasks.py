"""What the registry says of a version while it is started, stopped and kept; and how the live one makes room."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from custom_labels.aws.statuses import VERSION_RUNNING, Described, Verdict
from custom_labels.core.context import ProjectContext
from custom_labels.core.live_version import LiveVersion
from custom_labels.deployment.deployment import Units, VersionRef
from custom_labels.deployment.serving_records import ServingLog

log = logging.getLogger(__name__)


def note_status(ctx: ProjectContext, project_arn: str, version_name: str, *, stopped_by_us: bool = True) -> Described:
    """Put on record what AWS says of a version now: whether it runs, since when and with which units.

    Called after every start and stop of ours; calling it again changes nothing.

    :param stopped_by_us: whether one that does not run was stopped a moment ago, by this run. Otherwise it is not known
        when that was, and its costs end where it was last seen.
    :return: AWS's description.
    """
    now = datetime.now(UTC)
    described = ctx.rekognition.describe_version(project_arn, version_name)
    units = Units.of(described.raw)
    if stopped_by_us and VERSION_RUNNING.judge(described.status) is Verdict.FAILED:
        ServingLog(ctx.store).stopped(version_name, now)
    ServingLog(ctx.store).seen(version_name, units.minimum, described.status, now)
    ctx.registry.change_version(version_name, lambda record: {**record, **_facts(record, described, now)})
    return described


def _facts(record: dict[str, Any], described: Described, now: datetime) -> dict[str, Any]:
    """Give what is recorded of a version's status, beside what is known of it."""
    facts: dict[str, Any] = {"status": described.status}
    if described.status == "RUNNING":
        facts.update(Units.of(described.raw).to_record())
        if record.get("status") != "RUNNING":
            facts["started_at"] = now.isoformat(timespec="seconds")
    elif VERSION_RUNNING.judge(described.status) is Verdict.FAILED:
        facts["kept_until"] = None
    return {name: value for name, value in facts.items() if record.get(name) != value}


def stop_for_quota(ctx: ProjectContext, live: LiveVersion | None, why: str, *, may_stop: bool) -> VersionRef | None:
    """Write down, before it happens, that the live version may be stopped, so that whoever comes next starts it again.

    :param live: the version that serves now and may have to go, ``None`` if there is none.
    :param why: what it is stopped for.
    :param may_stop: whether the settings allow it.
    :return: the version, ``None`` where nothing is to be stopped.
    """
    if live is None:
        return None
    status = ctx.rekognition.describe_version(live.project_arn, live.version_name).status
    record = ctx.registry.version(live.version_name)
    is_running = status == "RUNNING"
    if not (may_stop if is_running else record.get("stopped_for")):
        if record.get("stopped_for"):
            ctx.registry.update_version(live.version_name, {"stopped_for": None})
        return None
    since = None if is_running else record.get("stopped_from")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    ctx.registry.update_version(live.version_name, {"stopped_for": why, "stopped_from": since or now})
    return VersionRef(live.project_arn, live.version_name)


def minutes_without(record: dict[str, Any]) -> str:
    """Say for how long at most a version that was stopped by us did not serve."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(record["stopped_from"])).total_seconds()
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def note_service(ctx: ProjectContext, project_arn: str, version_name: str) -> None:
    """Record whether a version that we started or stopped runs now; calling it again changes nothing."""
    described = note_status(ctx, project_arn, version_name)
    if described.status == "RUNNING" and ctx.registry.version(version_name).get("stopped_for"):
        ctx.registry.update_version(version_name, {"stopped_for": None})
