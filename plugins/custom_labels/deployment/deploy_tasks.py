"""The tasks that put a version into service, whoever chose it: a training that passed its gates, or a rollback."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, TriggerRule

from custom_labels.aws.operators.waiting import WaitUntilOperator
from custom_labels.aws.sensors.rekognition import CustomLabelsVersionSensor
from custom_labels.aws.statuses import VERSION_RUNNING, Described, Verdict
from custom_labels.core.context import ProjectContext
from custom_labels.core.dag_arguments import custom_labels_arguments, sensor_arguments
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.core.lock_records import DEPLOYMENT_LOCK
from custom_labels.core.lock_tasks import AcquireProjectLockOperator
from custom_labels.core.metrics import Gauge, send_gauges
from custom_labels.core.settings import Project
from custom_labels.core.steps import decision, each_of, fan_out, follow, given, order, step
from custom_labels.core.version_record import VersionRecord
from custom_labels.deployment.deployment import (
    AfterSwap,
    DeploymentPlan,
    SmokeAnswer,
    SmokeTest,
    Swap,
    Units,
    VersionRef,
    smoke_failure,
)
from custom_labels.deployment.live_records import move_live
from custom_labels.deployment.preconditions import require_permission
from custom_labels.deployment.served_record import ServedRecord
from custom_labels.deployment.settings import DeploymentSettings, ServingSettings
from custom_labels.deployment.version_operator import (
    RestartLiveOperator,
    StartChallengerOperator,
    StopChallengerOperator,
    StopVersionOperator,
)
from custom_labels.deployment.version_tasks import change_served, note_status, stop_for_quota
from custom_labels.errors import ModelError
from custom_labels.evaluation.known_images_records import KnownImage, bucket_and_key, known_answers

log = logging.getLogger(__name__)

# -- the group of tasks ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Deployment:
    """The ends of the tasks, for the DAG around them.

    :param plan: the first step.
    :param swap: the step that moves the pointer.
    :param done: the task after which all is done.
    :param restart: the task that runs last where something failed.
    """

    plan: DeploymentPlan
    swap: Swap
    done: BaseOperator
    restart: BaseOperator


def take_deployment_lock(project: Project, **arguments: Any) -> AcquireProjectLockOperator:
    """Add the task that takes the deployment lock: one run at a time starts, swaps and stops versions."""
    return AcquireProjectLockOperator(
        task_id="acquire_deployment_lock", project=project.name, lock=DEPLOYMENT_LOCK, deferrable=True, **arguments
    )


def deploy(project: Project, settings: DeploymentSettings, candidate: Candidate | None, outlet: Asset) -> Deployment:
    """Add the tasks that start, smoke-test and swap in a version, and stop or keep the one that it replaces.

    Whatever fails, the pointer names the version that served before, which runs, and the new one is stopped.

    :param candidate: the version that is to serve.
    :param outlet: what changes with the swap.
    """
    aws = {"project": project.name, **custom_labels_arguments(project)}
    plan = plan_deployment(project, settings, given(candidate))
    stop_kept = StopVersionOperator.partial(task_id="stop_kept", **aws).expand_kwargs(each_of(plan.kept))
    challenger = plan.candidate
    version: dict[str, Any] = {"project_arn": challenger.project_arn, "version_name": challenger.version_name}
    start = StartChallengerOperator(
        task_id="start_version",
        plan=plan,
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        wait_for_completion=False,
        min_inference_units=plan.units.minimum,
        max_inference_units=plan.units.maximum,
        **version,
        **aws,
    )
    running = CustomLabelsVersionSensor(
        task_id="version_is_running", until="running", **version, **sensor_arguments(project)
    )
    tested = smoke_test(project, settings, **version, digest=challenger.digest)
    swap = swap_live.having(outlets=[outlet])(project, settings, plan, tested)
    drain = WaitUntilOperator(task_id="drain", moment=swap.drained_at)
    replaced = swap.live
    stop_replaced = StopVersionOperator(
        task_id="stop_replaced",
        project_arn=given(replaced.previous_project_arn),
        version_name=given(replaced.previous_version_name),
        **aws,
    )
    stop_challenger = StopChallengerOperator(
        task_id="stop_challenger", trigger_rule=TriggerRule.ONE_FAILED, **version, **aws
    )
    restart = restart_live(project, challenger.version_name)

    order(plan, stop_kept, start, running, tested)
    follow(swap, {AfterSwap.STOP: drain})
    order(drain, stop_replaced)
    order([stop_kept, start, running, tested, swap], stop_challenger, restart)
    return Deployment(plan, swap, stop_replaced, restart)


def restart_live(project: Project, version_name: str, **arguments: Any) -> RestartLiveOperator:
    """Add the task that starts the live version again where a run stopped it and failed.

    :param version_name: the version that the run is about.
    """
    return RestartLiveOperator(
        task_id="restart_live",
        project=project.name,
        version_name=version_name,
        **arguments,
        **custom_labels_arguments(project),
    )


# -- before anything is started --------------------------------------------------------------------


@fan_out("kept")
def plan_deployment(ctx: ProjectContext, settings: DeploymentSettings, candidate: Candidate) -> DeploymentPlan:
    """Under the lock, before anything is paid: may the version serve, and who makes room if need be?"""
    ctx.deployment_lock.hold()
    live = ctx.registry.live()
    require_permission(ctx, candidate, live, needs_approval=settings.require_approval)
    replaced = live if live is not None and live.version_arn != candidate.version_arn else None
    may_stop = settings.when_quota_is_full == "stop_then_start"
    return DeploymentPlan(
        candidate,
        kept=_find_kept(ctx, candidate, live),
        stop_first=stop_for_quota(ctx, replaced, candidate.version_name, may_stop=may_stop),
        units=Units.wanted(settings.minimum_inference_units, settings.maximum_inference_units),
        needs_approval=settings.require_approval,
    )


def _find_kept(ctx: ProjectContext, candidate: Candidate, live: LiveVersion | None) -> tuple[VersionRef, ...]:
    """List versions of ours that run and do not serve: they take a place in the quota that the new one needs."""
    needed = {candidate.version_name}
    if live is not None:
        needed.add(live.version_name)
        if live.version_name == candidate.version_name and live.previous_version_name:
            needed.add(live.previous_version_name)  # replaced already by a run that did not end: it has its own time
    return tuple(
        VersionRef(candidate.project_arn, name)
        for name, described in ctx.rekognition.list_versions(candidate.project_arn).items()
        if described.status == "RUNNING" and name not in needed and ctx.registry.version(name, VersionRecord)
    )


# -- the swap --------------------------------------------------------------------------------------


@step
def smoke_test(
    ctx: ProjectContext, settings: ServingSettings, project_arn: str, version_name: str, digest: str
) -> SmokeTest:
    """Put known images to the running version; it must answer as it did when it was evaluated."""
    described = note_status(ctx, project_arn, version_name)
    known = known_answers(ctx.store, ctx.project.task, described.raw, digest, settings.smoke_test_images)
    answers = _ask(ctx, described, known.images, {} if known.own else {"MinConfidence": 0})
    # What people say is no measure of what this model says: there, one sign of it is enough.
    if failure := smoke_failure(answers, settings.smoke_test_share if known.own else 0):
        live = ctx.registry.live()
        serves = live is not None and live.version_name == version_name
        raise ModelError(
            f"Model version '{version_name}' runs but {failure}. "
            + ("It serves all the same" if serves else "It was not put into service and is being stopped")
            + "; inspect its evaluation in the Custom Labels console, or lower 'smoke_test_share'."
        )
    tested = SmokeTest(len(answers), sum(answer.right for answer in answers))
    log.info("%s of %s known images were answered as expected.", tested.right, tested.asked)
    return tested


def _ask(
    ctx: ProjectContext, version: Described, images: tuple[KnownImage, ...], bounds: dict[str, Any]
) -> tuple[SmokeAnswer, ...]:
    client = ctx.rekognition.client
    answers = []
    for uri, labels in images:
        bucket, key = bucket_and_key(uri)
        try:
            found = client.detect_custom_labels(
                ProjectVersionArn=version.arn, Image={"S3Object": {"Bucket": bucket, "Name": key}}, **bounds
            )["CustomLabels"]
        except client.exceptions.InvalidS3ObjectException as error:
            log.info("%s cannot be read any more, as it could be for the training, and is passed over: %s", uri, error)
            continue
        surest_first = sorted(found, key=lambda entry: -entry["Confidence"])
        answers.append(SmokeAnswer(uri, labels, tuple(str(entry["Name"]) for entry in surest_first)))
    return tuple(answers)


@decision
def swap_live(ctx: ProjectContext, settings: DeploymentSettings, plan: DeploymentPlan, tested: SmokeTest) -> Swap:
    """Point to the new version, by compare-and-set on the version that it was compared with.

    The registry must say that it may serve, and AWS that it runs, whatever became of the tasks before. The replaced
    version goes on running for calls that are under way, for a while that is counted from the swap, however often the
    task is repeated; or it is kept, so that a rollback takes seconds.
    """
    ctx.deployment_lock.hold(settings.drain_seconds)
    candidate = plan.candidate
    require_permission(ctx, candidate, ctx.registry.live(), needs_approval=settings.require_approval)
    _require_running(ctx, candidate)
    live = move_live(ctx.registry, candidate, datetime.now(UTC).isoformat(timespec="seconds"))
    send_gauges(ctx, {Gauge.LIVE_F1: live.f1, Gauge.LIVE_UNITS: plan.units.minimum})
    ctx.describe_event(
        version=live.version_name,
        f1=live.f1,
        digest=live.digest,
        replaced=live.previous_version_name,
        since=live.since,
        is_rollback=live.is_rollback,
    )
    change_served(
        ctx,
        live.version_name,
        lambda record: replace(
            record, serves_since=live.since, kept_until=None, replaced_by=None, stopped_for=None, smoke_test=tested
        ),
    )
    drained = datetime.fromisoformat(live.since) + timedelta(seconds=settings.drain_seconds)
    return Swap(_after_swap(ctx, live, settings.keep_replaced_hours), live, drained.isoformat())


def _require_running(ctx: ProjectContext, candidate: Candidate) -> None:
    status = ctx.rekognition.describe_version(candidate.project_arn, candidate.version_name).status
    if status != "RUNNING":
        raise ModelError(
            f"Version '{candidate.version_name}' is {status or 'not there any more'}, not RUNNING, so "
            "'registry/live.json' was not moved to it. Clear task 'start_version' with the tasks downstream of it."
        )


def _after_swap(ctx: ProjectContext, live: LiveVersion, keep_hours: float) -> AfterSwap:
    """Decide what becomes of the version that was replaced, if there is one, and write it down."""
    name, project_arn = live.previous_version_name, live.previous_project_arn
    if not name or not project_arn:
        return AfterSwap.NOTHING
    is_down = VERSION_RUNNING.judge(ctx.rekognition.describe_version(project_arn, name).status) is Verdict.FAILED
    until = datetime.fromisoformat(live.since) + timedelta(hours=keep_hours) if keep_hours and not is_down else None

    def replaced(record: ServedRecord) -> ServedRecord:
        return replace(record, replaced_by=live.version_name, stopped_for=None, kept_until=until or record.kept_until)

    change_served(ctx, name, replaced)
    if is_down:
        note_status(ctx, project_arn, name)  # perhaps stopped by a run that did not live to say so
    return AfterSwap.NOTHING if is_down or keep_hours else AfterSwap.STOP
