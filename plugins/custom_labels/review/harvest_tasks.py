"""The steps of the harvest DAG: which reviews have ended, what became of their images, whether to trigger the training.

Every function is one task. It takes the project's name and small values, and may be run again after any crash.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.core.batches import MOST_BATCHES
from custom_labels.core.context import ProjectContext, branch, step, values
from custom_labels.core.queues import project_queue
from custom_labels.core.reporting_tasks import outcome
from custom_labels.datasets.listing_records import find_folders
from custom_labels.datasets.snapshot_records import count_images
from custom_labels.review import harvest_records
from custom_labels.review.backends.registry import make_backend
from custom_labels.review.halt import halt_after
from custom_labels.review.halt_records import change_halt, read_halt
from custom_labels.review.harvest import HarvestRules, ReviewOutcome
from custom_labels.review.harvest_inspection_records import HarvestInspection
from custom_labels.review.harvest_work_records import FoundReviews, delete_abandoned, write_batches
from custom_labels.review.harvest_writer import Harvester
from custom_labels.review.review_tasks import dropped_facts, dropped_reviews
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.retraining import Retrain, decide_retraining

log = logging.getLogger(__name__)

BATCH_REVIEWS = 1_000
EXAMPLES = 3
OVERLAP = timedelta(hours=1)
"""Looked at again behind the watermark: a list may show a review a moment after it was created."""


@values
def collect(project: str) -> dict[str, Any]:
    """Find the reviews that have ended and were not harvested, and share them out in batches.

    They come from the queue and, unless only the queue triggered the run, from a listing since the watermark.
    """
    ctx = ProjectContext(project)
    now = datetime.now(UTC)
    if ctx.project.review is None:
        return {"tasks": [], "at": now.isoformat(), "watermark": None, "unknown": 0, "examples": []}
    delete_abandoned(ctx.store, now)
    with FoundReviews() as found:
        unfinished = harvest_records.unfinished_chunks(ctx.store)
        watermark = None if ctx.param("from_the_beginning") else harvest_records.read_watermark(ctx.store)
        backend = make_backend(ctx.project, ctx.store)
        look = HarvestInspection(ctx.store, backend, found, watermark - OVERLAP if watermark else harvest_records.EPOCH)
        look.learn(unfinished, now)
        look.at_queue(project_queue(ctx.project, "reviews"))
        if not ctx.triggered_by_queue_only:
            look.at_all(now)
        run = f"{now:%Y-%m-%d-%H%M%S}-{hashlib.sha256(ctx.owner.encode()).hexdigest()[:12]}"
        batches = write_batches(ctx.store, run, found, BATCH_REVIEWS)
    log.info("%s batches of reviews that have ended, %s chunks to finish.", len(batches), len(unfinished))
    tasks = [*({"chunk": chunk} for chunk in sorted(unfinished)), *({"batch": batch} for batch in batches)]
    return {"tasks": tasks[:MOST_BATCHES], "at": now.isoformat(), **look.facts(complete=len(tasks) <= MOST_BATCHES)}


@step
def share_out(collected: dict[str, Any]) -> list[dict[str, str]]:
    """Give the batches one by one: Airflow maps a task over the whole of a result only."""
    return list(collected["tasks"])


@step
def harvest_batch(project: str, settings: dict[str, Any], at: str, work: dict[str, str]) -> dict[str, Any]:
    """Harvest a batch of reviews, or finish a chunk that an earlier run had decided; count what became of it.

    :return: the ``counts``, some ``reasons`` of technical failures in the backend's words, and when the first of the
        reviews that failed was opened (``failed_at``), and the last of those that were completed (``completed_at``).
    """
    ctx = ProjectContext(project)
    queue = project_queue(ctx.project, "reviews")
    harvester = Harvester(
        ctx.store,
        make_backend(ctx.project, ctx.store),
        HarvestRules.of(
            project,
            ctx.store.prefix,
            settings,
            folders=find_folders(ctx.store),
            is_halted=read_halt(ctx.store) is not None,
        ),
        lambda messages: queue.delete(messages) if queue else None,
    )
    if "chunk" in work:
        counts = harvester.finish(work["chunk"])
    else:
        counts = harvester.harvest(work["batch"], datetime.fromisoformat(at))
    return {
        "counts": dict(counts),
        "reasons": [reason for reason, _ in harvester.failures.most_common(EXAMPLES)],
        "failed_at": harvester.failed_at,
        "completed_at": harvester.completed_at,
    }


@values
def close_harvest(project: str, collected: dict[str, Any], done: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Add up what was harvested, and move the watermark, now that all that was found is dealt with.

    Where all reviews failed for a technical reason no more are opened, see :mod:`custom_labels.review.halt`.

    :return: the ``counts``, ``reasons`` of technical failures, and whether they ``is_news``.
    """
    ctx = ProjectContext(project)
    if collected["watermark"]:
        harvest_records.move_watermark(ctx.store, datetime.fromisoformat(collected["watermark"]))
    total: Counter[str] = Counter()
    reasons: dict[str, None] = {}
    for each in done or ():
        total.update(each["counts"])
        reasons |= dict.fromkeys(each["reasons"])
    log.info("Harvested: %s", dict(total))
    failed_at = min((each["failed_at"] for each in done or () if each["failed_at"]), default="")
    completed_at = max((each["completed_at"] for each in done or ()), default="")
    is_news = bool(failed_at) and _halt_if_all_fail(ctx, failed_at, completed_at, next(iter(reasons), ""))
    return {"counts": dict(total), "reasons": list(reasons)[:EXAMPLES], "is_news": is_news}


