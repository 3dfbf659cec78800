"""The steps of the cost guard: what runs, what is done about it and what it costs. They never ask Airflow.

Every function is one task, which may be run again after any crash.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.aws.statuses import Described
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.keys import MANIFESTS
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.metrics import Gauge, send_gauges
from custom_labels.core.names import PROJECT_TAG
from custom_labels.core.outcome import RunOutcome
from custom_labels.core.steps import deciding_fan_out, step
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.service import StoppedByGuard
from custom_labels.deployment.service_records import change_service, read_service
from custom_labels.deployment.serving import ServingRecord
from custom_labels.deployment.serving_records import ServingLog
from custom_labels.detection.detection_records import last_detected
from custom_labels.errors import NothingToDo
from custom_labels.operations.cost_records import save_ledgers, version_uses
from custom_labels.operations.costs import DatedCost, VersionUse, budget_level, cost_of, top_costs
from custom_labels.operations.guard import (
    Acting,
    Action,
    Decision,
    Inspection,
    LiveFacts,
    decide,
    remember,
    running_after,
)
from custom_labels.operations.guard_report import Accounts, GuardReport
from custom_labels.operations.settings import GuardSettings
from custom_labels.operations.versions import (
    FoundVersion,
    RecordedVersion,
    gone_versions,
    manifests_to_delete,
    versions_to_delete,
)
from custom_labels.s3.line_files import list_keys
from custom_labels.training.prices import UnitPrices, load_prices
from custom_labels.training.training_records import read_trainings

log = logging.getLogger(__name__)

LONGEST_SEARCH = timedelta(days=92)
"""How far back the last detection is searched for, a page of names a day, unless 'idle_stop_hours' is longer."""


# -- what runs -------------------------------------------------------------------------------------


@deciding_fan_out("actions")
def inspect(ctx: ProjectContext, settings: GuardSettings) -> Inspection:
    """Ask AWS what runs, and decide about each version.

    Where something is to be done the deployment lock is taken first, if no run that is alive has it, and all is
    inspected anew under it; what ran until then, and that the live version is going to be stopped, is written down
    before it happens.
    """
    found, stopped = _inspect_now(ctx, settings)
    if not found.actions and stopped == found.memory.stopped:
        if ctx.run.is_repeated:
            ctx.deployment_lock.release()
        return found
    if (holder := ctx.try_take(ctx.deployment_lock)) is not None:
        return _inspect_now(ctx, settings, deploying=holder.owner)[0]
    with ExitStack() as unless_something_is_to_be_done:
        unless_something_is_to_be_done.callback(ctx.deployment_lock.release)
        found, stopped = _inspect_now(ctx, settings)
        change_service(ctx.store, lambda memory: replace(memory, stopped=stopped))
        if found.actions:
            note_serving(ctx, found)
            unless_something_is_to_be_done.pop_all()
    return found


def note_serving(ctx: ProjectContext, found: Inspection) -> dict[str, ServingRecord]:
    """Record what ran when it was inspected, and the end of what was running and did not any more; give all records.

    What was stopped or started since then has been recorded by whoever did it, and that stays.
    """
    states = {each.name: (each.units.minimum, each.status) for each in found.versions if each.status}
    return ServingLog(ctx.store).seen_all(states, found.at)


def _inspect_now(
    ctx: ProjectContext, settings: GuardSettings, deploying: str | None = None
) -> tuple[Inspection, StoppedByGuard | None]:
    """Give what is to be done by what AWS and the registry say now, and which stop is to be remembered then.

    :param deploying: the run that has the deployment lock.
    """
    now = datetime.now(UTC)
    live, memory = ctx.registry.live(), read_service(ctx.store)
    versions = _find_versions(ctx, live)
    facts = _live_facts(ctx, settings, live, versions, memory.stopped, now)
    decisions = decide(versions, facts, settings, now=now, deploying=deploying)
    decisions += [] if deploying else _old_versions(ctx, settings, versions, live, now)
    for decision in decisions:
        log.info("%s", decision.words)
    left = {Action.LEAVE, Action.ALERT}
    actions = tuple(decision for decision in decisions if decision.action not in left)
    inspection = Inspection(
        choice=Acting.DUE if actions else Acting.NOT_DUE,
        at=now,
        actions=actions,
        left=tuple(decision for decision in decisions if decision.action in left),
        running=running_after(versions, decisions, facts),
        versions=tuple(versions),
        memory=memory,
        deploying=deploying,
    )
    return inspection, remember(decisions, versions, facts, now=now)


def _find_versions(ctx: ProjectContext, live: LiveVersion | None) -> list[FoundVersion]:
    """Join what AWS lists with what the registry knows, also of versions that AWS does not list any more."""
    project_arn, listed = _list_versions(ctx, live)
    records = dict(ctx.registry.versions(RecordedVersion))
    found = [
        FoundVersion(
            name=name,
            project_arn=project_arn,
            status=described.status or "",
            arn=described.arn,
            created=described.raw.get("CreationTimestamp"),
            units=Units.of(described.raw),
            trained_at=described.raw.get("TrainingEndTimestamp"),
            training_seconds=described.raw.get("BillableTrainingTimeInSeconds"),
            record=records.get(name),
        )
        for name, described in listed.items()
    ]
    return [*found, *(FoundVersion(name, record=record) for name, record in records.items() if name not in listed)]


def _list_versions(ctx: ProjectContext, live: LiveVersion | None) -> tuple[str, dict[str, Described]]:
    """List all versions of the project at AWS by their names; none without a project."""
    if live is not None and (listed := ctx.rekognition.list_versions(live.project_arn)):
        return live.project_arn, listed
    project = ctx.rekognition.find_project(ctx.project.name)
    return (project["ProjectArn"], ctx.rekognition.list_versions(project["ProjectArn"])) if project else ("", {})


def _live_facts(
    ctx: ProjectContext,
    settings: GuardSettings,
    live: LiveVersion | None,
    versions: Sequence[FoundVersion],
    stopped: StoppedByGuard | None,
    now: datetime,
) -> LiveFacts:
    if live is None:
        return LiveFacts()
    if not any(version.name == live.version_name and version.status == "RUNNING" for version in versions):
        return LiveFacts(name=live.version_name, stopped=stopped)
    running = ServingLog(ctx.store).read(live.version_name).open
    # A start that is not on record is counted from now on.
    running_since = running.since if running else now
    searched = max(timedelta(hours=settings.idle_stop_hours or 0), LONGEST_SEARCH)
    detected = last_detected(ctx.store, max(running_since, now - searched), now)
    return LiveFacts(live.version_name, detected or running_since, stopped)


def _old_versions(
    ctx: ProjectContext,
    settings: GuardSettings,
    versions: Sequence[FoundVersion],
    live: LiveVersion | None,
    now: datetime,
) -> list[Decision]:
    """Decide which versions are deleted beyond the newest that are kept."""
    protected = {live.version_name, live.previous_version_name} if live else set()
    old = versions_to_delete(versions, settings.keep_versions, protected=protected, now=now)
    opened = {each.version_name for each in read_trainings(ctx.store).open} if old else set()
    return [
        Decision(each.name, each.project_arn, Action.DELETE, "it is old") for each in old if each.name not in opened
    ]


# -- what is done about it -------------------------------------------------------------------------


def arguments_of(action: Mapping[str, Any], kind: Action) -> dict[str, Any]:
    """Give an operator's arguments of an action, as ``inspect`` hands it on; of another kind it is skipped."""
    decision = from_json(Decision, action)
    if decision.action is not kind:
        raise AirflowSkipException(f"This one is for another task: {decision.words}.")
    version = {"project_arn": decision.project_arn, "version_name": decision.version_name}
    if decision.units is None:
        return version
    return {
        **version,
        "min_inference_units": decision.units.minimum,
        "max_inference_units": decision.units.maximum,
    }


