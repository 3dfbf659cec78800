"""The steps of the teardown: what there is, the records set aside, the proof that nothing is left, and how it ended.

Every function is one task, which may be run again after any crash. The records are changed first: from then on nothing
starts a version or a training of the project, whatever becomes of the run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.steps import decision, fan_out, step
from custom_labels.deployment.deployment import VersionRef
from custom_labels.deployment.live_records import set_live_aside
from custom_labels.deployment.preconditions import refuse
from custom_labels.deployment.service_records import change_service, read_service
from custom_labels.errors import ModelError, NothingToDo
from custom_labels.operations.settings import TeardownSettings
from custom_labels.operations.teardown import (
    BILLED,
    CONFIRMATION,
    DELETES,
    LISTED,
    TRAINING,
    Begun,
    Inventory,
    Stored,
    TakenAway,
    TearingDown,
    TrainingsUnderWay,
    VersionToDelete,
    table,
    why_not_confirmed,
)
from custom_labels.operations.teardown_inventory_tasks import found_project, list_reviews, list_rows
from custom_labels.operations.teardown_operator import require_order, require_teardown
from custom_labels.operations.teardown_records import Storage
from custom_labels.operations.versions import RecordedVersion
from custom_labels.review.backends.registry import definition_of
from custom_labels.training.training_records import change_trainings, read_trainings

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 120.0
"""How long it is waited for what AWS is deleting still, before the proof fails."""
PAUSE_SECONDS = 2.0


def now() -> str:
    """Give the present moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


# -- what there is -----------------------------------------------------------------------------------


@decision
def list_what_there_is(ctx: ProjectContext, settings: TeardownSettings) -> Inventory:  # noqa: ARG001
    """List what there is of the project, what it costs a day, and what becomes of it; nothing is changed.

    This is all that a dry run does. Objects in S3 are deleted only where the project's name was typed.
    """
    deletes, is_dry = bool(ctx.param(DELETES)), bool(ctx.param("dry_run"))
    if deletes and not is_dry:
        refuse(why_not_confirmed(ctx.project.name, str(ctx.param(CONFIRMATION, ""))))
    storage = Storage(ctx.store, ctx.run.dag_id)
    rows, stored = tuple(list_rows(ctx)), storage.count()
    choice, detail = TearingDown.DUE, "it is taken away"
    if is_dry:
        choice, detail = TearingDown.LISTED, "a dry run: nothing was changed"
    elif not rows and not _is_unfinished(ctx) and not (deletes and storage.count(with_kept=False).objects):
        choice, detail = TearingDown.NOTHING, "AWS has nothing of it"
    inventory = Inventory(choice, detail, rows, stored)
    log.info("%s\n%s", detail, table(inventory, ctx.store.uri(), deletes=deletes))
    return inventory


def _is_unfinished(ctx: ProjectContext) -> bool:
    """Whether the records say that something of the project serves, was trained, or is being taken away."""
    trainings = read_trainings(ctx.store)
    is_begun = trainings.torn_down is not None and trainings.torn_down.ended_at is None
    return is_begun or bool(trainings.attempts) or ctx.registry.live() is not None


@fan_out("versions")
def find_trainings(ctx: ProjectContext) -> TrainingsUnderWay:
    """Under the project's lock, find the trainings and copies that no run waits for; AWS cannot stop them."""
    ctx.lock.hold()
    project = found_project(ctx)
    listed = ctx.rekognition.list_versions(project["ProjectArn"]) if project else {}
    under_way = [name for name, described in listed.items() if described.status in TRAINING]
    if project and under_way:
        log.warning(
            "%s cannot be stopped at AWS: waiting until it is over. It is billed until then.", ", ".join(under_way)
        )
    return TrainingsUnderWay(tuple(VersionRef(project["ProjectArn"], name) for name in under_way if project))


# -- the records first -------------------------------------------------------------------------------


