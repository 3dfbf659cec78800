"""The steps of the DAG that asks people: which reviews are asked, and how many were answered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.run_settings import RunSettings
from custom_labels.core.steps import fan_out, step
from custom_labels.review.backends.airflow_page.page_records import PageRecords
from custom_labels.review.backends.airflow_page.project_file import AirflowPart
from custom_labels.review.backends.registry import review_of

log = logging.getLogger(__name__)

UNTIL_ASKED = timedelta(hours=1)
"""How long reviews are kept for their tasks to begin; after that another run may ask them."""


@dataclass(frozen=True)
class ChosenReviews:
    """The reviews that a run asks.

    :param reviews: their names, the oldest first.
    :param open: how many are open; the rest of them is being asked by other runs, or waits for the next one.
    """

    reviews: tuple[str, ...]
    open: int


@fan_out("reviews")
def choose_reviews(ctx: ProjectContext, settings: RunSettings) -> ChosenReviews:  # noqa: ARG001
    """Choose the oldest of the open reviews that no run asks at present, at most ``questions_at_once``.

    A second try chooses those again that the first one took.
    """
    most = review_of(ctx.project).part_of(AirflowPart).questions_at_once
    records, until = PageRecords(ctx.store), datetime.now(UTC) + UNTIL_ASKED
    found = records.open_reviews()
    taken: list[str] = []
    for each in sorted(found, key=lambda review: review.asked_by != ctx.run_name):
        if len(taken) < most and records.take(each.request.name, ctx.run_name, until):
            taken.append(each.request.name)
    log.info("%s of %s open reviews are asked.", len(taken), len(found))
    return ChosenReviews(tuple(taken), len(found))


@step
def finish(
    ctx: ProjectContext, settings: RunSettings, chosen: ChosenReviews, answered: Sequence[str] | None
) -> RunOutcome:
    """Record how many questions were answered."""
    asked = len(chosen.reviews)
    done = len(answered or ()) if asked else 0
    facts = {"Asked": asked, "Answered": done, "Open when the run began": chosen.open}
    if not asked:
        detail = f"{chosen.open} reviews are open, and other runs ask them" if chosen.open else "no review is open"
        return finish_run(ctx, settings, Outcome.NOTHING_TO_ASK, detail, facts)
    detail = f"{done} of {asked} questions were answered"
    detail += "; the others may be asked again" if done < asked else ""
    return finish_run(ctx, settings, Outcome.ASKED, detail, facts)
