"""The steps of the harvest DAG: which reviews have ended, what became of their images, whether to wake the training.

Every function is one task. It takes the project's name and small values, and may be run again after any crash.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.domain.harvest import HarvestRules
from custom_labels.domain.retraining import Retrain, decide_retraining
from custom_labels.domain.work import MOST_BATCHES
from custom_labels.operators.harvest_look import HarvestLook
from custom_labels.operators.harvesting import Harvester
from custom_labels.operators.project import ProjectContext, branch, step, values
from custom_labels.operators.queues import project_queue
from custom_labels.operators.reporting import outcome
from custom_labels.review.backends import make_backend
from custom_labels.storage import harvest
from custom_labels.storage.harvest_work import FoundReviews, delete_abandoned, write_batches
from custom_labels.storage.snapshots import survey

log = logging.getLogger(__name__)

BATCH_REVIEWS = 1_000
OVERLAP = timedelta(hours=1)
"""Looked at again behind the watermark: a list may show a review a moment after it was created."""


@values
def collect(project: str) -> dict[str, Any]:
    """Find the reviews that have ended and that nobody harvested: from the queue and, unless only the queue rang, from
    a look at all reviews since the watermark. Share them out in batches.
    """
    place = ProjectContext(project)
    now = datetime.now(UTC)
    if place.project.review is None:
        return {"tasks": [], "at": now.isoformat(), "watermark": None, "unknown": 0, "examples": []}
    delete_abandoned(place.store, now)
    with FoundReviews() as found:
        unfinished = harvest.unfinished_chunks(place.store)
        watermark = None if place.param("from_the_beginning") else harvest.read_watermark(place.store)
        backend = make_backend(place.project, place.store)
        look = HarvestLook(place.store, backend, found, watermark - OVERLAP if watermark else harvest.EPOCH)
        look.learn(unfinished, now)
        look.at_queue(project_queue(place.project, "reviews"))
        if not place.was_rung:
            look.at_all(now)
        run = f"{now:%Y-%m-%d-%H%M%S}-{hashlib.sha256(place.owner.encode()).hexdigest()[:12]}"
        batches = write_batches(place.store, run, found, BATCH_REVIEWS)
    log.info("%s batches of reviews that have ended, %s chunks to finish.", len(batches), len(unfinished))
    tasks = [*({"chunk": chunk} for chunk in sorted(unfinished)), *({"batch": batch} for batch in batches)]
    return {"tasks": tasks[:MOST_BATCHES], "at": now.isoformat(), **look.facts(complete=len(tasks) <= MOST_BATCHES)}


@step
def share_out(collected: dict[str, Any]) -> list[dict[str, str]]:
    """Give the batches one by one: Airflow maps a task over the whole of a result only."""
    return list(collected["tasks"])


@step
def harvest_batch(project: str, settings: dict[str, Any], at: str, work: dict[str, str]) -> dict[str, int]:
    """Harvest a batch of reviews, or finish a chunk that an earlier run had decided; count what became of it."""
    place = ProjectContext(project)
    queue = project_queue(place.project, "reviews")
    harvester = Harvester(
        place.store,
        make_backend(place.project, place.store),
        HarvestRules.of(project, place.store.prefix, settings),
        lambda messages: queue.delete(messages) if queue else None,
    )
    if "chunk" in work:
        return dict(harvester.finish(work["chunk"]))
    return dict(harvester.harvest(work["batch"], datetime.fromisoformat(at)))


@values
def close_harvest(project: str, collected: dict[str, Any], counts: list[dict[str, int]] | None) -> dict[str, Any]:
    """Add up what was harvested, and move the watermark, now that all that was found is dealt with."""
    if collected["watermark"]:
        harvest.move_watermark(ProjectContext(project).store, datetime.fromisoformat(collected["watermark"]))
    total: Counter[str] = Counter()
    for count in counts or ():
        total.update(count)
    log.info("Harvested: %s", dict(total))
    return {"counts": dict(total)}


@branch
def is_anything_harvested(closed: dict[str, Any]) -> list[str]:
    """Choose the end, and look whether there is enough to train on if there are new labelled images."""
    counts = closed["counts"]
    return [
        "harvested" if counts.get("reviews") else "nothing_to_harvest",
        *(["wake_training"] if counts.get("labelled") else []),
    ]


@step
def wake_training(project: str, settings: dict[str, Any]) -> None:
    """Wake the train DAG, by this task's asset, if a training of the images as they are now would begin; else skip."""
    place = ProjectContext(project)
    if not settings["enable_automatic_training"]:
        raise AirflowSkipException(f"Variable '{place.project.variable('enable_automatic_training')}' is off.")
    snapshot = survey(place.store, as_of=datetime.now(UTC), trained=place.registry.trained_digest())
    decision = decide_retraining(
        images=snapshot.images,
        untrained=snapshot.untrained,
        minimum_untrained_images=settings["minimum_untrained_images"],
        attempt=place.registry.attempt(snapshot.digest),
        open_attempt=place.registry.open_attempt(),
    )
    log.info("%s: %s.", decision.action, decision.reason)
    if decision.action is not Retrain.TRAIN:
        raise AirflowSkipException(f"The training is not woken: {decision.reason}.")


@step
def harvested(
    project: str, collected: dict[str, Any], closed: dict[str, Any], opened: dict[str, Any]
) -> dict[str, Any]:
    """Say what was harvested."""
    counts = Counter(closed["counts"])
    detail = f"{_number(counts['labelled'], 'labelled image')} from {_number(counts['reviews'], 'review')}"
    detail += _trouble(collected, opened)
    return outcome(ProjectContext(project), "harvested", detail, _facts(counts, collected, opened))


@step
def nothing_to_harvest(project: str, collected: dict[str, Any], opened: dict[str, Any]) -> dict[str, Any]:
    """Say that no review has ended since."""
    place = ProjectContext(project)
    detail = "no review has ended that was not harvested"
    if place.project.review is None:
        detail = f"nobody answers reviews: {project}.yaml has no 'review'"
    detail += _trouble(collected, opened)
    return outcome(place, "nothing_to_harvest", detail, _facts(Counter(), collected, opened))


def _facts(counts: Counter[str], collected: dict[str, Any], opened: dict[str, Any]) -> dict[str, Any]:
    """Name what a person wants to know; what did not occur is left out."""
    said = {
        "None of the labels fits": counts["copied"] - counts["labelled"],
        "Asked one more person": counts["asked_again"],
        "Undecided after all rounds": counts["undecided"],
        "Audits, not for training": counts["recorded"],
        "Image replaced since": counts["replaced"],
        "Image deleted since": counts["gone"],
        "Label that can be no folder": counts["no_folder"],
        "Question not known": counts["lost"],
        **{f"Reviews {status}": counts[status] for status in ("expired", "stopped", "failed")},
        "Messages about no review": collected.get("foreign"),
        "Reviews in a state not known": collected["unknown"],
        "Such as": "; ".join(collected["examples"]),
        "Trouble while opening": opened["trouble"],
    }
    return {
        **{name: value for name, value in said.items() if value},
        "Reviews opened": opened["opened"],
        "Waiting to be opened": opened["waiting"],
    }


def _trouble(collected: dict[str, Any], opened: dict[str, Any]) -> str:
    """Word what people should look at, for the end of a sentence; empty where there is nothing."""
    unknown = (
        f"; {_number(collected['unknown'], 'review')} in a state that is not known" if collected["unknown"] else ""
    )
    return unknown + ("; not all reviews that wait could be opened" if opened["trouble"] else "")


def _number(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
