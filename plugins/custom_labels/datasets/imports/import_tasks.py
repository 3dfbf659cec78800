"""The steps of the import DAG: what a source holds, what becomes of each image, taking them, the report."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from custom_labels.core.batches import MOST_BATCHES
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.metrics import EventCounter, count
from custom_labels.core.outcome import NewImages, NewImagesOutcome
from custom_labels.core.settings_tasks import begin_run
from custom_labels.core.steps import deciding_fan_out, decision, fan_out, mapped_step
from custom_labels.datasets.imports.import_records import BATCH_IMAGES, Import, Listed
from custom_labels.datasets.imports.import_work import (
    Fate,
    ImportBatch,
    ImportCounts,
    ImportDecision,
    ImportPlan,
    ImportReport,
    ImportSettings,
    OnConflict,
    Way,
)
from custom_labels.datasets.imports.mapping import LabelMapping
from custom_labels.datasets.imports.mapping_file import read_mapping_file
from custom_labels.datasets.imports.source import ImportCode, SourceItem, SourceKind
from custom_labels.datasets.imports.source_records import (
    SOURCE,
    S3SourceFiles,
    find_kind,
    is_dataset,
    read_dataset,
    read_source,
)
from custom_labels.errors import ImportRefused, SettingError

log = logging.getLogger(__name__)

AUTO = "auto"


@fan_out("batches")
def plan_import(ctx: ProjectContext) -> ImportPlan:
    """Read the source, apply the label mapping, and share its images out in batches; nothing is taken."""
    settings = begin_run(ctx, ImportSettings)
    source, mapping = str(ctx.param("source") or "").strip(), label_mapping(ctx)
    if not source:
        raise SettingError(
            f"{SOURCE} is empty: name what to import, s3://<bucket>/<prefix>/, s3://<bucket>/<key>, or the ARN of a "
            "dataset of Custom Labels, and trigger the DAG again."
        )
    # The same at each try of a run, and another one in each run.
    name = f"{ctx.run.when:%Y%m%dt%H%M%S}-{hashlib.sha256(ctx.owner.encode()).hexdigest()[:12]}"
    at = ctx.run.started_at or datetime.now(UTC)
    with _reading(ctx, source) as (kind, items, listed):
        batches, counts = Import(ctx.project, ctx.store, name, at).plan(items, mapping, listed)
    if len(batches) > MOST_BATCHES:
        raise SettingError(
            f"{SOURCE} has more than {MOST_BATCHES * BATCH_IMAGES:,} usable images: one run deals with so many at "
            "most. Import it in parts, such as one prefix after the other."
        )
    log.info("%s is read as %s: %s batches of images.", source, kind, len(batches))
    conflict = OnConflict(str(ctx.param("on_conflict") or OnConflict.KEEP))
    return ImportPlan(settings, name, at, source, kind, conflict, batches, counts)


@contextmanager
def _reading(ctx: ProjectContext, source: str) -> Iterator[tuple[SourceKind, Iterator[SourceItem], Listed]]:
    """Give the kind of the source, what it says, image by image, and what is listed of an image."""
    asked, task = str(ctx.param("kind") or AUTO), ctx.project.task
    if is_dataset(source):
        if asked not in {AUTO, SourceKind.DATASET}:
            raise SettingError(
                f"{SOURCE} is the ARN of a dataset, and the Param 'kind' is '{asked}'. Set it to {AUTO}, and trigger "
                "the DAG again."
            )
        yield SourceKind.DATASET, read_dataset(ctx.rekognition, source, task), lambda _: None
        return
    with (
        tempfile.TemporaryDirectory(prefix="custom-labels-") as name,
        S3SourceFiles(ctx.project, source, Path(name)) as files,
    ):
        kind = find_kind(files) if asked == AUTO else SourceKind(asked)
        yield kind, read_source(files, kind, task), files.listed


def label_mapping(ctx: ProjectContext) -> LabelMapping:
    """Give the label mapping of the run: its Param, over the project's file of labels."""
    given = LabelMapping.parse(ctx.param("label_mapping") or {}, "the Param 'label_mapping'")
    return given.over(read_mapping_file(ctx.project.name))


