"""The first steps of the detect DAG: whether a version serves, and whether images may start the one that should."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from custom_labels.core.context import AUTOSTART, REASON, ProjectContext, branch, step
from custom_labels.core.service_window import window_of
from custom_labels.deployment.start_on_demand import why_not_started
from custom_labels.deployment.version_tasks import note_service, units_of
from custom_labels.detection.inbox_records import Inbox

AUTOSTART_ARGUMENTS = ("project_arn", "version_name", "min_inference_units", "max_inference_units")
"""What the version is started with: arguments of the start operator."""


def autostart_argument(name: str) -> str:
    """Give a template of what :func:`is_version_serving` found out about the version that is to be started."""
    return f"{{{{ ti.xcom_pull(task_ids='is_version_serving', key='{AUTOSTART}')['{name}'] }}}}"


@dataclass(frozen=True)
class Service:
    """How the version that serves is.

    :param trouble: why it does not, in words; ``None`` if it runs.
    :param startable: the version, as arguments of the start operator, if nothing but that is in the way.
    """

    trouble: str | None = None
    startable: dict[str, Any] | None = None


@branch
def is_version_serving(project: str, settings: dict[str, Any]) -> str:
    """Go on if a version serves and runs, or can be started for images that wait.

    Otherwise nothing is taken from the queue. Whoever starts a version holds the deployment lock: neither a swap nor
    the cost guard comes between.
    """
    ctx = ProjectContext(project)
    service = _look(ctx, settings)
    if service.startable is not None:
        why = _take_lock(ctx) if _do_images_wait(ctx) else "no image waits for it"
        if why is None:
            # Under the lock it is looked at again: a swap may just have ended.
            service = _look(ctx, settings)
            if service.startable is not None:
                ctx.context["ti"].xcom_push(key=AUTOSTART, value=service.startable)
                return "start_live"
            ctx.deployment_lock.release()
        else:
            service = Service(f"{service.trouble}, and {why}")
    if service.trouble is None:
        return "collect"
    ctx.context["ti"].xcom_push(key=REASON, value=service.trouble)
    return "nothing_serves"


def _look(ctx: ProjectContext, settings: dict[str, Any]) -> Service:
    live = ctx.registry.live()
    if live is None:
        return Service(f"there is no {ctx.store.uri('registry/live.json')}: no version was deployed yet")
    status = ctx.rekognition.describe_version(live.project_arn, live.version_name).status
    if status == "RUNNING":
        return Service()
    trouble = f"version {live.version_name} is {status or 'gone'}, not RUNNING"
    why = why_not_started(
        status,
        is_on=settings["start_when_images_wait"],
        window=window_of(settings),
        setting=ctx.project.variable("start_when_images_wait"),
        now=datetime.now(UTC),
    )
    if why is not None:
        return Service(f"{trouble}, and {why}")
    version = {"project_arn": live.project_arn, "version_name": live.version_name}
    return Service(trouble, {**version, **units_of(ctx, settings, live.version_name)})


def _do_images_wait(ctx: ProjectContext) -> bool:
    """Look for one image without a result, which costs what a sweep does.

    A message alone is no reason to pay for a version: it may announce a folder marker, or an image that has its result.
    """
    with tempfile.TemporaryDirectory() as folder, Inbox(ctx.store, Path(folder) / "inbox.db", most=1) as inbox:
        inbox.sweep()
        return len(inbox) > 0


def _take_lock(ctx: ProjectContext) -> str | None:
    """Take the deployment lock without waiting; say who has it, ``None`` when it is ours."""
    holder = ctx.try_take(ctx.deployment_lock)
    return f"a deployment is under way: {holder.owner}" if holder else None


@step
def live_started(project: str) -> None:
    """Record that the live version runs again, and give the lock back."""
    ctx = ProjectContext(project)
    version = ctx.context["ti"].xcom_pull(task_ids="is_version_serving", key=AUTOSTART)
    note_service(ctx, version["project_arn"], version["version_name"])
    ctx.registry.update_service({"stopped": None})
    ctx.deployment_lock.release()
