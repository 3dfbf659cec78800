"""The steps of the train DAG between its AWS operators: what each decides, reads and records.

Every function is one task. It takes the project's name and small values, and may be run again after any crash.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.domain.deployment import LiveVersion, SmokeAnswer, smoke_failure
from custom_labels.domain.errors import ModelError
from custom_labels.domain.evaluation import Evaluation, parse_summary
from custom_labels.domain.gate import judge_f1
from custom_labels.domain.names import version_name
from custom_labels.domain.retraining import AttemptState, Retrain, TrainingAttempt, decide_retraining
from custom_labels.domain.snapshot import ImageSnapshot
from custom_labels.domain.statuses import VERSION_RUNNING, VERSION_TRAINED, Verdict
from custom_labels.operators.project import ProjectContext, branch, step, values
from custom_labels.storage.known_images import bucket_and_key, known_images
from custom_labels.storage.manifests import build_manifests as write_manifests
from custom_labels.storage.snapshots import freeze, survey

log = logging.getLogger(__name__)

# -- before anything is looked at ------------------------------------------------------------------


@branch
def is_training_on(project: str, settings: dict[str, Any]) -> str:
    """Go on if automatic training is on, or if a person asks for it in the run's Params."""
    place = ProjectContext(project)
    if settings["enable_automatic_training"] or place.param("even_if_training_is_off"):
        return "acquire_lock"
    log.info("Variable '%s' is off.", place.project.variable("enable_automatic_training"))
    return "training_is_off"


# -- what there is to train on ---------------------------------------------------------------------


