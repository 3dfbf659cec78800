"""Opening reviews for the DAG that still hands on values without types; goes away with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext, values
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.review_tasks import open_reviews
from custom_labels.review.settings import ReviewSettings


@values
def open_reviews_untyped(project: str) -> dict[str, Any]:
    """Open the reviews that wait, audits and the most doubtful first, within the day's budget."""
    ctx = ProjectContext(project)
    settings = ctx.context["ti"].xcom_pull(task_ids="load_settings")
    require_inputs("open_reviews", {"load_settings": settings})
    return to_json(open_reviews.function(ctx, from_json(ReviewSettings, settings)))


def dropped_reviews(opened: Mapping[str, Any]) -> str:
    """Word what was dropped, for the end of a sentence; empty where nothing was."""
    return from_json(OpenedReviews, opened).dropped


def dropped_facts(ctx: ProjectContext, opened: Mapping[str, Any]) -> dict[str, Any]:
    """Name what was dropped and the settings that decide it, for an outcome; empty where nothing was."""
    return dict(from_json(OpenedReviews, opened).dropped_facts(ctx.project.variable))
