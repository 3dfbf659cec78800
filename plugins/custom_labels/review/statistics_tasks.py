"""Reviews as numbers at the end of a harvest: into the bucket, and to where Airflow sends its metrics."""

from __future__ import annotations

import logging

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.context import ProjectContext
from custom_labels.errors import CustomLabelsError
from custom_labels.review.harvest_work import FoundWork, HarvestResult
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.statistics import OpenReviews, ReviewStatistics
from custom_labels.review.statistics_records import update_statistics

log = logging.getLogger(__name__)


def count_reviews(
    ctx: ProjectContext, found: FoundWork, done: HarvestResult, opened: OpenedReviews
) -> ReviewStatistics | None:
    """Bring the statistics up to date; a second try gives the same.

    They change nothing of what happened: where they cannot be written the run stays as good as it was, and the next
    harvest counts what this one could not.

    :return: ``None`` where nothing was listed or harvested, or they could not be written.
    """
    if found.at is None or (found.open is None and not done.counts.get("reviews")):
        return None
    at = found.at.isoformat(timespec="seconds")
    backlog = OpenReviews(at, opened.waiting)
    if found.open is not None:
        oldest = found.oldest.isoformat(timespec="seconds") if found.oldest else None
        backlog = OpenReviews(at, opened.waiting, found.open, oldest, at)
    try:
        statistics = update_statistics(ctx.store, backlog, found.settings.minimum_box_overlap, ctx.owner)
    except (CustomLabelsError, ClientError, BotoCoreError):
        log.exception("The statistics of reviews could not be brought up to date; the next harvest tries again.")
        return None
    if statistics:
        emit_metrics(ctx.project.name, statistics)
    return statistics


def emit_metrics(project: str, statistics: ReviewStatistics) -> None:
    """Send the numbers as gauges to where Airflow sends its own metrics, if ``[metrics]`` is set up; else to nowhere.

    Their names are ``custom_labels.<project>.reviews.<number>``; a number that is not known is not sent.
    """
    from airflow.sdk.observability.stats import Stats

    backlog, numbers = statistics.backlog, statistics.numbers
    gauges = {
        "open": backlog.open,
        "waiting": backlog.waiting,
        "oldest_seconds": backlog.oldest_seconds,
        "answers": numbers.answers,
        "answer_seconds": numbers.wait_seconds,
        "agreement": numbers.agreement,
        "guesses_kept": numbers.kept,
        "reviewers": len(numbers.reviewers),
        "reviewers_far_off": sum(each.is_far_off for each in numbers.reviewers),
    }
    for name, value in gauges.items():
        if value is not None:
            Stats.gauge(f"custom_labels.{project}.reviews.{name}", value)
