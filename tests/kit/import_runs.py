"""The steps of an import one after the other, without an Airflow around them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_labels.core.context import ProjectContext
from custom_labels.core.outcome import NewImagesOutcome
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.imports import import_tasks
from custom_labels.datasets.imports.import_records import read_report
from custom_labels.datasets.imports.import_work import (
    Fate,
    ImportDecision,
    ImportPlan,
    ImportReport,
    Way,
)
from tests.kit.step_runs import new_run, passed


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    outcome: NewImagesOutcome
    report: ImportReport

    @property
    def fates(self) -> dict[str, int]:
        """Images by what became of them, without those of which there are none."""
        return {fate: count for fate, count in self.report.counts.fates.items() if count}

    @property
    def codes(self) -> dict[str, int]:
        """What was skipped, by code."""
        return dict(self.report.counts.codes)


def import_context(task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION, **params: Any) -> ProjectContext:
    """Give the context of a run of the import DAG that no other has the name of."""
    ctx = new_run("import_dataset", params=params, as_of=datetime.now(UTC) + timedelta(minutes=5))
    ctx.run = replace(ctx.run, started_at=datetime.now(UTC))
    ctx.project = ctx.project.model_copy(update={"task": task})
    return ctx


def import_by_steps(ctx: ProjectContext) -> Imported:
    """Run all steps of an import."""
    plan = passed(ImportPlan, import_tasks.plan_import.function(ctx))
    inspected = [import_tasks.inspect_batch.function(ctx, each, plan) for each in plan.batches]
    decided = passed(ImportDecision, import_tasks.decide_import.function(ctx, plan, inspected or None))
    taken = [import_tasks.take_batch.function(ctx, each, plan) for each in decided.batches]
    outcome = import_tasks.finish.function(ctx, plan, decided, taken if decided.choice is Way.TAKE else None)
    report = read_report(ctx.store, plan.name)
    assert report is not None
    return Imported(outcome, report)


TAKEN, THERE, REPLACED, SKIPPED = Fate.TAKEN, Fate.THERE, Fate.REPLACED, Fate.SKIPPED
