"""The steps of the DAG that shows people a sample of all detections, and says how often the model is right."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_labels.core.context import ProjectContext, branch, step
from custom_labels.core.reporting_tasks import outcome
from custom_labels.detection.detection import Decision, Detection
from custom_labels.detection.doubts import first_request
from custom_labels.operations.audit import Accuracy, AuditSample, accuracy_alarm
from custom_labels.operations.audit_records import ACCURACY, draw, save_draw
from custom_labels.operations.audit_records import measure as measure_samples
from custom_labels.review.request_records import WaitingReviews
from custom_labels.review.review import Purpose, ReviewRequest
from custom_labels.review.untyped_review_tasks import dropped_facts, dropped_reviews

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=30)
"""A file of the log appears at most this long after the moment that its name says."""


@branch
def is_sampling_on(project: str, settings: dict[str, Any]) -> str:
    """Go on if human sampling is on, or if a person asks for it in the run's Params."""
    ctx = ProjectContext(project)
    if settings["enable_automatic_human_sampling"] or ctx.param("even_if_sampling_is_off"):
        return "measure"
    log.info("Variable '%s' is off.", ctx.project.variable("enable_automatic_human_sampling"))
    return "sampling_is_off"


@step
def sampling_is_off(project: str) -> dict[str, Any]:
    """Say that human sampling is off."""
    ctx = ProjectContext(project)
    variable = ctx.project.variable("enable_automatic_human_sampling")
    return outcome(ctx, "sampling_is_off", f"Variable '{variable}' is off")


@step
def measure(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Say how often each version was right, of the samples that people have answered; record it beside the F1."""
    ctx = ProjectContext(project)
    found = measure_samples(ctx.store)
    live = ctx.registry.live()
    overall = next((one for one in found if one.is_overall and live and one.version_name == live.version_name), None)
    alarm = accuracy_alarm(
        overall, minimum=settings["minimum_live_accuracy"], minimum_answers=settings["minimum_audit_answers"]
    )
    before, _ = ctx.store.read_json(ACCURACY)
    notified = (before or {}).get("notified")
    # The same answers are no news.
    news = {"version_name": overall.version_name, "answered": overall.answered} if overall and alarm else None
    ctx.store.write_json(
        ACCURACY,
        {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": _by_version(ctx, found),
            "notified": notified,
        },
    )
    for one in found:
        name = "all" if one.is_overall else f"said '{one.label}'" if one.label else "said nothing"
        log.info("%s, %s: %s", one.version_name, name, one.words)
    return {
        "alarm": alarm if news != notified else None,
        "news": news,
        "live": live.version_name if live else None,
        "f1": live.f1 if live else None,
        "words": overall.words if overall else "no samples yet",
    }


@step
def sample(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Pick every n-th detection since the last sample, whatever its confidence, and ask for its review.

    A sample is a review of its own, also of an image that is in doubt: the reviews of doubts are opened by doubt as
    far as the budget goes, and show the model's guess, so that their answers measure nothing.
    """
    ctx = ProjectContext(project)
    live = ctx.registry.live()
    drawn = draw(ctx.store, settings["human_sampling_interval"], datetime.now(UTC) - SETTLED)
    labels, reviewers = live.labels if live else (), settings["reviewers_per_image"]
    asked = [(each, first_request(project, each, labels, Purpose.AUDIT, reviewers)) for each in drawn.sampled]
    WaitingReviews(ctx.store).add(f"audit-{drawn.name}", (request for _, request in asked))
    save_draw(ctx.store, drawn, (_sample(detection, request) for detection, request in asked))
    log.info("%s of %s new detections are sampled.", len(drawn.sampled), drawn.detections)
    return {
        "sampled": len(drawn.sampled),
        "detections": drawn.detections,
        "seen": drawn.after.seen,
    }


@branch
def choose_outcome(measured: dict[str, Any], sampled: dict[str, Any]) -> str:
    """Put an alarm before everything else."""
    if measured["alarm"]:
        return "live_accuracy_low"
    return "sampled" if sampled["sampled"] else "nothing_to_sample"


@step
def live_accuracy_low(
    project: str, measured: dict[str, Any], sampled: dict[str, Any], opened: dict[str, Any]
) -> dict[str, Any]:
    """Say that the live version is right too seldom."""
    ctx = ProjectContext(project)
    accuracy, _ = ctx.store.read_json(ACCURACY)
    ctx.store.write_json(ACCURACY, {**(accuracy or {}), "notified": measured["news"]})
    facts = {**_facts(ctx, measured, sampled, opened), "Setting": ctx.project.variable("minimum_live_accuracy")}
    return outcome(ctx, "live_accuracy_low", measured["alarm"] + dropped_reviews(opened), facts)


@step
def sampled(project: str, measured: dict[str, Any], sampled: dict[str, Any], opened: dict[str, Any]) -> dict[str, Any]:
    """Say what was sampled."""
    detail = f"{sampled['sampled']} of {sampled['detections']} new detections go to people{dropped_reviews(opened)}"
    ctx = ProjectContext(project)
    return outcome(ctx, "sampled", detail, _facts(ctx, measured, sampled, opened))


@step
def nothing_to_sample(
    project: str,
    settings: dict[str, Any],
    measured: dict[str, Any],
    sampled: dict[str, Any],
    opened: dict[str, Any],
) -> dict[str, Any]:
    """Say that too few detections came in since the last sample."""
    ctx = ProjectContext(project)
    detail = (
        f"{sampled['seen']} detections since the last sample, "
        f"'{ctx.project.variable('human_sampling_interval')}' is {settings['human_sampling_interval']}"
    )
    detail += dropped_reviews(opened)
    return outcome(ctx, "nothing_to_sample", detail, _facts(ctx, measured, sampled, opened))


def _facts(
    ctx: ProjectContext, measured: dict[str, Any], sampled: dict[str, Any], opened: dict[str, Any]
) -> dict[str, Any]:
    f1 = "unknown" if measured["f1"] is None else f"{measured['f1']:.3f}"
    return {
        "Live version": measured["live"] or "none",
        "Live accuracy": measured["words"],
        "F1 of its training": f1,
        "Sampled": sampled["sampled"],
        "Reviews opened": opened["opened"],
        "Waiting for the day's budget": opened["waiting"],
        **({"Trouble while opening": opened["trouble"]} if opened["trouble"] else {}),
        **dropped_facts(ctx, opened),
    }


def _by_version(ctx: ProjectContext, found: list[Accuracy]) -> dict[str, Any]:
    """Put each version's accuracy, and that of each label it had said, next to its F1; also into its own record."""
    versions: dict[str, Any] = {}
    for one in found:
        entry = versions.setdefault(one.version_name, {"f1": None, "overall": None, "by_label": []})
        if one.is_overall:
            record = ctx.registry.version(one.version_name)
            entry["f1"] = record.get("evaluation", {}).get("f1")
            entry["overall"] = one.to_record()
            if record.get("live_accuracy") != one.to_record():
                ctx.registry.update_version(one.version_name, {"live_accuracy": one.to_record()})
        else:
            entry["by_label"].append(one.to_record())
    return versions


def _sample(detection: Detection, request: ReviewRequest) -> AuditSample:
    return AuditSample(
        review=request.name,
        image=detection.image,
        version_name=detection.version_name,
        label=detection.label,
        confidence=detection.confidence,
        is_doubtful=detection.decision is not Decision.ACCEPTED,
    )
