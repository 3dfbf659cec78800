"""The steps of the cost guard: what runs and what is done about it. It asks AWS and the registry, never Airflow.

Every function is one task, which may be run again after any crash.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.aws.statuses import Described
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext, branch, step
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.reporting_tasks import outcome
from custom_labels.core.service_window import window_of
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.serving import ServingRecord
from custom_labels.deployment.serving_records import ServingLog
from custom_labels.deployment.version_tasks import note_service, units_of
from custom_labels.detection.log_records import last_detected
from custom_labels.operations.guard import (
    Action,
    Decision,
    FoundVersion,
    GuardRules,
    LiveFacts,
    StoppedByGuard,
    decide,
    remember,
)
from custom_labels.operations.guard_report import idle_news, runs_in_words, spent_in_words
from custom_labels.operations.running import RunningVersion

log = logging.getLogger(__name__)

LONGEST_LOOK_BACK = timedelta(days=92)
"""How far back the last detection is looked for, a page of names a day, unless 'idle_stop_hours' is longer."""


# -- what runs -------------------------------------------------------------------------------------


@step
def inspect(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Take the deployment lock if nobody alive has it, ask AWS what runs, and decide about each version.

    That the live version is going to be stopped is written down before it happens.

    :return: ``decisions``, and ``running``, what is billed once they are carried out; ``is_ours`` says whether the lock
        is, without which nothing is stopped, started or deleted.
    """
    ctx = ProjectContext(project)
    holder = ctx.try_take(ctx.deployment_lock)
    now = datetime.now(UTC)
    listed = list_versions(ctx)
    serving = note_serving(ctx, listed, now)
    live = _live_facts(ctx, settings, ctx.registry.live(), serving, now)
    records = {record["version_name"]: record for record in ctx.registry.versions()}
    decisions = decide(
        [_found(described, name, records) for name, described in listed.items()],
        live,
        guard_rules(settings),
        now=now,
        deploying=holder.owner if holder else None,
    )
    for decision in decisions:
        log.info("%s", decision.words)
    if holder is None:
        _remember(ctx, decisions, listed, live, now)
    return {
        "is_ours": holder is None,
        "deploying": holder.owner if holder else None,
        "decisions": [to_json(decision) for decision in decisions],
        "running": [to_json(version) for version in _running(ctx, settings, listed, decisions, live)],
        "at": now.isoformat(),
    }


def list_versions(ctx: ProjectContext) -> dict[str, Described]:
    """List all versions of the project at AWS by their names; none without a project."""
    found = ctx.rekognition.find_project(ctx.project.name)
    if found is None:
        return {}
    arn = found["ProjectArn"]
    listed = ctx.rekognition.list_versions(arn)
    return {
        name: Described(described.status, described.message, {**described.raw, "ProjectArn": arn})
        for name, described in listed.items()
    }


def note_serving(ctx: ProjectContext, listed: Mapping[str, Described], now: datetime) -> dict[str, ServingRecord]:
    """Record what runs, and the end of what was running and does not any more; give the records before that."""
    serving_log = ServingLog(ctx.store)
    serving = serving_log.read_all()
    was_running = {name for name, record in serving.items() if record.open}
    for name in was_running | {name for name, described in listed.items() if described.status == "RUNNING"}:
        described = listed.get(name, Described(None))
        serving_log.seen(name, Units.of(described.raw).minimum, described.status, now)
    return serving


def _running(
    ctx: ProjectContext,
    settings: Mapping[str, Any],
    listed: Mapping[str, Described],
    decisions: list[Decision],
    live: LiveFacts,
) -> list[RunningVersion]:
    """Give what will run when this look's decisions are carried out."""
    stopped = {decision.version_name for decision in decisions if decision.action is Action.STOP}
    started = {decision.version_name for decision in decisions if decision.action is Action.START}
    unknown = {decision.version_name for decision in decisions if decision.action is Action.ALERT}
    running = []
    for name, described in listed.items():
        if name not in started and (described.status != "RUNNING" or name in stopped):
            continue
        units = Units.of(described.raw)
        if name in started:
            units = Units(units_of(ctx, settings, name)["min_inference_units"])
        role = (
            "serves" if name == live.name else "runs unknown to the registry" if name in unknown else "is kept running"
        )
        quiet_since = live.quiet_since if name == live.name and name not in started else None
        running.append(RunningVersion(name, role, units.minimum, units.maximum is not None, quiet_since))
    return running


