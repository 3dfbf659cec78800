"""The steps of the cost guard that count what was spent, and delete what is old."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from custom_labels.aws.statuses import Described
from custom_labels.core.context import ProjectContext, step
from custom_labels.core.keys import MANIFESTS
from custom_labels.core.names import PROJECT_TAG
from custom_labels.deployment.serving_records import ServingLog
from custom_labels.operations.cost_records import last_alert_level, save_ledgers, version_uses
from custom_labels.operations.costs import VersionUse, budget_level, cost_of, top_costs
from custom_labels.operations.guard_tasks import list_versions
from custom_labels.operations.retention import TrainedVersion, gone_versions, manifests_to_delete, versions_to_delete
from custom_labels.s3.line_files import list_keys
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.prices import UnitPrices, load_prices

log = logging.getLogger(__name__)

Records = dict[str, dict[str, Any]]

# -- what it costs ---------------------------------------------------------------------------------


@step
def account(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Write what each version and each month costs, and see whether the budget is exceeded."""
    ctx = ProjectContext(project)
    now = datetime.now(UTC)
    prices = load_prices().prices.unit_prices()
    listed = list_versions(ctx)
    records = _records(ctx)
    trained = {name: _training_facts(described) for name, described in listed.items()}
    # One that the registry does not know costs as well; only the ledgers name it.
    together = {**trained, **{name: {**trained.get(name, {}), **record} for name, record in records.items()}}
    uses = version_uses(together, ServingLog(ctx.store).read_all())
    for use in uses:
        if use.version_name in records:
            _record_cost(ctx, use, records[use.version_name], together[use.version_name], prices, now)
    _tag_versions(ctx, listed, records)
    ledger = save_ledgers(ctx.store, uses, prices, now)
    budget = settings["monthly_budget_usd"]
    level = budget_level(ledger["total_usd"], budget)
    return {
        "month": ledger["month"],
        "total_usd": ledger["total_usd"],
        "prices_as_of": ledger["prices_as_of"],
        "unit_hour_usd": prices.inference_unit_hour,
        "top_costs": top_costs(ledger),
        "budget_usd": budget,
        "level": level,
        "exceeded": level > (last_alert_level(ledger, budget) if budget else 0),
    }


def _tag_versions(ctx: ProjectContext, listed: Mapping[str, Described], records: Records) -> None:
    """Tag versions that were trained before versions were tagged, each once; unmanaged versions are left alone."""
    for name in listed:
        if name not in records or records[name].get("tagged"):
            continue
        if not ctx.rekognition.ensure_tags(listed[name].arn, {PROJECT_TAG: ctx.project.name}):
            return
        ctx.registry.update_version(name, {"tagged": True})


def _records(ctx: ProjectContext) -> Records:
    return {record.pop("version_name"): record for record in ctx.registry.versions()}


def _training_facts(described: Described) -> dict[str, Any]:
    """Take what AWS says of a training's cost; a dead DAG may never have recorded it."""
    ended, seconds = (described.raw.get(name) for name in ("TrainingEndTimestamp", "BillableTrainingTimeInSeconds"))
    return {"trained_at": ended.isoformat(), "billable_training_seconds": seconds} if ended and seconds else {}


def _record_cost(
    ctx: ProjectContext,
    use: VersionUse,
    record: Mapping[str, Any],
    known: Mapping[str, Any],
    prices: UnitPrices,
    now: datetime,
) -> None:
    cost = cost_of(use, prices).to_record()
    facts = {name: known[name] for name in ("trained_at", "billable_training_seconds") if known.get(name)}
    before = {name: value for name, value in (record.get("cost") or {}).items() if name != "as_of"}
    if before != cost or any(record.get(name) != value for name, value in facts.items()):
        as_of = now.isoformat(timespec="seconds")
        ctx.registry.update_version(use.version_name, {**facts, "cost": {**cost, "as_of": as_of}})


# -- what is old -----------------------------------------------------------------------------------


@step
def old_versions(project: str, settings: dict[str, Any], inspected: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the versions beyond the newest that are kept, one for each task; none while a deployment is under way."""
    ctx = ProjectContext(project)
    if settings["keep_versions"] is None or not inspected["is_ours"]:
        return []
    ctx.deployment_lock.renew()
    listed = list_versions(ctx)
    records = _records(ctx)
    live = ctx.registry.live()
    protected = {live.version_name, live.previous_version_name} if live else set()
    protected |= {attempt.version_name for attempt in TrainingRecords(ctx.registry).open_attempts()}
    old = versions_to_delete(
        [_trained(name, described, records[name]) for name, described in listed.items() if name in records],
        settings["keep_versions"],
        protected=protected,
        now=datetime.now(UTC),
    )
    log.info("%s of %s versions are deleted: %s.", len(old), len(listed), ", ".join(old) or "none")
    return [{"project_arn": listed[name].raw["ProjectArn"], "version_name": name} for name in old]


def _trained(name: str, described: Described, record: Mapping[str, Any]) -> TrainedVersion:
    kept = record.get("kept_until")
    until = datetime.fromisoformat(kept) if kept else None
    return TrainedVersion(name, described.status or "", described.raw["CreationTimestamp"], until)


@step
def prune(project: str, settings: dict[str, Any], inspected: dict[str, Any]) -> dict[str, Any]:
    """Record which versions are gone, and delete the manifests that no remaining version was trained on.

    Snapshots stay: they say what each version was trained on.
    """
    ctx = ProjectContext(project)
    if settings["keep_versions"] is None or not inspected["is_ours"]:
        return {"deleted": [], "manifests": 0}
    records = _records(ctx)
    deleted = gone_versions(records, list_versions(ctx))
    for name in deleted:
        facts = {"deleted_at": datetime.now(UTC).isoformat(timespec="seconds"), "status": None}
        ctx.registry.update_version(name, facts)
        records[name] |= facts
    return {"deleted": deleted, "manifests": _delete_manifests(ctx, records)}


def _delete_manifests(ctx: ProjectContext, records: Records) -> int:
    """Delete manifests, unless a training is under way, which may be about to read the same ones."""
    holder, _ = ctx.lock.read()
    if holder is not None:
        log.info("'%s' trains: manifests are deleted at a later look.", holder.owner)
        return 0
    unused = manifests_to_delete(records, {attempt.digest for attempt in TrainingRecords(ctx.registry).open_attempts()})
    for name, digest in unused.items():
        for keys in list_keys(ctx.store, f"{MANIFESTS}{digest}/"):
            for key in keys:
                ctx.store.call("delete_object", key)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        ctx.registry.update_version(name, {"manifests_deleted_at": now})
    return len(set(unused.values()))
