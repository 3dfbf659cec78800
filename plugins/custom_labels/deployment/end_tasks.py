"""The last steps of the train DAG: how a run ended, on the record and in words."""

from __future__ import annotations

from typing import Any

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.context import REASON, ProjectContext, step
from custom_labels.core.reporting_tasks import outcome
from custom_labels.datasets.refusals_tasks import mention_refusals
from custom_labels.errors import NotPermitted
from custom_labels.evaluation.approval_tasks import _given
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.retraining import AttemptState


@step
def training_is_off(project: str) -> dict[str, Any]:
    """Say that automatic training is off."""
    ctx = ProjectContext(project)
    variable = ctx.project.variable("enable_automatic_training")
    return outcome(ctx, "training_is_off", f"Variable '{variable}' is off")


@step
def nothing_to_do(project: str) -> dict[str, Any]:
    """Say why there is nothing to train."""
    ctx = ProjectContext(project)
    deciders = ["are_images_enough", "is_retraining_due", "is_training_on"]
    reason = ctx.context["ti"].xcom_pull(task_ids=deciders, key=REASON)
    return outcome(ctx, "nothing_to_do", next((r for r in reason or [] if r), "nothing changed"))


@step
def gate_failed(project: str, judged: dict[str, Any]) -> dict[str, Any]:
    """Record a version that the gate refused; the same images are not tried again."""
    ctx = ProjectContext(project)
    if judged["passed"]:
        raise NotPermitted(
            f"Version '{judged['version_name']}' was not recorded as refused: every gate holds ({judged['reason']}). "
            "Its training stays open. Clear task 'is_version_good_enough' with the tasks downstream of it."
        )
    TrainingRecords(ctx.registry).finish_attempt(
        judged["digest"], judged["version_name"], AttemptState.GATE_FAILED, judged["reason"]
    )
    live = ctx.registry.live()
    facts = {
        "Version": judged["version_name"],
        "Metrics": judged["headline"],
        "Still serving": live.version_name if live else "no version",
    }
    return outcome(ctx, "gate_failed", *mention_refusals(ctx, judged["version_name"], judged["reason"], facts))


def require_live(ctx: ProjectContext, version_name: str) -> None:
    """Make sure that a version serves before that is put on record as how a run ended."""
    live = ctx.registry.live()
    if live is None or live.version_name != version_name:
        raise NotPermitted(
            f"Version '{version_name}' was not recorded as the one that serves: 'registry/live.json' names "
            f"{live.version_name if live else 'no version'}. Another run moved it meanwhile, or 'swap_live' was marked "
            "by hand. To let it serve, trigger the rollback DAG and name it in the Param 'version'."
        )


@step
def deployed(project: str, judged: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """Record a version that serves."""
    ctx = ProjectContext(project)
    require_live(ctx, judged["version_name"])
    TrainingRecords(ctx.registry).finish_attempt(
        judged["digest"], judged["version_name"], AttemptState.DEPLOYED, judged["reason"]
    )
    name = judged["version_name"]
    facts = {"Metrics": judged["headline"], "Replaced": live["previous_version_name"] or "no version"}
    return outcome(ctx, "deployed", *mention_refusals(ctx, name, f"{judged['reason']}; version {name}", facts))


@step
def trained(project: str, attempt: dict[str, Any], evaluated: dict[str, Any]) -> dict[str, Any]:
    """Record a version that a backfill trained to be measured; a run that may deploy can go on with it."""
    ctx = ProjectContext(project)
    evaluation = evaluated["evaluation"]
    measured = (
        f"F1 {evaluation['f1']:.3f}, trained on {evaluation['training_images']} and measured on "
        f"{evaluation['testing_images']} images"
    )
    TrainingRecords(ctx.registry).finish_attempt(
        attempt["digest"], attempt["version_name"], AttemptState.TRAINED, measured
    )
    name = attempt["version_name"]
    return outcome(ctx, "trained", *mention_refusals(ctx, name, f"version {name}: {measured}", {}))


@step
def release_locks(project: str) -> None:
    """Give back the locks that this run holds, however it ended."""
    ctx = ProjectContext(project)
    ctx.deployment_lock.release()
    ctx.lock.release()


@step
def rejected(project: str) -> dict[str, Any]:
    """Record a version that a person rejected, or nobody approved in time; the same images are not tried again."""
    ctx = ProjectContext(project)
    # Pulled, not handed in: as an argument it would be an upstream that never fails, and this task would run in vain.
    judged = ctx.context["ti"].xcom_pull(task_ids="judge")
    require_inputs("rejected", {"judged": judged})
    approval = _given(ctx, judged)
    if approval is None or approval.approved:
        name = judged["version_name"]
        raise NotPermitted(
            f"Version '{name}' was not recorded as rejected: 'registry/versions/{name}.json' holds "
            f"{f'{approval.sentence!r}' if approval else 'no answer'}. "
            "Its training stays open. Clear task 'is_approval_needed' with the tasks downstream of it."
        )
    TrainingRecords(ctx.registry).finish_attempt(
        judged["digest"], judged["version_name"], AttemptState.REJECTED, approval.sentence
    )
    live = ctx.registry.live()
    name = judged["version_name"]
    facts = {"Metrics": judged["headline"], "Still serving": live.version_name if live else "no version"}
    return outcome(ctx, "rejected", *mention_refusals(ctx, name, f"version {name}: {approval.sentence}", facts))
