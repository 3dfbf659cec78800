"""The step by which every DAG that asks people ends its work: opening the reviews that wait."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from airflow.sdk.exceptions import AirflowFailException

from custom_labels.core.context import ProjectContext
from custom_labels.core.metrics import EventCounter, Gauge, count, send_gauges
from custom_labels.core.steps import step
from custom_labels.review.backends.base import ReviewBackendNotReady
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.opening_records import ReviewOpener
from custom_labels.review.settings import ReviewSettings
from custom_labels.review.waiting_records import BacklogReader, WaitingReviews

log = logging.getLogger(__name__)


@step
def open_reviews(ctx: ProjectContext, settings: ReviewSettings) -> OpenedReviews:
    """Open the reviews that wait, audits and the most doubtful first, within the day's budget.

    A second try opens what is left: each review is known by its name, which is derived from what it asks. Where the
    project has no reviewers, what waits is bounded all the same.
    """
    opened = _open(ctx, settings)
    send_gauges(ctx, {Gauge.REVIEWS_WAITING: opened.waiting})
    count(ctx, EventCounter.REVIEWS_OPENED, opened.opened)
    count(ctx, EventCounter.REVIEWS_DROPPED, opened.too_old + opened.too_many)
    return opened


def _open(ctx: ProjectContext, settings: ReviewSettings) -> OpenedReviews:
    from custom_labels.review.backends.registry import definition_of, make_backend

    if ctx.project.review is None:
        oldest = datetime.now(UTC) - timedelta(days=settings.review_waiting_days)
        backlog = BacklogReader(WaitingReviews(ctx.store), settings.maximum_waiting_reviews, oldest).read()
        return OpenedReviews(waiting=backlog.waiting, too_old=backlog.too_old, too_many=backlog.too_many)
    opener = ReviewOpener(
        ctx.store,
        make_backend(ctx.project, ctx.store),
        together=definition_of(ctx.project).abilities.together,
        budget=settings.daily_review_budget,
        maximum_waiting=settings.maximum_waiting_reviews,
        waiting_days=settings.review_waiting_days,
        audits_only=not settings.enable_a2i_workflow,
    )
    try:
        opened = opener.run()
    except ReviewBackendNotReady as error:
        raise AirflowFailException(str(error)) from error
    log.info("%s reviews opened, %s wait. %s", opened.opened, opened.waiting, opened.trouble)
    return opened