def _found(described: Described, name: str, records: Mapping[str, Mapping[str, Any]]) -> FoundVersion:
    record = records.get(name)
    kept = (record or {}).get("kept_until")
    return FoundVersion(
        name=name,
        project_arn=described.raw["ProjectArn"],
        status=described.status or "",
        is_known=record is not None,
        kept_until=datetime.fromisoformat(kept) if kept else None,
        stopped_for=(record or {}).get("stopped_for"),
    )


def _live_facts(
    ctx: ProjectContext,
    settings: Mapping[str, Any],
    live: LiveVersion | None,
    serving: Mapping[str, ServingRecord],
    now: datetime,
) -> LiveFacts:
    if live is None:
        return LiveFacts()
    stopped = ctx.registry.service().get("stopped")
    idle_hours = settings["idle_stop_hours"]
    running = serving.get(live.version_name, ServingRecord()).open
    # Nobody recorded its start: it is counted from this look on.
    running_since = running.since if running else now
    looked_back = max(timedelta(hours=idle_hours or 0), LONGEST_LOOK_BACK)
    return LiveFacts(
        name=live.version_name,
        running_since=running_since,
        last_detection=last_detected(ctx.store, max(running_since, now - looked_back), now),
        stopped=from_json(StoppedByGuard, stopped) if stopped else None,
    )


def guard_rules(settings: Mapping[str, Any]) -> GuardRules:
    """Take the rules out of the settings."""
    return GuardRules(
        window=window_of(settings),
        idle_hours=settings["idle_stop_hours"],
        starts_for_images=settings["start_when_images_wait"],
    )


def _remember(
    ctx: ProjectContext,
    decisions: list[Decision],
    listed: Mapping[str, Described],
    live: LiveFacts,
    now: datetime,
) -> None:
    statuses = {name: described.status or "" for name, described in listed.items()}
    stopped = remember(decisions, statuses, live, now=now)
    before = ctx.registry.service()
    unknown = [decision.version_name for decision in decisions if decision.action is Action.ALERT]
    # One that is gone is news again when it comes back.
    notified = [name for name in before.get("notified_unknown", []) if name in unknown]
    facts = {"stopped": to_json(stopped) if stopped else None, "notified_unknown": notified}
    if any(before.get(name) != value for name, value in facts.items()):
        ctx.registry.update_service(facts)


# -- what is done about it -------------------------------------------------------------------------


