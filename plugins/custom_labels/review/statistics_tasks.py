"""Reviews as numbers at the end of a harvest: into the bucket, and to where Airflow sends its metrics."""

from __future__ import annotations

import logging

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.context import ProjectContext
from custom_labels.core.metrics import Gauge, send_gauges
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
        _send(ctx, statistics)
    return statistics


def _send(ctx: ProjectContext, statistics: ReviewStatistics) -> None:
    backlog, numbers = statistics.backlog, statistics.numbers
    send_gauges(
        ctx,
        {
            Gauge.REVIEWS_OPEN: backlog.open,
            Gauge.REVIEWS_OLDEST: 0 if backlog.open == 0 else backlog.oldest_seconds,
            Gauge.REVIEWS_ANSWERS: numbers.answers,
            Gauge.REVIEWS_ANSWER_SECONDS: numbers.wait_seconds,
            Gauge.REVIEWS_AGREEMENT: numbers.agreement,
            Gauge.REVIEWS_GUESSES_KEPT: numbers.kept,
            Gauge.REVIEWS_REVIEWERS: len(numbers.reviewers),
            Gauge.REVIEWS_FAR_OFF: sum(each.is_far_off for each in numbers.reviewers),
        },
    )