@fan_out("versions")
def set_records_aside(ctx: ProjectContext) -> Begun:
    """Under both locks: let no version serve, and no training begin; find what is to be deleted.

    From here on images are not detected, and the train DAG does nothing until the project is set up again. Whatever
    runs still is stopped by the cost guard, should this run not live to do it.
    """
    require_order(ctx)
    ctx.lock.hold()
    ctx.deployment_lock.hold()
    project = found_project(ctx)
    listed = ctx.rekognition.list_versions(project["ProjectArn"]) if project else {}
    if busy := [name for name, described in listed.items() if described.status in TRAINING]:
        raise ModelError(
            f"Nothing was taken away: of project '{ctx.project.name}' {', '.join(busy)} is being trained or copied "
            "again, which AWS cannot stop. Somebody began that outside of these DAGs. Trigger "
            f"{ctx.project.name}_teardown again when it is over."
        )
    change_trainings(ctx.store, lambda trainings: trainings.tear_down(ctx.run_name, now()))
    live = set_live_aside(ctx.registry)
    if read_service(ctx.store).stopped is not None:
        change_service(ctx.store, lambda memory: replace(memory, stopped=None))
    if project is None:
        return Begun((), served=live)
    return Begun(
        versions=tuple(
            VersionToDelete(project["ProjectArn"], name, described.status in BILLED)
            for name, described in listed.items()
        ),
        project_arn=project["ProjectArn"],
        datasets=tuple(each["DatasetArn"] for each in project.get("Datasets", [])),
        served=live,
    )


def arguments_of(version: Mapping[str, Any], *, only_billed: bool) -> dict[str, Any]:
    """Give an operator's arguments of a version, as :func:`set_records_aside` hands it on.

    :param only_billed: skip one that does not run.
    """
    found = from_json(VersionToDelete, version)
    if only_billed and not found.is_billed:
        raise AirflowSkipException(f"Version {found.version_name} does not run.")
    return {"project_arn": found.project_arn, "version_name": found.version_name}


# -- what people are asked with ------------------------------------------------------------------------


@step
def take_away_reviews(ctx: ProjectContext) -> TakenAway:
    """Stop the reviews that are open, and delete what they were opened with at their service; answers stay."""
    require_teardown(ctx)
    if ctx.project.review is None:
        return TakenAway()
    with ctx.lock.heartbeat():
        taken = tuple(definition_of(ctx.project).tear_down(ctx.project, ctx.store, dry_run=False))
    for sentence in taken:
        log.info("%s.", sentence)
    return TakenAway(taken)


# -- the proof, and the objects ------------------------------------------------------------------------


@step
def prove_nothing_is_left(ctx: ProjectContext, begun: Begun) -> str:
    """Ask AWS and the review backend what is left, and fail with its names; record that nothing is.

    :return: when nothing was left, ISO 8601 in UTC.
    """
    require_teardown(ctx)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while left := [*_left_at_custom_labels(ctx, begun), *list_reviews(ctx)]:
        if time.monotonic() >= give_up_at:
            raise ModelError(
                f"Project '{ctx.project.name}' is not taken away yet: AWS lists {'; '.join(left)}. The records in "
                f"{ctx.store.uri('registry/')} say so, and no image was touched. Delete what is named, or trigger "
                f"{ctx.project.name}_teardown again, which goes on with what is left."
            )
        log.info("Waiting for what is left: %s.", "; ".join(left))
        time.sleep(PAUSE_SECONDS)
    gone_at = datetime.now(UTC)
    for name, record in ctx.registry.versions(RecordedVersion):
        if record.version_arn and not record.deleted_at:
            ctx.registry.change_version(
                name, RecordedVersion, lambda known: replace(known, deleted_at=gone_at, status=None)
            )
    ended = change_trainings(ctx.store, lambda trainings: trainings.end_teardown(ctx.run_name, now()))
    return ended.torn_down.ended_at or "" if ended.torn_down else ""


