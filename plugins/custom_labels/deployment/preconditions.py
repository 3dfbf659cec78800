"""What a task that pays, starts, stops or deletes makes sure of first, whatever became of the tasks before it.

A user may mark, skip or clear any task, or run one alone, days later. So it is not the way to the task that counts, but
what the registry says at this moment: operators and steps call these functions.
"""

from __future__ import annotations

from custom_labels.core.context import ProjectContext
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.deployment.deployment import why_not_replaced
from custom_labels.deployment.permission import why_not_deployed
from custom_labels.deployment.served_record import ServedRecord
from custom_labels.deployment.service_records import read_service
from custom_labels.errors import LiveVersionChanged, NotPermitted
from custom_labels.evaluation.judged_record import JudgedRecord

# -- putting into service --------------------------------------------------------------------------


def require_permission(
    ctx: ProjectContext, candidate: Candidate, live: LiveVersion | None, *, needs_approval: bool
) -> None:
    """Make sure that a version may serve: it replaces what it was judged against, passed its gates, and was approved.

    :param live: the version that serves now.
    :raises LiveVersionChanged: another version serves than the one it is to replace.
    :raises NotPermitted: the registry lacks what it takes.
    """
    if reason := why_not_replaced(live, candidate):
        raise LiveVersionChanged(reason)
    if live is not None and live.version_arn == candidate.version_arn:
        return
    record = ctx.registry.version(candidate.version_name, JudgedRecord) or JudgedRecord()
    refuse(why_not_deployed(candidate, record, needs_approval=needs_approval))


def require_live(live: LiveVersion | None, version_name: str) -> None:
    """Make sure that a version serves before that is put on record as how a run ended.

    :param live: the version that serves now.
    :raises NotPermitted: it does not.
    """
    if live is None or live.version_name != version_name:
        raise NotPermitted(
            f"Version '{version_name}' was not recorded as the one that serves: 'registry/live.json' names "
            f"{live.version_name if live else 'no version'}. Another run moved it meanwhile, or 'swap_live' was marked "
            "by hand. To let it serve, trigger the rollback DAG and name it in the Param 'version'."
        )


# -- starting, stopping, deleting ------------------------------------------------------------------


def never(ctx: ProjectContext, name: str) -> bool:  # noqa: ARG001
    """Say that no stop of a live version was recorded: the task stops others only."""
    return False


def recorded_by_run(ctx: ProjectContext, name: str) -> bool:
    """Whether a run recorded what it stops the live version for."""
    record = ctx.registry.version(name, ServedRecord)
    return record is not None and bool(record.stopped_for)


def recorded_by_guard(ctx: ProjectContext, name: str) -> bool:
    """Whether the cost guard recorded that it stops the live version."""
    return read_service(ctx.store).has_stopped(name)


def refuse(reason: str | None) -> None:
    """Raise the reason why something may not be done, if there is one."""
    if reason:
        raise NotPermitted(reason)