def _halt_if_all_fail(ctx: ProjectContext, failed_at: str, completed_at: str, reason: str) -> bool:
    """Open no more reviews if all fail for a technical reason; give whether that, or why, is news."""
    backend = make_backend(ctx.project, ctx.store)
    halt = change_halt(
        ctx.store,
        partial(
            halt_after,
            failed_at=failed_at,
            completed_at=completed_at,
            reason=reason,
            setup=backend.setup_name(),
            run=ctx.owner,
            now=datetime.now(UTC),
        ),
    )
    return halt is None or halt.run == ctx.owner


@branch
def is_anything_harvested(closed: dict[str, Any]) -> list[str]:
    """Choose the end, and look whether there is enough to train on if there are new labelled images."""
    counts = closed["counts"]
    end = "harvested" if counts.get("reviews", 0) > _failures(counts) else "nothing_to_harvest"
    return [
        "review_trouble" if closed["is_news"] else end,
        *(["trigger_training"] if counts.get("labelled") else []),
    ]


@step
def trigger_training(project: str, settings: dict[str, Any]) -> None:
    """Trigger the train DAG, by this task's asset, if a training of the present images would begin; else skip."""
    ctx = ProjectContext(project)
    if not settings["enable_automatic_training"]:
        raise AirflowSkipException(f"Variable '{ctx.project.variable('enable_automatic_training')}' is off.")
    snapshot = count_images(ctx.store, as_of=datetime.now(UTC), trained=TrainingRecords(ctx.registry).trained_digest())
    decision = decide_retraining(
        images=snapshot.images,
        untrained=snapshot.untrained,
        minimum_untrained_images=settings["minimum_untrained_images"],
        attempt=TrainingRecords(ctx.registry).attempt(snapshot.digest),
        open_attempt=TrainingRecords(ctx.registry).open_attempt(),
    )
    log.info("%s: %s.", decision.action, decision.reason)
    if decision.action is not Retrain.TRAIN:
        raise AirflowSkipException(f"No training is triggered: {decision.reason}.")