def _left_at_custom_labels(ctx: ProjectContext, begun: Begun) -> Iterator[str]:
    """Name the project, its versions and its datasets, each asked for by itself."""
    project = found_project(ctx)
    if project is not None:
        yield f"project {project['ProjectArn']} ({project['Status']})"
    arns = {begun.project_arn, project["ProjectArn"] if project else ""} - {""}
    for arn in sorted(arns):
        for name, described in ctx.rekognition.list_versions(arn).items():
            yield f"version {name} ({described.status})"
    datasets = {*begun.datasets, *(each["DatasetArn"] for each in (project or {}).get("Datasets", []))}
    for arn in sorted(datasets):
        if (status := ctx.rekognition.describe_dataset(arn).status) is not None:
            yield f"dataset {arn} ({status})"


@step
def delete_images_and_records(ctx: ProjectContext, proven: str) -> Stored:  # noqa: ARG001
    """Delete what the project has in S3, below its own folders alone, if that was asked for and confirmed.

    It takes a call for a thousand objects; a second run goes on with the rest.
    """
    if not ctx.param(DELETES):
        raise NothingToDo(f"The Param '{DELETES}' is off: every image, label and record stays.")
    refuse(why_not_confirmed(ctx.project.name, str(ctx.param(CONFIRMATION, ""))))
    require_teardown(ctx)
    ctx.registry.require_owner(ctx.project.name)
    with ctx.lock.heartbeat():
        return Storage(ctx.store, ctx.run.dag_id).delete()


# -- how a run ends --------------------------------------------------------------------------------


@step
def finish(
    ctx: ProjectContext,
    settings: TeardownSettings,
    listed: Inventory,
    begun: Begun | None,
    reviews: TakenAway | None,
    proven: str | None,
    deleted: Stored | None,
) -> RunOutcome:
    """Say what was taken away, or would be, what stays and what that costs, and how to start again."""
    place, name = ctx.store.uri(), ctx.project.name
    if listed.choice is TearingDown.LISTED:
        shown = table(listed, place, deletes=bool(ctx.param(DELETES)), rows=LISTED)
        detail = (
            f"all of it costs {listed.usd_a_day:.2f} USD a day while it stays as it is, beside S3; trigger it with "
            f"'dry_run' off to take it away.\n\n{shown}\n"
        )
        return finish_run(ctx, settings, Outcome.TEARDOWN_PLANNED, detail, _rows(listed))
    facts = {"Stack": f"python -m include.infra teardown {name}", "Start again": f"trigger {name}_bootstrap"}
    if listed.choice is TearingDown.NOTHING:
        detail = f"{listed.detail}; {listed.stored.words} stay in {place}"
        return finish_run(ctx, settings, Outcome.NOTHING_TO_TEAR_DOWN, detail, facts)
    if proven is None or begun is None:
        raise ModelError(
            f"How run '{ctx.run_name}' ended was not recorded: 'prove_nothing_is_left' was marked by hand or skipped, "
            "so that it is not known what AWS has still. Clear that task with the tasks downstream of it."
        )
    stays = Storage(ctx.store, ctx.run.dag_id).count()
    gone = [f"version {each.version_name}" for each in begun.versions]
    gone += [f"dataset {arn.split('/')[3]}" for arn in begun.datasets]
    gone += [f"project {name} at Custom Labels"] if begun.project_arn else []
    gone += list(reviews.sentences) if reviews else []
    detail = (
        f"AWS has no version, dataset, project or review set-up of it any more, which cost {listed.usd_a_day:.2f} USD "
        f"a day; models cost nothing now. {stays.words} stay in {place}, at S3's price"
    )
    if deleted is not None:
        detail += f"; {deleted.words} were deleted there"
    else:
        facts = {"Delete images and records": f"'{DELETES}' on, '{CONFIRMATION}' {name}", **facts}
    return finish_run(ctx, settings, Outcome.TORN_DOWN, detail, {"Taken away": "; ".join(gone) or "nothing", **facts})


def _rows(listed: Inventory) -> dict[str, str]:
    return {row.what: f"{row.state}, {row.usd_a_day:.2f} USD a day: {row.fate}" for row in listed.rows}