@step
def versions_to_stop(inspected: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the versions that are stopped, one for each task."""
    return _chosen(inspected, Action.STOP)


@step
def versions_to_start(project: str, settings: dict[str, Any], inspected: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the version that is started again, with the units that it had."""
    ctx = ProjectContext(project)
    return [
        {**version, **units_of(ctx, settings, version["version_name"])} for version in _chosen(inspected, Action.START)
    ]


def _chosen(inspected: Mapping[str, Any], action: Action) -> list[dict[str, Any]]:
    return [
        {"project_arn": decision["project_arn"], "version_name": decision["version_name"]}
        for decision in inspected["decisions"]
        if decision["action"] == action
    ]


@step
def record_services(project: str, inspected: dict[str, Any] | None) -> None:
    """Record what became of the versions that were stopped or started, also where one of them could not be."""
    if inspected is None:
        raise AirflowSkipException("Nothing was inspected.")
    ctx = ProjectContext(project)
    for chosen in (*_chosen(inspected, Action.STOP), *_chosen(inspected, Action.START)):
        note_service(ctx, chosen["project_arn"], chosen["version_name"])


@step
def release_deployment_lock(project: str) -> None:
    """Give the deployment lock back, if this run holds it, however the run ended."""
    ProjectContext(project).deployment_lock.release()


# -- how a run ends --------------------------------------------------------------------------------


@branch
def choose_outcome(
    project: str,
    settings: dict[str, Any],
    inspected: dict[str, Any],
    accounted: dict[str, Any],
    pruned: dict[str, Any],
) -> str:
    """Report an exceeded budget before all else, then a version that nobody asks, then what was done or is news."""
    ctx = ProjectContext(project)
    if accounted["exceeded"]:
        return "budget_exceeded"
    if idle_news(ctx, settings, inspected):
        return "live_version_idle"
    return "guarded" if _actions_taken(ctx, inspected, pruned) else "nothing_to_guard"


@step
def budget_exceeded(
    project: str, inspected: dict[str, Any], accounted: dict[str, Any], pruned: dict[str, Any]
) -> dict[str, Any]:
    """Say that the month costs more than its budget, and what costs most; once for each further quarter of it."""
    from custom_labels.operations.cost_records import record_alert

    ctx = ProjectContext(project)
    spent, runs = spent_in_words(ctx, accounted), runs_in_words(inspected, accounted)
    detail = f"{spent}; most: {', '.join(accounted['top_costs'])}. Now {runs}"
    end = outcome(ctx, "budget_exceeded", detail, _facts(ctx, inspected, accounted, pruned))
    record_alert(ctx.store, accounted["month"], accounted["level"], accounted["budget_usd"])
    _record_notified_unknown(ctx, inspected)
    return end


@step
def live_version_idle(
    project: str,
    settings: dict[str, Any],
    inspected: dict[str, Any],
    accounted: dict[str, Any],
    pruned: dict[str, Any],
) -> dict[str, Any]:
    """Say what the live version costs while nobody asks it, and how that ends; again when it lasts twice as long."""
    ctx = ProjectContext(project)
    variable = ctx.project.variable
    detail = (
        f"{runs_in_words(inspected, accounted)}; {spent_in_words(ctx, accounted)}. '{variable('idle_stop_hours')}' "
        f"stops it after so many hours, '{variable('idle_alert_hours')}' says when this alert comes"
    )
    end = outcome(ctx, "live_version_idle", detail, _facts(ctx, inspected, accounted, pruned))
    if news := idle_news(ctx, settings, inspected):
        ctx.registry.update_service({"notified_idle": news})
    _record_notified_unknown(ctx, inspected)
    return end


@step
def guarded(
    project: str, inspected: dict[str, Any], accounted: dict[str, Any], pruned: dict[str, Any]
) -> dict[str, Any]:
    """Say what was stopped, started and deleted, what runs that nobody knows, and what is left running."""
    ctx = ProjectContext(project)
    done = _actions_taken(ctx, inspected, pruned)
    said = "; ".join([*done, f"now {runs_in_words(inspected, accounted)}", spent_in_words(ctx, accounted)])
    end = outcome(ctx, "guarded", said, _facts(ctx, inspected, accounted, pruned))
    _record_notified_unknown(ctx, inspected)
    return end


@step
def nothing_to_guard(
    project: str, inspected: dict[str, Any], accounted: dict[str, Any], pruned: dict[str, Any]
) -> dict[str, Any]:
    """Say what runs and what it costs, though there is nothing to do about it, or why nothing was done."""
    ctx = ProjectContext(project)
    said = [runs_in_words(inspected, accounted), spent_in_words(ctx, accounted)]
    if inspected["deploying"]:
        said.insert(0, f"a deployment is under way: {inspected['deploying']}; nothing is stopped until it has ended")
    return outcome(ctx, "nothing_to_guard", "; ".join(said), _facts(ctx, inspected, accounted, pruned))


def _actions_taken(ctx: ProjectContext, inspected: Mapping[str, Any], pruned: Mapping[str, Any]) -> list[str]:
    """Word what was done, and what is to be notified for the first time."""
    notified = ctx.registry.service().get("notified_unknown", [])
    actions = [
        _deed(ctx, decision)
        for decision in inspected["decisions"]
        if decision["action"] in {Action.STOP, Action.START}
        or (decision["action"] == Action.ALERT and decision["version_name"] not in notified)
    ]
    return [*actions, *(f"deleted version {name}, as it is old" for name in pruned["deleted"])]


def _deed(ctx: ProjectContext, decision: Mapping[str, Any]) -> str:
    """Word what became of a version, by the status that was recorded after its task, which a user may have marked."""
    name, action = decision["version_name"], Action(decision["action"])
    if action is Action.ALERT:
        return f"version {name} is unmanaged: {decision['reason']}"
    done = "stopped" if action is Action.STOP else "started"
    status = ctx.registry.version(name).get("status")
    if (status == "RUNNING") == (action is Action.STOP):
        return f"version {name} was to be {done} and is {status or 'gone'}: {decision['reason']}"
    return f"{done} version {name}: {decision['reason']}"


def _record_notified_unknown(ctx: ProjectContext, inspected: Mapping[str, Any]) -> None:
    unknown = [each["version_name"] for each in inspected["decisions"] if each["action"] == Action.ALERT]
    if unknown:
        ctx.registry.update_service({"notified_unknown": unknown})


def _facts(
    ctx: ProjectContext, inspected: Mapping[str, Any], accounted: Mapping[str, Any], pruned: Mapping[str, Any]
) -> dict[str, Any]:
    left = [each for each in inspected["decisions"] if each["action"] in {Action.LEAVE, Action.ALERT}]
    actions = _actions_taken(ctx, inspected, pruned)
    return {
        **{f"Done {number}": action for number, action in enumerate(actions, start=1)},
        **{f"Version {each['version_name']}": each["reason"] for each in left},
        "Runs": runs_in_words(inspected, accounted),
        f"Costs of {accounted['month']}": f"${accounted['total_usd']:.2f}",
        "Prices of": accounted["prices_as_of"],
    }
