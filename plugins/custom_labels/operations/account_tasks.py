"""The step of the cost guard that counts what was spent, and records what is old and gone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.keys import MANIFESTS
from custom_labels.core.names import PROJECT_TAG
from custom_labels.core.steps import step
from custom_labels.errors import NothingToDo
from custom_labels.operations.cost_records import save_ledgers, version_uses
from custom_labels.operations.costs import DatedCost, VersionUse, budget_level, cost_of, top_costs
from custom_labels.operations.guard import Action, Inspection
from custom_labels.operations.guard_report import Accounts
from custom_labels.operations.guard_tasks import note_serving
from custom_labels.operations.settings import GuardSettings
from custom_labels.operations.versions import FoundVersion, RecordedVersion, gone_versions, manifests_to_delete
from custom_labels.s3.line_files import list_keys
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.prices import UnitPrices, load_prices

log = logging.getLogger(__name__)


@step
def account(ctx: ProjectContext, settings: GuardSettings | None, inspected: Inspection | None) -> Accounts:
    """Write when each version ran, what it and each month cost, and which versions are gone with their manifests.

    This is done also where a version could not be stopped, started or deleted.
    """
    if settings is None or inspected is None:
        raise NothingToDo("Nothing was inspected.")
    now = datetime.now(UTC)
    prices = load_prices().prices.unit_prices()
    uses = version_uses(inspected.versions, note_serving(ctx, inspected))
    found = {each.name: each for each in inspected.versions}
    may_tag = True
    for use in uses:
        version = found.get(use.version_name)
        if version is not None and version.record is not None:
            facts = _cost_facts(use, version.record, prices, now)
            if may_tag and version.status and not version.record.tagged:
                may_tag = ctx.rekognition.ensure_tags(version.arn, {PROJECT_TAG: ctx.project.name})
                facts |= {"tagged": True} if may_tag else {}
            if facts:
                ctx.registry.update_version(use.version_name, facts)
    ledger = save_ledgers(ctx.store, uses, prices, now)
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


def _cost_facts(use: VersionUse, record: RecordedVersion, prices: UnitPrices, now: datetime) -> dict[str, Any]:
    """Give what is new about a version's costs; a dead DAG may never have recorded its training's."""
    facts: dict[str, Any] = {}
    if use.trained_at and (record.trained_at, record.billable_training_seconds) != (
        use.trained_at,
        use.training_seconds,
    ):
        facts = {"trained_at": use.trained_at.isoformat(), "billable_training_seconds": use.training_seconds}
    cost = cost_of(use, prices).rounded()
    if record.cost is None or not record.cost.is_current(cost, now, is_running=use.serving.open is not None):
        facts["cost"] = to_json(DatedCost.of(cost, now))
    return facts


# -- what is old -----------------------------------------------------------------------------------


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
        ctx.registry.update_version(name, {"deleted_at": now.isoformat(timespec="seconds"), "status": None})
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
    begun = {each.digest for each in TrainingRecords(ctx.registry).open_attempts()}
    unused = manifests_to_delete(versions, gone, begun)
    for name, digest in unused.items():
        for keys in list_keys(ctx.store, f"{MANIFESTS}{digest}/"):
            for key in keys:
                ctx.store.call("delete_object", key)
        ctx.registry.update_version(name, {"manifests_deleted_at": now.isoformat(timespec="seconds")})