# -- what it costs, and what is old ----------------------------------------------------------------


@step
def account(ctx: ProjectContext, settings: GuardSettings | None, inspected: Inspection | None) -> Accounts:
    """Write when each version ran, what it and each month cost, and which versions are gone with their manifests.

    This is done also where a version could not be stopped, started or deleted.
    """
    if settings is None or inspected is None:
        raise NothingToDo("Nothing was inspected.")
    now = datetime.now(UTC)
    prices = load_prices().prices.unit_prices(ctx.project.review.backend if ctx.project.review else None)
    uses = version_uses(inspected.versions, note_serving(ctx, inspected))
    found = {each.name: each for each in inspected.versions}
    may_tag = True
    for use in uses:
        version = found.get(use.version_name)
        if version is not None and version.record is not None:
            tagged = version.record.tagged
            if may_tag and version.status and not tagged:
                may_tag = tagged = ctx.rekognition.ensure_tags(version.arn, {PROJECT_TAG: ctx.project.name})
            with_costs = partial(_with_costs, use=use, prices=prices, tagged=tagged, now=now)
            if with_costs(version.record) != version.record:
                ctx.registry.change_version(use.version_name, RecordedVersion, with_costs)
    ledger = save_ledgers(ctx.store, uses, prices, now)
    ctx.describe_event(month=ledger.month, total_usd=ledger.total_usd)
    return Accounts(
        month=ledger.month,
        total_usd=ledger.total_usd,
        top_costs=top_costs(ledger),
        prices_as_of=ledger.prices_as_of,
        unit_hour_usd=prices.inference_unit_hour,
        budget_usd=settings.monthly_budget_usd,
        level=budget_level(ledger.total_usd, settings.monthly_budget_usd),
        deleted=_prune(ctx, inspected, now) if settings.keep_versions is not None else (),
    )


