"""The steps of the harvest DAG: which reviews have ended, and what became of their images."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from custom_labels.core.batches import MOST_BATCHES
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.metrics import EventCounter, count
from custom_labels.core.outcome import NewImages, NewImagesOutcome
from custom_labels.core.queues import project_queue
from custom_labels.core.settings_tasks import begin_run
from custom_labels.core.steps import decision, fan_out, mapped_step
from custom_labels.datasets.listing_records import find_folders
from custom_labels.review.backends.registry import make_backend
from custom_labels.review.harvest import HarvestRules
from custom_labels.review.harvest_inspection_records import HarvestInspection, read_batch, write_batches
from custom_labels.review.harvest_records import move_watermark, read_watermark
from custom_labels.review.harvest_work import (
    FoundWork,
    HarvestBatch,
    HarvestResult,
    HarvestSummary,
)
from custom_labels.review.harvest_writer import Harvester
from custom_labels.review.opening import halt_after
from custom_labels.review.opening_records import HALT
from custom_labels.review.review import ReviewStatus
from custom_labels.review.review_tasks import open_reviews
from custom_labels.review.settings import HarvestSettings
from custom_labels.review.statistics_tasks import count_reviews

log = logging.getLogger(__name__)

BATCH_REVIEWS = 1_000


@fan_out("batches")
def collect(ctx: ProjectContext) -> FoundWork:
    """Read the settings, find the reviews that have ended and were not harvested, and share them out in batches.

    They come from the queue and, unless only the queue triggered the run, from a listing since the watermark.
    """
    settings = begin_run(ctx, HarvestSettings)
    now = datetime.now(UTC)
    if ctx.project.review is None:
        return FoundWork(settings)
    backend, watermark = make_backend(ctx.project, ctx.store), read_watermark(ctx.store)
    inspection = HarvestInspection(
        ctx.store,
        backend,
        watermark,
        from_the_beginning=bool(ctx.param("from_the_beginning")),
        lifetime=timedelta(hours=ctx.project.review.lifetime_hours),
    )
    queue = project_queue(ctx.project, "reviews")
    found = inspection.run(queue, now, by_queue_only=ctx.run.triggered_by_queue_only)
    run = f"{now:%Y-%m-%d-%H%M%S}-{hashlib.sha256(ctx.owner.encode()).hexdigest()[:12]}"
    work = inspection.work(settings, write_batches(ctx.store, run, found, now, BATCH_REVIEWS), MOST_BATCHES)
    log.info("%s batches of reviews that have ended.", len(work.batches))
    return work


@mapped_step
def harvest_batch(ctx: ProjectContext, batch: HarvestBatch, settings: HarvestSettings) -> HarvestResult:
    """Harvest a batch of reviews; count what became of their images. A second try passes over what is in the ledger."""
    reviews = read_batch(ctx.store, batch)
    queue = project_queue(ctx.project, "reviews")
    rules = HarvestRules.of(
        ctx.project.name,
        ctx.store.prefix,
        settings,
        folders=() if ctx.project.task.has_several else find_folders(ctx.store),
        is_halted=any(one.state.status is ReviewStatus.FAILED for one in reviews) and HALT.read(ctx.store) is not None,
    )
    backend = make_backend(ctx.project, ctx.store)
    harvester = Harvester(ctx.store, backend, rules, queue.delete if queue else lambda _: None)
    harvested = harvester.harvest(batch, reviews, is_repeated=ctx.run.is_repeated)
    ctx.describe_event(images=harvested.counts.get("labelled", 0))
    return harvested


@decision
def finish(ctx: ProjectContext, found: FoundWork, harvested: Sequence[HarvestResult] | None) -> NewImagesOutcome:
    """Move the watermark, now that all that was found is dealt with, open what waits, count, record the outcome.

    One task does all of it: each part is safe to repeat. The watermark only moves forward, a review that a first try
    opened is known by its name, and the record of the run is overwritten by the same.
    """
    if found.dealt_with is not None:
        move_watermark(ctx.store, found.watermark, found.dealt_with)
    done = HarvestResult.total(harvested or () if found.batches else ())
    is_news = bool(done.failed_at) and _halt_if_all_fail(ctx, done)
    opened = open_reviews.function(ctx, found.settings)
    unreviewed = "" if ctx.project.review else f"nobody answers reviews: {ctx.project.name}.yaml has no 'review'"
    statistics = count_reviews(ctx, found, done, opened)
    far_off = statistics.news_of(ctx.owner) if statistics else ()
    summary = HarvestSummary(found, done, opened, is_news, unreviewed, statistics, far_off)
    ended = finish_run(ctx, found.settings, summary.outcome, summary.detail, summary.facts(ctx.project.variable))
    labelled = summary.counts["labelled"]
    count(ctx, EventCounter.IMAGES_HARVESTED, labelled)
    return NewImagesOutcome(**vars(ended), choice=NewImages.SOME if labelled else NewImages.NONE)


def _halt_if_all_fail(ctx: ProjectContext, done: HarvestResult) -> bool:
    """Open no more reviews if all fail for a technical reason; give whether that, or why, is news."""
    decide = partial(
        halt_after,
        failed_at=done.failed_at,
        completed_at=done.completed_at,
        reason=next(iter(done.reasons), ""),
        setup=make_backend(ctx.project, ctx.store).setup_name(),
        run=ctx.owner,
        now=datetime.now(UTC),
    )
    halt = HALT.change(ctx.store, decide)
    return halt is None or halt.run == ctx.owner
