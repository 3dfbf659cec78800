"""What a project sends to where Airflow sends its own metrics: the table of all of them, and the way there.

Airflow's ``Stats`` is imported from ``airflow.sdk.observability.stats``, where Airflow 3.2, 3.3 and 3.4 have it. It
sends nothing unless ``[metrics]`` is set up, and where a host cannot be found or reached it logs that and goes on: a
metric fails no task.

A gauge is the same when it is sent twice. A counter counts twice what a task sent whose worker was killed afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from custom_labels.core.context import ProjectContext

PREFIX = "custom_labels"
"""What all names begin with, after Airflow's own prefix."""


@dataclass(frozen=True)
class Definition:
    """What is said of a metric.

    :param name: without the prefix.
    :param unit: of its numbers; ``share`` is from 0 to 1.
    :param meaning: in words, without an end.
    :param sent: by which tasks of which DAGs.
    :param tags: besides the project; each has a few values that are known beforehand.
    """

    name: str
    unit: str
    meaning: str
    sent: str
    tags: tuple[str, ...] = ()


_COUNTED = "train: decide_training, prepare_images; harvest_reviews, import_dataset: trigger_training"
_EVALUATED = "train: evaluate"
_HARVESTED = "harvest_reviews: finish"
_OPENED = "detect, harvest_reviews: finish; sample_for_audit: open_reviews"
_MEASURED = "sample_for_audit: measure"
_GUARDED = "cost_guard: finish"
_DETECTED = "detect: finish"
_SERVING = "detect: collect; train, rollback: swap_live; scale: finish"


class Gauge(Enum):
    """All numbers that are as they are now.

    None is by label or by version: a project has up to 250 labels, and a new version every week.
    """

    IMAGES_LABELED = Definition("images.labeled", "images", "Labelled images that a training can use", _COUNTED)
    IMAGES_UNTRAINED = Definition("images.untrained", "images", "Labelled images that no training has seen", _COUNTED)
    IMAGES_NEEDED = Definition(
        "images.needed",
        "images",
        "Untrained images from which on a training is due: minimum_untrained_images",
        _COUNTED,
    )
    IMAGES_LABELS = Definition("images.labels", "labels", "Labels of the labelled images", _COUNTED)
    IMAGES_RAREST_LABEL = Definition(
        "images.rarest_label", "images", "Images of the label that has the fewest", _COUNTED
    )
    TRAINED_F1 = Definition(
        "trained.f1", "share", "F1 of the version that was trained last, on its test images", _EVALUATED
    )
    TRAINED_PRECISION = Definition(
        "trained.precision", "share", "Precision of the version that was trained last", _EVALUATED
    )
    TRAINED_RECALL = Definition("trained.recall", "share", "Recall of the version that was trained last", _EVALUATED)
    TRAINED_SECONDS = Definition("trained.seconds", "seconds", "Billable time of the last training", _EVALUATED)
    LIVE_F1 = Definition("live.f1", "share", "F1 of the version that serves, when it was trained", _SERVING)
    LIVE_UNITS = Definition(
        "live.inference_units", "units", "Inference units of the version that serves; 0 while it does not run", _SERVING
    )
    LIVE_ACCURACY = Definition(
        "live.accuracy", "share", "How often the live version is right, by the samples that people answered", _MEASURED
    )
    LIVE_ANSWERS = Definition(
        "live.accuracy_answers", "answers", "Answers that the live accuracy is known by", _MEASURED
    )
    LIVE_IDLE = Definition(
        "live.idle_seconds",
        "seconds",
        "For how long nothing was asked of the live version; 0 while it does not run",
        _GUARDED,
    )
    DETECTION_WAITING = Definition(
        "detection.waiting", "images", "Images without a result that a run found", "detect: collect"
    )
    DETECTION_RATE = Definition("detection.calls_per_second", "calls/s", "DetectCustomLabels calls of a run", _DETECTED)
    REVIEWS_OPEN = Definition("reviews.open", "reviews", "Reviews that wait for people", _HARVESTED)
    REVIEWS_OLDEST = Definition(
        "reviews.oldest_seconds", "seconds", "For how long the oldest open review is open; 0 without any", _HARVESTED
    )
    REVIEWS_WAITING = Definition("reviews.waiting", "reviews", "Reviews that wait for the day's budget", _OPENED)
    REVIEWS_ANSWERS = Definition("reviews.answers", "answers", "Answers of the last 30 days", _HARVESTED)
    REVIEWS_ANSWER_SECONDS = Definition(
        "reviews.answer_seconds", "seconds", "Median time from opening to an answer", _HARVESTED
    )
    REVIEWS_AGREEMENT = Definition(
        "reviews.agreement", "alpha", "Krippendorff's alpha of people among each other", _HARVESTED
    )
    REVIEWS_GUESSES_KEPT = Definition(
        "reviews.guesses_kept", "share", "Guesses of the model that people kept", _HARVESTED
    )
    REVIEWS_REVIEWERS = Definition("reviews.reviewers", "people", "People who answered in the last 30 days", _HARVESTED)
    REVIEWS_FAR_OFF = Definition(
        "reviews.reviewers_far_off", "people", "People who disagree far more than the others", _HARVESTED
    )
    RUNNING_VERSIONS = Definition("running.versions", "versions", "Versions that are billed by the minute", _GUARDED)
    RUNNING_UNITS = Definition(
        "running.inference_units", "units", "Inference units of all versions that run, as started", _GUARDED
    )
    SPENT_MONTH = Definition(
        "spent.month_usd", "USD", "What the present month (UTC) costs so far, by list prices", _GUARDED
    )
    SPENT_BUDGET = Definition("spent.budget_usd", "USD", "The setting monthly_budget_usd, where it is set", _GUARDED)


