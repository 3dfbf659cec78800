"""The steps of the DAG that shows people a sample of all detections, and says how often the model is right."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.metrics import Gauge, send_gauges
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.steps import step
from custom_labels.deployment.service import Notice
from custom_labels.detection.detection import Decision, first_request
from custom_labels.errors import NothingToDo
from custom_labels.operations.audit import (
    Accuracy,
    AccuracyFile,
    AuditSample,
    Measured,
    Sampled,
    VersionAccuracy,
    accuracy_alarm,
)
from custom_labels.operations.audit_records import draw, read_accuracy, save_draw, write_accuracy
from custom_labels.operations.audit_records import measure as measure_samples
from custom_labels.operations.settings import AuditSettings
from custom_labels.operations.suspect_records import suspects_to_ask
from custom_labels.operations.versions import RecordedVersion
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.review import Purpose
from custom_labels.review.waiting_records import WaitingReviews
from custom_labels.training.inspected_records import newest_inspection

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=30)
"""A file of the log appears at most this long after the moment that its name says."""


def is_sampling_on(ctx: ProjectContext, settings: AuditSettings) -> bool:
    """Whether human sampling is on, or a person asks for it in the run's Params."""
    return settings.enable_automatic_human_sampling or bool(ctx.param("even_if_sampling_is_off"))


def _is_needed(ctx: ProjectContext, settings: AuditSettings) -> bool:
    """Whether the run has anything to ask people about."""
    return is_sampling_on(ctx, settings) or bool(ctx.param("doubtful_labels"))


@step
def measure(ctx: ProjectContext, settings: AuditSettings) -> Measured:
    """Say how often each version was right, of the samples that people have answered; record it beside the F1."""
    if not _is_needed(ctx, settings):
        raise NothingToDo("Sampling is off.")
    found = measure_samples(ctx.store)
    before = read_accuracy(ctx.store)
    for one in found:
        name = "all" if one.is_overall else f"predicted '{one.label}'" if one.label else "predicted nothing"
        log.info("%s, %s: %s", one.version_name, name, one.words)
    versions = _by_version(ctx, found, before)
    notified = before.notified if before else None
    if before is None or versions != before.versions:
        write_accuracy(ctx.store, AccuracyFile(datetime.now(UTC), versions, notified))
    live = ctx.registry.live()
    overall = next((one for one in found if one.is_overall and live and one.version_name == live.version_name), None)
    if overall is None:
        return Measured(live, "no samples yet")
    send_gauges(ctx, {Gauge.LIVE_ACCURACY: overall.share, Gauge.LIVE_ANSWERS: overall.answered})
    alarm = accuracy_alarm(
        overall, minimum=settings.minimum_live_accuracy, minimum_answers=settings.minimum_audit_answers
    )
    notice = Notice(overall.version_name, overall.answered)
    if alarm is None or notice == notified:
        return Measured(live, overall.words)
    return Measured(live, overall.words, alarm, notice)


def _by_version(ctx: ProjectContext, found: list[Accuracy], before: AccuracyFile | None) -> dict[str, VersionAccuracy]:
    """Put each version's accuracy, and that of each label that it predicted, next to its F1; also into its record."""
    versions = {}
    for one in (each for each in found if each.is_overall):
        name, known = one.version_name, before.versions.get(one.version_name) if before else None
        if known is None or known.overall != one:
            record = ctx.registry.change_version(name, RecordedVersion, partial(replace, live_accuracy=one))
            known = VersionAccuracy(record.evaluation.f1 if record.evaluation else None, one)
        labels = tuple(each for each in found if each.version_name == name and not each.is_overall)
        versions[name] = replace(known, by_label=labels)
    return versions