@step
def harvested(
    project: str, collected: dict[str, Any], closed: dict[str, Any], opened: dict[str, Any]
) -> dict[str, Any]:
    """Say what was harvested."""
    counts = Counter(closed["counts"])
    detail = f"{_number(counts['labelled'], 'labelled image')} from {_number(counts['reviews'], 'review')}"
    detail += _trouble(collected, opened)
    ctx = ProjectContext(project)
    return outcome(ctx, "harvested", detail, _facts(ctx, closed, collected, opened))


@step
def review_trouble(
    project: str, collected: dict[str, Any], closed: dict[str, Any], opened: dict[str, Any]
) -> dict[str, Any]:
    """Say that reviews failed before anybody could answer them, why, and what was harvested beside them."""
    counts = Counter(closed["counts"])
    failed = _number(_failures(counts), "review")
    detail = f"{failed} failed before anybody could answer: {'; '.join(closed['reasons'])}"
    others = counts["reviews"] - _failures(counts)
    if others:
        detail += f"; {_number(counts['labelled'], 'labelled image')} from {_number(others, 'other review')}"
    detail += _trouble(collected, opened)
    ctx = ProjectContext(project)
    return outcome(ctx, "review_trouble", detail, _facts(ctx, closed, collected, opened))


def _failures(counts: Mapping[str, int]) -> int:
    return counts.get(ReviewOutcome.TECHNICAL_FAILURE, 0) + counts.get(ReviewOutcome.GIVEN_UP, 0)


@step
def nothing_to_harvest(
    project: str, collected: dict[str, Any], closed: dict[str, Any], opened: dict[str, Any]
) -> dict[str, Any]:
    """Say that no review has ended since, or that they still fail."""
    ctx = ProjectContext(project)
    detail = "no review has ended that was not harvested"
    if closed["reasons"]:
        detail = f"reviews still fail before anybody can answer them: {closed['reasons'][0]}"
    if ctx.project.review is None:
        detail = f"nobody answers reviews: {project}.yaml has no 'review'"
    detail += _trouble(collected, opened)
    return outcome(ctx, "nothing_to_harvest", detail, _facts(ctx, closed, collected, opened))


def _facts(
    ctx: ProjectContext, closed: dict[str, Any], collected: dict[str, Any], opened: dict[str, Any]
) -> dict[str, Any]:
    """Name what a person wants to know; what did not occur is left out."""
    counts = Counter(closed["counts"])
    said = {
        "Failed before anybody could answer, asked again": counts["technical_failure"],
        "Given up, failed too often": counts["given_up"],
        "Failed because": "; ".join(closed["reasons"]),
        "None of the labels fits": counts["copied"] - counts["labelled"],
        "Asked one more person": counts["asked_again"],
        "Undecided after all rounds": counts["undecided"],
        "Audits, not for training": counts["recorded"],
        "Image replaced since": counts["replaced"],
        "Image deleted since": counts["gone"],
        "Label that can be no folder": counts["no_folder"],
        "Question not known": counts["lost"],
        **{f"Reviews {status}": counts[status] for status in ("expired", "stopped")},
        "Messages about no review": collected.get("foreign"),
        "Reviews in a state not known": collected["unknown"],
        "Such as": "; ".join(collected["examples"]),
        "Trouble while opening": opened["trouble"],
    }
    return {
        **{name: value for name, value in said.items() if value},
        "Reviews opened": opened["opened"],
        "Waiting to be opened": opened["waiting"],
        **dropped_facts(ctx, opened),
    }


def _trouble(collected: dict[str, Any], opened: dict[str, Any]) -> str:
    """Word what people should look at, for the end of a sentence; empty where there is nothing."""
    unknown = (
        f"; {_number(collected['unknown'], 'review')} in a state that is not known" if collected["unknown"] else ""
    )
    not_opened = "; not all reviews that wait could be opened" if opened["trouble"] else ""
    return unknown + not_opened + dropped_reviews(opened)


def _number(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