@mapped_step
def inspect_batch(ctx: ProjectContext, batch: ImportBatch, plan: ImportPlan) -> ImportCounts:
    """Look at the images of a batch: are they there, does the project have them, with the same labels?"""
    return _import(ctx, plan).inspect(batch, plan.on_conflict)


@deciding_fan_out("batches")
def decide_import(ctx: ProjectContext, plan: ImportPlan, inspected: Sequence[ImportCounts] | None) -> ImportDecision:
    """Decide whether anything is taken: not in a dry run, and not where a conflict is to fail the run."""
    counts = ImportCounts.total([plan.counts, *(inspected or () if plan.batches else ())])
    conflicts = counts.codes.get(ImportCode.CONFLICT, 0)
    if plan.on_conflict is OnConflict.FAIL and conflicts and not ctx.param("dry_run"):
        _import(ctx, plan).write_report(_report(ctx, plan, counts, is_dry_run=True))
        examples = "; ".join(counts.examples[ImportCode.CONFLICT][:3])
        raise ImportRefused(
            f"Nothing was imported: {conflicts} images of {plan.source} have another label or other boxes in project "
            f"'{ctx.project.name}', such as {examples}. The Param 'on_conflict' is 'fail': trigger the DAG again with "
            f"'keep' or 'replace', or correct the source. All of them: {_import(ctx, plan).skipped_uri}"
        )
    is_any = counts.number(Fate.TAKEN) + counts.number(Fate.REPLACED) > 0
    takes = is_any and not ctx.param("dry_run")
    return ImportDecision(Way.TAKE if takes else Way.END, plan.batches if takes else (), counts)


@mapped_step
def take_batch(ctx: ProjectContext, batch: ImportBatch, plan: ImportPlan) -> ImportCounts:
    """Copy the images of a batch, and write their lines. A second try writes the same."""
    counts = _import(ctx, plan).take(batch)
    ctx.describe_event(images=counts.number(Fate.TAKEN) + counts.number(Fate.REPLACED))
    return counts


@decision
def finish(
    ctx: ProjectContext, plan: ImportPlan, decided: ImportDecision, taken: Sequence[ImportCounts] | None
) -> NewImagesOutcome:
    """Write the report, and record the outcome."""
    counts = decided.counts
    if decided.choice is Way.TAKE:
        done = ImportCounts.total(taken or ())
        # What was looked at and not taken, and of the rest what became of it in the end.
        looked = {fate.value: counts.number(fate) for fate in (Fate.THERE, Fate.SKIPPED)}
        before = ImportCounts(looked, counts.codes, counts.examples)
        counts = ImportCounts.total([before, done])
    report = _report(ctx, plan, counts, is_dry_run=bool(ctx.param("dry_run")))
    an_import = _import(ctx, plan)
    an_import.write_report(report)
    facts = report.facts(an_import.skipped_uri)
    ended = finish_run(ctx, plan.settings, report.outcome, report.detail, facts)
    taken_images = counts.number(Fate.TAKEN) + counts.number(Fate.REPLACED) if decided.choice is Way.TAKE else 0
    count(ctx, EventCounter.IMAGES_IMPORTED, taken_images)
    return NewImagesOutcome(**vars(ended), choice=NewImages.SOME if taken_images else NewImages.NONE)


def _import(ctx: ProjectContext, plan: ImportPlan) -> Import:
    return Import(ctx.project, ctx.store, plan.name, plan.at)


def _report(ctx: ProjectContext, plan: ImportPlan, counts: ImportCounts, *, is_dry_run: bool) -> ImportReport:
    mapping = label_mapping(ctx).names
    return ImportReport(
        plan.name, plan.at, plan.source, plan.kind, plan.on_conflict, ctx.run_name, is_dry_run, mapping, counts
    )
