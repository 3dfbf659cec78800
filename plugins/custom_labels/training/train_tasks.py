"""The steps of the train DAG up to the training: what each decides, reads and records.

Every function is one task. It takes the project's name and small values, and may be run again after any crash.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.statuses import VERSION_TRAINED, Verdict
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import REASON, RESUMED, ProjectContext, branch, step, values
from custom_labels.core.names import version_name
from custom_labels.datasets.manifest_records import build_manifests as write_manifests
from custom_labels.datasets.refusals_tasks import note_refusals
from custom_labels.datasets.snapshot import ImageSnapshot
from custom_labels.datasets.snapshot_records import count_images
from custom_labels.errors import ModelError, NotPermitted
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.preconditions import require_training
from custom_labels.training.retraining import AttemptState, Retrain, TrainingAttempt
from custom_labels.training.retraining_tasks import as_of, checked_snapshot, decide, first_step, run_kind

log = logging.getLogger(__name__)

# -- before anything is looked at ------------------------------------------------------------------


@branch
def is_training_on(project: str, settings: dict[str, Any]) -> str:
    """Go on if automatic training is on, or if a person asks for it: by the run's Params, or by a backfill."""
    ctx = ProjectContext(project)
    chosen, reason = first_step(ctx, settings)
    if reason:
        _explain(ctx, reason)
    return chosen


# -- what there is to train on ---------------------------------------------------------------------