@step
def sample(ctx: ProjectContext, settings: AuditSettings, measured: Measured) -> Sampled:
    """Pick every n-th detection since the last sample, whatever its confidence, and ask for its review.

    A sample is a review of its own, also of an image that is in doubt: the reviews of doubts are opened by doubt as
    far as the budget goes, and show the model's guess, so that their answers measure nothing.
    """
    suspects = _ask_about_suspects(ctx, settings)
    if not is_sampling_on(ctx, settings):
        return Sampled(0, 0, 0, suspects)
    drawn = draw(ctx.store, settings.human_sampling_interval, datetime.now(UTC) - SETTLED)
    labels, reviewers = measured.live.labels if measured.live else (), settings.reviewers_per_image
    name, task = ctx.project.name, ctx.project.task
    asked = [(each, first_request(name, each, labels, Purpose.AUDIT, reviewers, task)) for each in drawn.sampled]
    WaitingReviews(ctx.store).add(f"audit-{drawn.name}", (request for _, request in asked))
    samples = [
        AuditSample(
            request.name,
            each.image,
            each.version_name,
            each.label,
            each.confidence,
            is_doubtful=each.decision is not Decision.ACCEPTED,
            found=each.counted if task.has_several else None,
        )
        for each, request in asked
    ]
    save_draw(ctx.store, drawn, samples)
    log.info("%s of %s new detections are sampled.", len(drawn.sampled), drawn.detections)
    ctx.describe_event(sampled=len(drawn.sampled), detections=drawn.detections)
    return Sampled(len(drawn.sampled), drawn.detections, drawn.after.seen, suspects)


def _ask_about_suspects(ctx: ProjectContext, settings: AuditSettings) -> int:
    """Let reviews of doubtful labels wait to be opened, as many as the run's Param asks for."""
    most = int(ctx.param("doubtful_labels") or 0)
    found = newest_inspection(ctx.store) if most else None
    if found is None:
        return 0
    project, task = ctx.project.name, ctx.project.task
    requests = suspects_to_ask(ctx.store, project, task, found, most, settings.reviewers_per_image)
    WaitingReviews(ctx.store).add(f"labels-{found.digest[:32]}", requests)
    log.info("%s images with doubtful labels are shown to people.", len(requests))
    return len(requests)


@step
def finish(
    ctx: ProjectContext,
    settings: AuditSettings,
    measured: Measured | None,
    sampled: Sampled | None,
    opened: OpenedReviews | None,
) -> RunOutcome:
    """Say that the live version is right too seldom, else what was sampled, or why nothing was."""
    variable = ctx.project.variable
    if not _is_needed(ctx, settings):
        detail = f"Variable '{variable('enable_automatic_human_sampling')}' is off"
        return finish_run(ctx, settings, Outcome.SAMPLING_IS_OFF, detail)
    if measured is None or sampled is None or opened is None:
        raise NothingToDo("A task before this one was marked by hand: how the run ended is not known.")
    facts = _facts(ctx, measured, sampled, opened)
    if measured.alarm is not None:
        facts |= {"Setting": variable("minimum_live_accuracy")}
        ended = finish_run(ctx, settings, Outcome.LIVE_ACCURACY_LOW, measured.alarm + opened.dropped, facts)
        if (accuracy := read_accuracy(ctx.store)) is not None:
            write_accuracy(ctx.store, replace(accuracy, notified=measured.notice))
        return ended
    if sampled.words:
        return finish_run(ctx, settings, Outcome.SAMPLED, sampled.words + opened.dropped, facts)
    interval = f"'{variable('human_sampling_interval')}' is {settings.human_sampling_interval}"
    detail = f"{sampled.seen} detections since the last sample, {interval}{opened.dropped}"
    return finish_run(ctx, settings, Outcome.NOTHING_TO_SAMPLE, detail, facts)


def _facts(ctx: ProjectContext, measured: Measured, sampled: Sampled, opened: OpenedReviews) -> dict[str, Any]:
    return {
        "Live version": measured.live.version_name if measured.live else "none",
        "Live accuracy": measured.words,
        "F1 of its training": f"{measured.live.f1:.3f}" if measured.live else "unknown",
        "Sampled": sampled.sampled,
        **({"Doubtful labels": sampled.suspects} if sampled.suspects else {}),
        "Reviews opened": opened.opened,
        "Waiting for the day's budget": opened.waiting,
        **({"Trouble while opening": opened.trouble} if opened.trouble else {}),
        **opened.dropped_facts(ctx.project.variable),
    }
