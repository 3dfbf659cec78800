"""What the registry says of a version while it is started, stopped and kept; and how the live one makes room."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from custom_labels.aws.statuses import VERSION_RUNNING, Described, Verdict
from custom_labels.core.context import ProjectContext
from custom_labels.core.live_version import LiveVersion
from custom_labels.deployment.deployment import Units, VersionRef
from custom_labels.deployment.served_record import ServedRecord
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
    change_served(ctx, version_name, lambda record: _with_status(record, described, now))
    return described


def _with_status(record: ServedRecord, described: Described, now: datetime) -> ServedRecord:
    """Give what is recorded of a version with its status."""
    with_status = replace(record, status=described.status)
    if described.status == "RUNNING":
        units = Units.of(described.raw)
        return replace(
            with_status,
            minimum_inference_units=units.minimum,
            maximum_inference_units=units.maximum,
            started_at=record.started_at if record.status == "RUNNING" else now.isoformat(timespec="seconds"),
        )
    is_down = VERSION_RUNNING.judge(described.status) is Verdict.FAILED
    return replace(with_status, kept_until=None) if is_down else with_status


def read_served(ctx: ProjectContext, version_name: str) -> ServedRecord:
    """Read what is on record of a version in service; an empty record where there is none."""
    return ctx.registry.version(version_name, ServedRecord) or ServedRecord()


def change_served(ctx: ProjectContext, version_name: str, change: Callable[[ServedRecord], ServedRecord]) -> None:
    """Change what is on record of a version in service."""
    ctx.registry.change_version(version_name, ServedRecord, change)


def note_restart(ctx: ProjectContext, version_name: str) -> None:
    """Record that a version which a deployment stopped serves again, or need not be started again."""
    change_served(ctx, version_name, lambda record: replace(record, stopped_for=None))


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
    record = read_served(ctx, live.version_name)
    is_running = status == "RUNNING"
    if not (may_stop if is_running else record.stopped_for):
        if record.stopped_for:
            note_restart(ctx, live.version_name)
        return None
    since = None if is_running else record.stopped_from
    now = datetime.now(UTC)
    change_served(ctx, live.version_name, lambda known: replace(known, stopped_for=why, stopped_from=since or now))
    return VersionRef(live.project_arn, live.version_name)


def minutes_without(record: ServedRecord) -> str:
    """Say for how long at most a version that was stopped by us did not serve."""
    now = datetime.now(UTC)
    seconds = (now - (record.stopped_from or now)).total_seconds()
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def note_service(ctx: ProjectContext, project_arn: str, version_name: str) -> None:
    """Record whether a version that we started or stopped runs now; calling it again changes nothing."""
    described = note_status(ctx, project_arn, version_name)
    if described.status == "RUNNING":
        note_restart(ctx, version_name)