@step
def take_snapshot(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Count the labelled images and those that no training has seen; reads listings only and writes nothing."""
    ctx = ProjectContext(project)
    ctx.lock.renew()
    snapshot = count_images(ctx.store, as_of=as_of(settings), trained=TrainingRecords(ctx.registry).trained_digest())
    log.info("Snapshot %s: %s images, %s untrained.", snapshot.digest[:12], snapshot.images, snapshot.untrained)
    return to_json(snapshot)


@branch
def is_retraining_due(project: str, settings: dict[str, Any], snapshot: dict[str, Any]) -> str:
    """Train, go on with a training that was begun, or do nothing - before any image is read."""
    ctx = ProjectContext(project)
    return {
        Retrain.TRAIN: "check_images",
        Retrain.RESUME: "resume_training",
        Retrain.NOTHING: "nothing_to_do",
    }[_decide(ctx, settings, snapshot)]


@step
def check_images(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Check the images that were not checked before, fix the split, and write the snapshot of the usable ones."""
    ctx = ProjectContext(project)
    ctx.lock.renew()
    trained = TrainingRecords(ctx.registry).trained_digest()
    with checked_snapshot(ctx, settings, trained, publish=True) as (frozen, report):
        for line in report.lines():
            log.warning("%s", line)
        return {"snapshot": to_json(frozen.header.snapshot), "report": to_json(report)}


@branch
def are_images_enough(project: str, settings: dict[str, Any], checked: dict[str, Any]) -> str:
    """Decide again, now that images that cannot be used are left out."""
    ctx = ProjectContext(project)
    return {
        Retrain.TRAIN: "build_manifests",
        Retrain.RESUME: "resume_training",
        Retrain.NOTHING: "nothing_to_do",
    }[_decide(ctx, settings, checked["snapshot"])]


@values
def build_manifests(project: str, checked: dict[str, Any]) -> dict[str, Any]:
    """Write the TRAIN and TEST manifests of the stored snapshot, the same bytes at every try."""
    ctx = ProjectContext(project)
    ctx.lock.renew()
    pair = write_manifests(ctx.store, from_json(ImageSnapshot, checked["snapshot"]))
    return {"train_uri": pair.train.uri, "test_uri": pair.test.uri, "manifests": to_json(pair)}


# -- the training ----------------------------------------------------------------------------------


@step
def claim_training(
    project: str,
    settings: dict[str, Any],
    checked: dict[str, Any],
    project_arn: str,
    datasets: list[str],  # noqa: ARG001 - that the datasets were replaced by those of this run
) -> dict[str, Any]:
    """Claim the one training of these images, before it is paid.

    Whoever runs after us, here or in another Airflow, finds the claim and goes on with it instead of paying again.

    :param datasets: ARNs of the project's TRAIN and TEST datasets, which this run replaced.
    """
    ctx = ProjectContext(project)
    snapshot = from_json(ImageSnapshot, checked["snapshot"])
    _require_due(ctx, settings, snapshot)
    ours = TrainingAttempt(
        digest=snapshot.digest,
        project_arn=project_arn,
        version_name=version_name(project, ctx.when, snapshot.digest),
        run=ctx.run_name,
        deploys=run_kind(ctx).deploys,
    )
    attempt = TrainingRecords(ctx.registry).claim_attempt(ours, force=bool(ctx.param("force")))
    facts = {"digest": snapshot.digest, "as_of": settings["as_of"], "begun_by": attempt.run}
    ctx.registry.update_version(attempt.version_name, {**facts, "labels": to_json(snapshot)["labels"]})
    return to_json(attempt)


@step
def resume_training(project: str) -> dict[str, Any]:
    """Find the training to go on with: begun by a run that did not live to see its end, or only measured so far."""
    ctx = ProjectContext(project)
    found = ctx.context["ti"].xcom_pull(task_ids=["are_images_enough", "is_retraining_due"], key=RESUMED)
    digest = next((digest for digest in found or [] if digest), None)
    attempt = TrainingRecords(ctx.registry).reopen_attempt(digest) if digest else None
    if attempt is None or attempt.state.is_finished:
        raise ModelError(
            f"Project '{project}' has no open training any more: its record below 'registry/attempts/' was changed "
            "since this run decided to resume it. Trigger the DAG again."
        )
    return to_json(attempt)


@values
def begin_training(project: str, attempts: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Give the version to train, claimed or resumed, and note in the lock that AWS is to be asked about it.

    It is to be deployed only if both the run that began the training and this one may.
    """
    found = next((attempt for attempt in attempts if attempt), None)
    require_inputs("begin_training", {"attempts": found})
    attempt = from_json(TrainingAttempt, found or {})
    ctx = ProjectContext(project)
    # Pulled, not handed in: as an argument it would be an upstream that never fails, and this task would run in vain.
    settings = ctx.context["ti"].xcom_pull(task_ids="load_settings")
    require_inputs("begin_training", {"load_settings": settings})
    require_training(ctx, settings)
    hours = float(settings["training_timeout_hours"])
    ctx.lock.renew(
        project_arn=attempt.project_arn,
        version_name=attempt.version_name,
        training_seconds=(hours + 1) * 3600,
    )
    return {**to_json(attempt), "deploys": attempt.deploys and run_kind(ctx).deploys}


@branch
def is_deployment_wanted(project: str, attempt: dict[str, Any]) -> str:
    """Judge the version and deploy it, unless a backfill only wants to know how good it is.

    One that was trained on older images than the version that serves is only measured, too: the intervals of a backfill
    come in no fixed order.
    """
    if not attempt["deploys"]:
        return "trained"
    registry = ProjectContext(project).registry
    live = registry.live()
    if live is not None and registry.is_older(attempt["version_name"], live.version_name):
        log.info("%s serves, which was trained on newer images.", live.version_name)
        return "trained"
    return "compare_with_champion"


@step
def training_failed(project: str, attempt: dict[str, Any] | None) -> None:
    """Record a training that AWS gave up, so that the same images are not tried again; others may be resumed."""
    if attempt is None:
        raise AirflowSkipException("The run failed before any training began.")
    ctx = ProjectContext(project)
    described = ctx.rekognition.describe_version(attempt["project_arn"], attempt["version_name"])
    if described.status is None or VERSION_TRAINED.judge(described.status) is not Verdict.FAILED:
        log.info("%s is %s: the next run goes on with it.", attempt["version_name"], described.status)
        return
    note_refusals(ctx, attempt, described.raw)
    detail = f"{described.status}: {described.message}"
    ctx.registry.update_version(attempt["version_name"], {"status": described.status, "detail": detail})
    TrainingRecords(ctx.registry).finish_attempt(
        attempt["digest"], attempt["version_name"], AttemptState.TRAINING_FAILED, detail
    )


# -- helpers ---------------------------------------------------------------------------------------


def _decide(ctx: ProjectContext, settings: dict[str, Any], snapshot: dict[str, Any]) -> Retrain:
    """Decide, and leave reason and snapshot for the tasks that follow."""
    decision = decide(ctx, settings, from_json(ImageSnapshot, snapshot))
    _explain(ctx, decision.reason)
    if decision.resumed:
        ctx.context["ti"].xcom_push(key=RESUMED, value=decision.resumed)
    return decision.action


def _require_due(ctx: ProjectContext, settings: dict[str, Any], snapshot: ImageSnapshot) -> None:
    """Make sure, before it is claimed, that these images are to be trained on, or were begun to be."""
    require_training(ctx, settings)
    decision = decide(ctx, settings, snapshot)
    if decision.action is Retrain.TRAIN:
        return
    attempt = TrainingRecords(ctx.registry).attempt(snapshot.digest)
    begun = attempt and ctx.rekognition.describe_version(attempt.project_arn, attempt.version_name).status
    if begun is None:
        raise NotPermitted(
            f"Snapshot {snapshot.digest[:12]} of project '{ctx.project.name}' was not claimed for a training: "
            f"{decision.reason}. Nothing was paid. Clear task 'is_retraining_due' with the tasks downstream of it."
        )


def _explain(ctx: ProjectContext, reason: str) -> None:
    log.info("%s", reason)
    ctx.context["ti"].xcom_push(key=REASON, value=reason)