class EventCounter(Enum):
    """All numbers that only grow."""

    RUNS = Definition(
        "runs",
        "runs",
        "Runs by how they ended",
        "the last task of each DAG; tasks that fail",
        ("dag", "outcome"),
    )
    IMAGES_HARVESTED = Definition(
        "images.harvested", "images", "Images that came in by the answers of people", _HARVESTED
    )
    IMAGES_IMPORTED = Definition("images.imported", "images", "Images that an import took", "import_dataset: finish")
    DETECTION_IMAGES = Definition(
        "detection.images",
        "images",
        "Images by what became of them; review and not_reviewed are doubtful",
        _DETECTED,
        ("decision",),
    )
    REVIEWS_OPENED = Definition("reviews.opened", "reviews", "Reviews that were opened", _OPENED)
    REVIEWS_DROPPED = Definition(
        "reviews.dropped", "reviews", "Waiting reviews that were dropped: too old, or too many", _OPENED
    )


def send_gauges(ctx: ProjectContext, values: Mapping[Gauge, float | None]) -> None:
    """Send gauges; what is not known is not sent.

    A backfill sends none: its numbers are of the past, and a gauge is of now.
    """
    from airflow.sdk.observability.stats import Stats

    from custom_labels.core.context import BACKFILL

    if ctx.run.run_type == BACKFILL:
        return
    for gauge, value in values.items():
        if value is not None:
            name, tags = address(ctx.project.name, gauge.value)
            Stats.gauge(name, value, tags=tags)


def count(ctx: ProjectContext, counter: EventCounter, number: int = 1, *values: str) -> None:
    """Add to a counter; none is not sent.

    :param values: of the counter's tags, in their order.
    """
    from airflow.sdk.observability.stats import Stats

    if number > 0:
        name, tags = address(ctx.project.name, counter.value, *values)
        Stats.incr(name, number, tags=tags)


def count_run(ctx: ProjectContext, outcome: str) -> None:
    """Count a run that ended, or a task that failed for good."""
    count(ctx, EventCounter.RUNS, 1, ctx.run.dag_id.removeprefix(f"{ctx.project.name}_"), str(outcome))


def address(project: str, definition: Definition, *values: str) -> tuple[str, dict[str, str]]:
    """Give the name and the tags that a metric is sent with.

    Where tags go into the void, as in the plain StatsD protocol, their values are part of the name instead, the project
    first: else the gauges of all projects would overwrite each other.
    """
    tags = dict(zip(("project", *definition.tags), (project, *values), strict=True))
    if carries_tags():
        return f"{PREFIX}.{definition.name}", tags
    return ".".join([PREFIX, project, definition.name, *values]), tags


def carries_tags() -> bool:
    """Whether what Airflow sends metrics with has tags: DogStatsD, StatsD as InfluxDB has it, and OpenTelemetry."""
    from airflow.sdk import conf

    def is_on(option: str, *, otherwise: bool = False) -> bool:
        return bool(conf.getboolean("metrics", option, fallback=otherwise))

    if is_on("statsd_datadog_enabled"):
        return is_on("statsd_datadog_metrics_tags", otherwise=True)
    return is_on("statsd_influxdb_enabled") or not is_on("statsd_on")