@step
def take_snapshot(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Count the labelled images and those that no training has seen; reads listings only and writes nothing."""
    place = ProjectContext(project)
    place.lock.renew()
    snapshot = survey(place.store, as_of=_as_of(settings), trained=place.registry.trained_digest())
    log.info("Snapshot %s: %s images, %s untrained.", snapshot.digest[:12], snapshot.images, snapshot.untrained)
    return snapshot.to_json()


@branch
def is_retraining_due(project: str, settings: dict[str, Any], snapshot: dict[str, Any]) -> str:
    """Train, go on with a training that was begun, or do nothing - before any image is read."""
    place = ProjectContext(project)
    action, reason = _decide(place, settings, ImageSnapshot.from_json(snapshot))
    _explain(place, reason)
    return {
        Retrain.TRAIN: "check_images",
        Retrain.RESUME: "resume_training",
        Retrain.NOTHING: "nothing_to_do",
    }[action]


@step
def check_images(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Check the images that were not checked before, fix the split, and freeze the snapshot of the usable ones."""
    place = ProjectContext(project)
    place.lock.renew()
    snapshot, report = freeze(
        place.store,
        as_of=_as_of(settings),
        trained=place.registry.trained_digest(),
        test_share=settings["test_share"],
    )
    for line in report.lines():
        log.warning("%s", line)
    return {"snapshot": snapshot.to_json(), "report": report.to_json()}


@branch
def are_images_enough(project: str, settings: dict[str, Any], checked: dict[str, Any]) -> str:
    """Decide again, now that images that cannot be used are left out."""
    place = ProjectContext(project)
    action, reason = _decide(place, settings, ImageSnapshot.from_json(checked["snapshot"]))
    _explain(place, reason)
    return "build_manifests" if action is Retrain.TRAIN else "nothing_to_do"


@values
def build_manifests(project: str, checked: dict[str, Any]) -> dict[str, Any]:
    """Write the TRAIN and TEST manifests of the frozen snapshot, the same bytes at every try."""
    place = ProjectContext(project)
    place.lock.renew()
    pair = write_manifests(place.store, ImageSnapshot.from_json(checked["snapshot"]))
    return {"train_uri": pair.train.uri, "test_uri": pair.test.uri, "manifests": pair.to_json()}


# -- the training ----------------------------------------------------------------------------------


@step
def claim_training(project: str, settings: dict[str, Any], checked: dict[str, Any], project_arn: str) -> dict[str, Any]:
    """Claim the one training of these images, before it is paid.

    Whoever runs after us, here or in another Airflow, finds the claim and goes on with it instead of paying again.
    """
    place = ProjectContext(project)
    snapshot = ImageSnapshot.from_json(checked["snapshot"])
    ours = TrainingAttempt(
        digest=snapshot.digest,
        project_arn=project_arn,
        version_name=version_name(project, place.when, snapshot.digest),
        run=place.run_name,
    )
    attempt = place.registry.claim_attempt(ours, force=bool(place.param("force")))
    facts = {"digest": snapshot.digest, "as_of": settings["as_of"], "begun_by": attempt.run}
    place.registry.update_version(attempt.version_name, {**facts, "labels": snapshot.to_json()["labels"]})
    return attempt.to_json()


@step
def resume_training(project: str) -> dict[str, Any]:
    """Find the training that was begun by a run that did not live to see its end."""
    attempt = ProjectContext(project).registry.open_attempt()
    if attempt is None:
        raise ModelError(
            f"Project '{project}' has no open training any more: 'registry/open_attempt.json' was cleared since this "
            "run decided to resume it. Trigger the DAG again."
        )
    return attempt.to_json()


@values
def begin_training(project: str, attempts: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Give the version to train, claimed or resumed, and tell others through the lock to ask AWS about it."""
    attempt = TrainingAttempt.from_json(next(a for a in attempts if a))
    place = ProjectContext(project)
    # Pulled, not handed in: as an argument it would be an upstream that never fails, and this task would run in vain.
    hours = float(place.context["ti"].xcom_pull(task_ids="load_settings", key="training_timeout_hours"))
    place.lock.renew(
        project_arn=attempt.project_arn,
        version_name=attempt.version_name,
        training_seconds=(hours + 1) * 3600,
    )
    return attempt.to_json()


@step
def training_failed(project: str, attempt: dict[str, Any] | None) -> None:
    """Record a training that AWS gave up, so that the same images are not tried again; others may be resumed."""
    if attempt is None:
        raise AirflowSkipException("The run failed before any training began.")
    place = ProjectContext(project)
    described = place.rekognition.describe_version(attempt["project_arn"], attempt["version_name"])
    if described.status is None or VERSION_TRAINED.judge(described.status) is not Verdict.FAILED:
        log.info("%s is %s: the next run goes on with it.", attempt["version_name"], described.status)
        return
    detail = f"{described.status}: {described.message}"
    place.registry.update_version(attempt["version_name"], {"status": described.status, "detail": detail})
    place.registry.finish_attempt(attempt["digest"], AttemptState.TRAINING_FAILED, detail)


@step
def evaluate(project: str, settings: dict[str, Any], attempt: dict[str, Any]) -> dict[str, Any]:
    """Read what Custom Labels measured on the test dataset, record it, and judge it."""
    place = ProjectContext(project)
    place.lock.renew()
    described = place.rekognition.describe_version(attempt["project_arn"], attempt["version_name"])
    evaluation = _read_evaluation(place, described.raw)
    decision = judge_f1(evaluation.f1, minimum_f1_score=settings["minimum_f1_score"])
    place.registry.record_trained(attempt["digest"], attempt["version_name"])
    place.registry.update_version(
        attempt["version_name"],
        {
            "version_arn": described.arn,
            "status": "TRAINING_COMPLETED",
            "billable_training_seconds": described.raw.get("BillableTrainingTimeInSeconds"),
            "evaluation": evaluation.to_json(),
            "gate": {"passed": decision.passed, "reason": decision.reason},
        },
    )
    return {
        "version_arn": described.arn,
        "evaluation": evaluation.to_json(),
        "passed": decision.passed,
        "reason": decision.reason,
    }


def _read_evaluation(place: ProjectContext, described: Any) -> Evaluation:
    summary = described.get("EvaluationResult", {}).get("Summary", {}).get("S3Object")
    if summary is None:
        raise ModelError(
            f"Custom Labels gives no evaluation of {described.get('ProjectVersionArn', 'the version')}, which is "
            f"{described.get('Status', 'not there any more')}: it cannot be judged and does not serve. Look at it in "
            "the console (link on task 'train'); trigger the DAG with 'force' to train these images again."
        )
    body = place.store.client.get_object(Bucket=summary["Bucket"], Key=summary["Name"])["Body"].read()
    return parse_summary(json.loads(body))


@branch
def is_f1_enough(judged: dict[str, Any]) -> str:
    """Start the version if its F1 reaches the minimum."""
    log.info("%s", judged["reason"])
    return "start_version" if judged["passed"] else "gate_failed"


# -- putting it into service -----------------------------------------------------------------------


@step
def smoke_test(project: str, settings: dict[str, Any], attempt: dict[str, Any], judged: dict[str, Any]) -> None:
    """Put known images to the running version; it must answer as the trained model does."""
    place = ProjectContext(project)
    place.lock.renew()
    client = place.rekognition.client
    answers = []
    for uri, label in known_images(place.store, attempt["digest"], settings["smoke_test_images"]):
        bucket, key = bucket_and_key(uri)
        try:
            found = client.detect_custom_labels(
                ProjectVersionArn=judged["version_arn"],
                Image={"S3Object": {"Bucket": bucket, "Name": key}},
                MinConfidence=0,
            )["CustomLabels"]
        except client.exceptions.InvalidS3ObjectException as error:
            log.info("%s was deleted since the training and is passed over: %s", uri, error)
            continue
        answers.append(SmokeAnswer(uri, label, tuple(str(entry["Name"]) for entry in found)))
    if failure := smoke_failure(tuple(answers)):
        raise ModelError(
            f"Model version '{attempt['version_name']}' runs but {failure}. It was not put into service and is being "
            "stopped; the live version goes on serving. Look at its evaluation in the console (link on task 'train')."
        )
    log.info("%s of %s known images were right.", sum(a.right for a in answers), len(answers))


@values
def swap_live(project: str, attempt: dict[str, Any], judged: dict[str, Any]) -> dict[str, Any]:
    """Point to the new version, by compare-and-set on what served when this task began."""
    place = ProjectContext(project)
    place.lock.renew()
    champion = place.registry.live()
    evaluation = Evaluation.from_json(judged["evaluation"])
    challenger = LiveVersion(
        version_name=attempt["version_name"],
        version_arn=judged["version_arn"],
        project_arn=attempt["project_arn"],
        digest=attempt["digest"],
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        f1=evaluation.f1,
        labels=tuple(metrics.label for metrics in evaluation.labels),
    )
    return place.registry.move_live(challenger, expected=champion.version_arn if champion else None).to_json()


@branch
def is_version_replaced(live: dict[str, Any]) -> str:
    """Stop the version that was replaced, if there was one."""
    return "stop_replaced" if live["previous_version_name"] else "swapped"


@branch
def is_challenger_stray(project: str, attempt: dict[str, Any] | None) -> str | None:
    """After a failure: have the new version stopped if it runs and does not serve."""
    if attempt is None:
        return None
    place = ProjectContext(project)
    described = place.rekognition.describe_version(attempt["project_arn"], attempt["version_name"])
    live = place.registry.live()
    if live is not None and live.version_name == attempt["version_name"]:
        log.info("%s serves: it is left running.", live.version_name)
        return None
    return None if VERSION_RUNNING.judge(described.status) is Verdict.FAILED else "stop_challenger"


# -- helpers ---------------------------------------------------------------------------------------


def _as_of(settings: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(settings["as_of"])


def _decide(place: ProjectContext, settings: dict[str, Any], snapshot: ImageSnapshot) -> tuple[Retrain, str]:
    """Apply the rule to a snapshot, with what the registry and AWS know of earlier trainings."""
    unfinished = place.registry.open_attempt()
    if unfinished is not None:
        described = place.rekognition.describe_version(unfinished.project_arn, unfinished.version_name)
        if described.status is None:
            unfinished = None  # claimed, but nothing was ever created or paid
    decision = decide_retraining(
        images=snapshot.images,
        untrained=snapshot.untrained,
        minimum_untrained_images=settings["minimum_untrained_images"],
        attempt=place.registry.attempt(snapshot.digest),
        open_attempt=unfinished,
        force=bool(place.param("force")),
    )
    # Somebody who put an image there and reads that there is none must see why it does not count.
    left_out = "".join(f"; {count} left out: {why}" for why, count in snapshot.left_out)
    return decision.action, decision.reason + left_out


def _explain(place: ProjectContext, reason: str) -> None:
    log.info("%s", reason)
    place.context["ti"].xcom_push(key="reason", value=reason)
