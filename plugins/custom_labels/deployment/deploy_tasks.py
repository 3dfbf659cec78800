"""The steps that put a version into service, whoever chose it: a training that passed its gates, or a rollback."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.statuses import VERSION_RUNNING, Described, Verdict
from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext, branch, step, values
from custom_labels.core.live_version import LiveVersion
from custom_labels.deployment.deployment import SmokeAnswer, smoke_failure
from custom_labels.deployment.live_records import move_live
from custom_labels.deployment.preconditions import require_permission
from custom_labels.deployment.version_tasks import note_status, stop_for_quota
from custom_labels.errors import ModelError
from custom_labels.evaluation.known_images_records import bucket_and_key, known_answers

log = logging.getLogger(__name__)

# -- before anything is started --------------------------------------------------------------------


@values
def plan_deployment(project: str, settings: dict[str, Any], candidate: dict[str, Any]) -> dict[str, Any]:
    """Under the lock, before anything is paid: may the version serve, by the registry, and who makes room if need be?

    The result is the candidate, with ``stop_first``: the live version, if it may be stopped for want of a place.
    """
    ctx = ProjectContext(project)
    ctx.deployment_lock.renew(training_seconds=2 * settings["lock_lease_minutes"] * 60)
    live = ctx.registry.live()
    require_permission(ctx, settings, candidate)
    replaced = live if live is not None and live.version_arn != candidate["version_arn"] else None
    may_stop = settings["when_quota_is_full"] == "stop_then_start"
    return {**candidate, "stop_first": stop_for_quota(ctx, replaced, candidate["version_name"], may_stop=may_stop)}


@step
def find_kept(project: str, plan: dict[str, Any]) -> list[dict[str, str]]:
    """List versions of ours that run and do not serve: they take a place in the quota that the new one needs."""
    ctx = ProjectContext(project)
    live = ctx.registry.live()
    needed = {plan["version_name"]}
    if live is not None:
        needed.add(live.version_name)
        if live.version_name == plan["version_name"] and live.previous_version_name:
            needed.add(live.previous_version_name)  # replaced already by a run that did not end: it has its own time
    return [
        {"project_arn": plan["project_arn"], "version_name": name}
        for name, described in ctx.rekognition.list_versions(plan["project_arn"]).items()
        if described.status == "RUNNING" and name not in needed and ctx.registry.version(name)
    ]


# -- the swap --------------------------------------------------------------------------------------


@step
def smoke_test(project: str, settings: dict[str, Any], plan: dict[str, Any]) -> dict[str, int]:
    """Put known images to the running version; it must answer as it did when it was evaluated.

    :return: how many images it was ``asked`` about and how many answers were ``right``.
    """
    ctx = ProjectContext(project)
    ctx.deployment_lock.renew()
    for kept in ctx.context["ti"].xcom_pull(task_ids="find_kept") or []:
        note_status(ctx, kept["project_arn"], kept["version_name"])
    described = note_status(ctx, plan["project_arn"], plan["version_name"])
    known = known_answers(ctx.store, described.raw, plan["digest"], settings["smoke_test_images"])
    answers = _ask(ctx, described, known.images, {} if known.own else {"MinConfidence": 0})
    # What people say is no measure of what this model says: there, one sign of it is enough.
    if failure := smoke_failure(answers, settings["smoke_test_share"] if known.own else 0):
        live = ctx.registry.live()
        serves = live is not None and live.version_name == plan["version_name"]
        raise ModelError(
            f"Model version '{plan['version_name']}' runs but {failure}. "
            + ("It serves all the same" if serves else "It was not put into service and is being stopped")
            + "; look at its evaluation in the Custom Labels console, or lower 'smoke_test_share'."
        )
    tested = {"asked": len(answers), "right": sum(answer.right for answer in answers)}
    log.info("%s of %s known images were answered as expected.", tested["right"], tested["asked"])
    return tested


def _ask(
    ctx: ProjectContext, version: Described, images: tuple[tuple[str, str], ...], bounds: dict[str, Any]
) -> tuple[SmokeAnswer, ...]:
    client = ctx.rekognition.client
    answers = []
    for uri, label in images:
        bucket, key = bucket_and_key(uri)
        try:
            found = client.detect_custom_labels(
                ProjectVersionArn=version.arn, Image={"S3Object": {"Bucket": bucket, "Name": key}}, **bounds
            )["CustomLabels"]
        except client.exceptions.InvalidS3ObjectException as error:
            log.info("%s cannot be read any more, as it could be for the training, and is passed over: %s", uri, error)
            continue
        surest_first = sorted(found, key=lambda entry: -entry["Confidence"])
        answers.append(SmokeAnswer(uri, label, tuple(str(entry["Name"]) for entry in surest_first)))
    return tuple(answers)


@values
def swap_live(project: str, settings: dict[str, Any], plan: dict[str, Any], tested: dict[str, int]) -> dict[str, Any]:
    """Point to the new version, by compare-and-set on the version that it was compared with.

    The registry must say that it may serve, and AWS that it runs, whatever became of the tasks before. The result is
    the pointer, with ``drained_at``: until then the replaced version goes on running for calls that are
    under way, counted from the swap, however often the task is repeated.
    """
    ctx = ProjectContext(project)
    ctx.deployment_lock.renew(training_seconds=settings["drain_seconds"] + settings["lock_lease_minutes"] * 60)
    require_permission(ctx, settings, plan)
    _require_running(ctx, plan["project_arn"], plan["version_name"])
    challenger = LiveVersion(
        version_name=plan["version_name"],
        version_arn=plan["version_arn"],
        project_arn=plan["project_arn"],
        digest=plan["digest"],
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        f1=plan["f1"],
        labels=tuple(plan["labels"]),
        is_rollback=plan.get("is_rollback", False),
    )
    live = move_live(ctx.registry, challenger, expected=plan["champion_arn"])
    ctx.registry.update_version(
        live.version_name,
        {
            "serves_since": live.since,
            "kept_until": None,
            "replaced_by": None,
            "stopped_for": None,
            "smoke_test": tested,
        },
    )
    drained = datetime.fromisoformat(live.since) + timedelta(seconds=settings["drain_seconds"])
    return {**to_json(live), "drained_at": drained.isoformat()}


def _require_running(ctx: ProjectContext, project_arn: str, version_name: str) -> None:
    status = ctx.rekognition.describe_version(project_arn, version_name).status
    if status != "RUNNING":
        raise ModelError(
            f"Version '{version_name}' is {status or 'not there any more'}, not RUNNING, so 'registry/live.json' was "
            "not moved to it. Clear task 'start_version' with the tasks downstream of it."
        )


# -- the version that was replaced -----------------------------------------------------------------


@branch
def is_version_replaced(project: str, live: dict[str, Any]) -> str:
    """Let calls to the replaced version end, if there is one and it runs."""
    ctx = ProjectContext(project)
    name = live["previous_version_name"]
    if not name:
        return "swapped"
    ctx.registry.update_version(name, {"replaced_by": live["version_name"], "stopped_for": None})
    status = ctx.rekognition.describe_version(live["previous_project_arn"], name).status
    return "drain" if VERSION_RUNNING.judge(status) is not Verdict.FAILED else "record_replaced"


@branch
def is_replaced_kept(project: str, settings: dict[str, Any], live: dict[str, Any]) -> str:
    """Stop the replaced version, or keep it running for a while, so that a rollback takes seconds."""
    ctx = ProjectContext(project)
    ctx.deployment_lock.renew()
    hours = settings["keep_replaced_hours"]
    if not hours:
        return "stop_replaced"
    until = datetime.fromisoformat(live["since"]) + timedelta(hours=hours)
    ctx.registry.update_version(live["previous_version_name"], {"kept_until": until.isoformat()})
    return "record_replaced"


@step
def record_replaced(project: str) -> None:
    """Record what became of the replaced version: stopped, or kept running for a while."""
    ctx = ProjectContext(project)
    # Pulled, not handed in: as an argument it would be an upstream that never fails, and this task would run in vain.
    live = ctx.context["ti"].xcom_pull(task_ids="swap_live")
    require_inputs("record_replaced", {"live": live})
    note_status(ctx, live["previous_project_arn"], live["previous_version_name"])


# -- after a failure -------------------------------------------------------------------------------


@branch
def is_challenger_running(project: str, candidate: dict[str, Any] | None) -> str | None:
    """After a failure: have the new version stopped if it runs and does not serve."""
    if candidate is None:
        return None
    ctx = ProjectContext(project)
    described = ctx.rekognition.describe_version(candidate["project_arn"], candidate["version_name"])
    live = ctx.registry.live()
    if live is not None and live.version_name == candidate["version_name"]:
        log.info("%s serves: it is left running.", live.version_name)
        return None
    is_running = VERSION_RUNNING.judge(described.status) is not Verdict.FAILED
    return "stop_challenger" if is_running else "find_live_down"