def _with_costs(
    record: RecordedVersion, *, use: VersionUse, prices: UnitPrices, tagged: bool, now: datetime
) -> RecordedVersion:
    """Add what is new about a version's costs; a dead DAG may never have recorded its training's."""
    if use.trained_at:
        record = replace(record, trained_at=use.trained_at, billable_training_seconds=use.training_seconds)
    cost = cost_of(use, prices).rounded()
    if record.cost is None or not record.cost.is_current(cost, now, is_running=use.serving.open is not None):
        record = replace(record, cost=DatedCost.of(cost, now))
    return replace(record, tagged=tagged)


def _prune(ctx: ProjectContext, inspected: Inspection, now: datetime) -> tuple[str, ...]:
    """Record which versions are gone, and delete the manifests that no remaining version was trained on.

    Snapshots stay: they say what each version was trained on.
    """
    gone = {*gone_versions(inspected.versions)}
    for each in inspected.actions:
        if (
            each.action is Action.DELETE
            and not ctx.rekognition.describe_version(each.project_arn, each.version_name).status
        ):
            gone.add(each.version_name)
    for name in sorted(gone):
        ctx.registry.change_version(name, RecordedVersion, lambda record: replace(record, deleted_at=now, status=None))
    _delete_manifests(ctx, inspected.versions, gone, now)
    return tuple(sorted(gone))


def _delete_manifests(ctx: ProjectContext, versions: Sequence[FoundVersion], gone: set[str], now: datetime) -> None:
    """Delete manifests, unless a training is under way, which may be about to read the same ones."""
    if not manifests_to_delete(versions, gone, ()):
        return
    holder, _ = ctx.lock.read()
    if holder is not None:
        log.info("'%s' trains: manifests are deleted by a later run.", holder.owner)
        return
    begun = {each.digest for each in read_trainings(ctx.store).open}
    unused = manifests_to_delete(versions, gone, begun)
    for name, digest in unused.items():
        for keys in list_keys(ctx.store, f"{MANIFESTS}{digest}/"):
            for key in keys:
                ctx.store.call("delete_object", key)
        ctx.registry.change_version(name, RecordedVersion, lambda record: replace(record, manifests_deleted_at=now))


# -- how a run ends --------------------------------------------------------------------------------


@step
def finish(ctx: ProjectContext, settings: GuardSettings, inspected: Inspection, accounted: Accounts) -> RunOutcome:
    """Say what was done, what runs and what it costs, or what is news, and remember what people know by that."""
    became = {
        each.version_name: ctx.rekognition.describe_version(each.project_arn, each.version_name).status
        for each in inspected.actions
        if each.action is not Action.DELETE
    }
    idle = (inspected.at - each.quiet_since for each in inspected.running if each.quiet_since is not None)
    send_gauges(
        ctx,
        {
            Gauge.RUNNING_VERSIONS: len(inspected.running),
            Gauge.RUNNING_UNITS: sum(each.units.minimum for each in inspected.running),
            Gauge.LIVE_IDLE: next(idle, timedelta()).total_seconds(),
            Gauge.SPENT_MONTH: accounted.total_usd,
            Gauge.SPENT_BUDGET: accounted.budget_usd,
        },
    )
    report = GuardReport(inspected, accounted, became, settings.idle_alert_hours, ctx.project.variable)
    ended = finish_run(ctx, settings, report.outcome, report.detail, report.facts)
    if report.remembered(inspected.memory) != inspected.memory:
        change_service(ctx.store, report.remembered)
    return ended
