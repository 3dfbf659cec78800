"""The step by which every DAG that asks people ends its work: opening the reviews that wait."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext, values
from custom_labels.core.steps import step
from custom_labels.review.backends.base import ReviewBackendNotReady
from custom_labels.review.backlog_records import BacklogBounds
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.opening_records import ReviewOpener
from custom_labels.review.request_records import WaitingReviews
from custom_labels.review.settings import ReviewSettings

log = logging.getLogger(__name__)


@step
def open_reviews(ctx: ProjectContext, settings: ReviewSettings) -> OpenedReviews:
    """Open the reviews that wait, audits and the most doubtful first, within the day's budget."""
    opened = _open(ctx, to_json(settings))
    log.info("%s reviews opened, %s wait. %s", opened.opened, opened.waiting, opened.trouble)
    return opened


@values
def open_reviews_untyped(project: str) -> dict[str, Any]:
    """Open the reviews that wait, audits and the most doubtful first, within the day's budget.

    :return: ``opened`` reviews, ``known`` ones that had been opened before, those that are ``waiting``, and the
        ``trouble`` in a sentence.
    """
    ctx = ProjectContext(project)
    # Pulled, not handed in: as an argument it would be an upstream that never fails, and this task would run in vain.
    settings = ctx.context["ti"].xcom_pull(task_ids="load_settings")
    require_inputs("open_reviews", {"load_settings": settings})
    opening = _open(ctx, settings)
    log.info("%s reviews opened, %s wait. %s", opening.opened, opening.waiting, opening.trouble)
    return asdict(opening)


def dropped_reviews(opened: Mapping[str, Any]) -> str:
    """Word what was dropped, for the end of a sentence; empty where nothing was.

    :param opened: what :func:`open_reviews` returned.
    """
    old, many = opened.get("too_old", 0), opened.get("too_many", 0)
    why = [f"{old} had waited too long"] * bool(old) + [f"{many} were too many"] * bool(many)
    return f"; {old + many} waiting reviews were dropped: {' and '.join(why)}" if why else ""


def dropped_facts(ctx: ProjectContext, opened: Mapping[str, Any]) -> dict[str, Any]:
    """Name what was dropped and the settings that decide it, for an outcome; empty where nothing was.

    :param opened: what :func:`open_reviews` returned.
    """
    facts = {
        "Reviews dropped, waited too long": opened.get("too_old", 0),
        "Reviews dropped, too many waited": opened.get("too_many", 0),
    }
    found: dict[str, Any] = {name: value for name, value in facts.items() if value}
    names = ("daily_review_budget", "review_waiting_days", "maximum_waiting_reviews")
    return {**found, "Settings of what is dropped": ", ".join(map(ctx.project.variable, names))} if found else {}


def _open(ctx: ProjectContext, settings: dict[str, Any]) -> OpenedReviews:
    from custom_labels.review.backends.registry import make_backend

    if ctx.project.review is None:
        oldest = datetime.now(UTC) - timedelta(days=settings["review_waiting_days"])
        waiting = WaitingReviews(ctx.store)
        backlog = BacklogBounds(waiting, settings["maximum_waiting_reviews"], oldest, is_merging=True).apply()
        return OpenedReviews(waiting=backlog.waiting, too_old=backlog.too_old, too_many=backlog.too_many)
    opener = ReviewOpener(
        ctx.store,
        make_backend(ctx.project, ctx.store),
        f"{ctx.owner}/open_reviews",
        budget=settings["daily_review_budget"],
        maximum_waiting=settings["maximum_waiting_reviews"],
        waiting_days=settings["review_waiting_days"],
        audits_only=not settings["enable_a2i_workflow"],
    )
    try:
        return opener.run()
    except ReviewBackendNotReady as error:
        raise AirflowFailException(str(error)) from error
