"""The steps of a round of label assist: what waits for labels, whom to ask about what, and whether to go on."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from custom_labels.assist.assist import (
    AfterAnswers,
    AfterAsking,
    AfterPlanning,
    AfterRound,
    AssistPlan,
    AssistRound,
    read_plan,
    why_ended,
)
from custom_labels.assist.assist_records import (
    RoundRecord,
    answers_to,
    read_asked,
    read_proposals,
    round_folder,
    save_asked,
)
from custom_labels.assist.assist_work import AnsweredRound, AskedRound, AssistOutcome, PlannedRound
from custom_labels.assist.pool_records import ImagePool
from custom_labels.assist.progress import RoundProgress, count_progress
from custom_labels.assist.results_records import TrainingResult, read_training
from custom_labels.assist.selection import select
from custom_labels.assist.settings import AssistSettings
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.outcome import Outcome
from custom_labels.core.settings_tasks import begin_run
from custom_labels.core.steps import deciding_fan_out, decision
from custom_labels.deployment.deployment import Units
from custom_labels.detection.autostart_operator import why_not_autostarted
from custom_labels.detection.detect_tasks import units_before
from custom_labels.detection.detection import first_request
from custom_labels.detection.inbox_records import delete_batches, work_folder, write_batches
from custom_labels.detection.work import EXAMPLES, BatchResult, VersionToStart
from custom_labels.errors import NotPermitted
from custom_labels.review.review import Purpose, ReviewRequest
from custom_labels.review.review_tasks import open_reviews
from custom_labels.review.waiting_records import WaitingReviews
from custom_labels.training.training_records import change_trainings
from custom_labels.training.trainings import TrainingHold

log = logging.getLogger(__name__)

SPARE = timedelta(hours=2)
"""How much longer trainings are held back than people are waited for: then the round's own training has begun."""


# -- what waits for labels -----------------------------------------------------------------------------


@deciding_fan_out("batches")
def plan_round(ctx: ProjectContext) -> PlannedRound:
    """See which images of the folder nobody has labelled, and share out those that the live version is to look at."""
    settings, plan = begin_run(ctx, AssistSettings), read_plan(ctx.run.params)
    _require_reviewers(ctx, settings)
    name, number = _name(ctx), int(ctx.param("round") or 1)
    begun_at = (ctx.run.started_at or datetime.now(UTC)).isoformat(timespec="seconds")
    blank = PlannedRound(settings, AfterPlanning.END, name, number, begun_at, round_folder(name, number))
    live = ctx.registry.live()
    status = ctx.rekognition.describe_version(live.project_arn, live.version_name) if live else None
    if live is None or status is None:
        detail = "no version was deployed yet: label a few images and run the train DAG first"
        return replace(blank, outcome=Outcome.NOTHING_SERVES, detail=detail)
    start = None
    if status.status != "RUNNING":
        if why := why_not_autostarted(ctx, settings, status.status):
            detail = f"version {live.version_name} is {status.status or 'gone'}, not RUNNING, and {why}"
            return replace(blank, outcome=Outcome.NOTHING_SERVES, detail=detail)
        start = VersionToStart(live.project_arn, live.version_name, units_before(ctx, settings, live))
    units = start.units if start else Units.of(status.raw)
    return _plan_images(ctx, plan, replace(blank, start=start), live, units.minimum)


def _name(ctx: ProjectContext) -> str:
    """Give the name of the assist: of a first round that of its run, the same at every try."""
    return str(ctx.param("assist") or "") or (
        f"{ctx.run.when:%Y%m%dt%H%M%S}-{hashlib.sha256(ctx.owner.encode()).hexdigest()[:12]}"
    )


def _require_reviewers(ctx: ProjectContext, settings: AssistSettings) -> None:
    """Stop where nobody could answer.

    :raises NotPermitted: the project has no reviewers, or reviews are off.
    """
    if ctx.project.review is None:
        raise NotPermitted(
            f"Nobody can label images of project '{ctx.project.name}': {ctx.project.name}.yaml has no 'review'. Name a "
            "review backend there, run the bootstrap DAG, and trigger this DAG again."
        )
    if not settings.enable_a2i_workflow:
        variable = ctx.project.variable("enable_a2i_workflow")
        raise NotPermitted(
            f"Nobody is asked about images of project '{ctx.project.name}': Variable '{variable}' is off. Switch it on "
            "under Admin > Variables, and trigger this DAG again."
        )


def _plan_images(
    ctx: ProjectContext, plan: AssistPlan, blank: PlannedRound, live: LiveVersion, units: int
) -> PlannedRound:
    """List the folder, and share out what is to be detected."""
    work, most, workers = work_folder(ctx.owner), blank.settings.detection_batch_images, ctx.project.detection_workers
    with (
        tempfile.TemporaryDirectory(prefix="custom-labels-") as folder,
        ImagePool(ctx.store, Path(folder) / "pool.db", ctx.project.name) as pool,
    ):
        pool.fill(plan.prefix, plan.candidates)
        images, waiting, listed = len(pool), pool.waiting, pool.listed
        if ctx.param("dry_run"):
            return replace(blank, outcome=Outcome.PLANNED, detail=_dry_run(plan, listed, waiting, images))
        if not images:
            found = f"{listed} images, and people answered about all of them" if listed else "no image"
            detail = f"below {ctx.store.uri(plan.prefix)} there is {found}"
            return replace(blank, outcome=Outcome.NOTHING_TO_LABEL, detail=detail)
        batches = write_batches(ctx.store, work, pool, live, units, most=most, workers=workers)
    begun = AssistRound(
        blank.number,
        blank.begun_at,
        live.version_name,
        live.f1,
        waiting,
        least_overlap=blank.settings.minimum_box_overlap,
    )
    _record(ctx, blank).begin(plan, ctx.run_name, begun)
    log.info("%s images, %s without an answer, %s of them are detected.", listed, waiting, images)
    choice = AfterPlanning.START if blank.start else AfterPlanning.DETECT
    return replace(blank, choice=choice, batches=batches, work=work, images=images)


def _dry_run(plan: AssistPlan, listed: int, waiting: int, images: int) -> str:
    asked = min(plan.images_a_round, images)
    return (
        f"{listed} images, {waiting} of them without an answer: the live version would look at {images}, and people at "
        f"{asked} of these, in up to {plan.rounds} rounds with a training after each"
    )


# -- whom to ask about what ----------------------------------------------------------------------------


@decision
def ask_people(ctx: ProjectContext, planned: PlannedRound, proposed: Sequence[BatchResult]) -> AskedRound:
    """Choose the images that people label, show them what the model proposes, and open their reviews.

    What is chosen is on record before anything is opened, so that a second try asks about the same images.
    """
    plan, settings = read_plan(ctx.run.params), planned.settings
    asked = save_asked(ctx.store, planned.folder, _choose(ctx, plan, planned))
    counts: Counter[str] = Counter()
    for each in proposed:
        counts.update(each.counts)
    failed = sum(counts[name] for name in ("failed", "unreadable", "gone"))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    round_ = _record(ctx, planned).change(
        lambda known: replace(known, asked=len(asked), failed=failed, asked_at=known.asked_at or now)
    )
    until = datetime.fromisoformat(round_.asked_at) + timedelta(hours=plan.wait_hours)
    examples = tuple(example for each in proposed for example in each.examples)[:EXAMPLES]
    if any(batch.items is None for batch in planned.batches):
        delete_batches(ctx.store, planned.work)
    if not asked:
        return AskedRound(AfterAsking.END, 0, until.isoformat(), examples)
    hold = TrainingHold(_held_by(planned), (until + SPARE).isoformat())
    change_trainings(ctx.store, lambda trainings: replace(trainings, hold=hold))
    _let_wait(ctx, planned, asked, datetime.fromisoformat(round_.asked_at))
    open_reviews.function(ctx, settings)
    return AskedRound(AfterAsking.WAIT, len(asked), until.isoformat(), examples)


def _choose(ctx: ProjectContext, plan: AssistPlan, planned: PlannedRound) -> Iterator[ReviewRequest]:
    """Choose the images of a round, grouped by the label that the model proposes."""
    live = ctx.registry.live()
    vocabulary = live.labels if live else ()
    proposals = read_proposals(ctx.store, planned.folder, vocabulary)
    distinct = {each.detection.key: each for each in select(proposals, plan.strategy, plan.images_a_round)}
    chosen = sorted(distinct.values(), key=lambda each: (each.detection.label or "", each.place))
    reviewers, task = planned.settings.reviewers_per_image, ctx.project.task
    for each in chosen:
        yield first_request(ctx.project.name, each.detection, vocabulary, Purpose.DOUBT, reviewers, task)


def _let_wait(ctx: ProjectContext, planned: PlannedRound, asked: list[ReviewRequest], since: datetime) -> None:
    """Let the reviews wait to be opened, those of a label in a file, and so in a job where a backend opens many."""
    waiting = WaitingReviews(ctx.store)
    for number, (_, requests) in enumerate(groupby(asked, key=lambda each: each.label)):
        waiting.add(f"assist-{planned.assist}-{planned.number}-{number:03}", requests, since)


def _held_by(planned: PlannedRound) -> str:
    return f"label assist {planned.assist}"


# -- what they answered --------------------------------------------------------------------------------


@decision
def count_answers(ctx: ProjectContext, planned: PlannedRound) -> AnsweredRound:
    """Count what people made of the proposals, and let trainings begin again: first the round's own."""
    asked, since = read_asked(ctx.store, planned.folder) or [], datetime.fromisoformat(planned.begun_at)
    lines = answers_to(ctx.store, asked, since)
    progress = count_progress(len(asked), lines, planned.settings.minimum_box_overlap)
    _record(ctx, planned).change(lambda known: replace(known, progress=progress))
    change_trainings(ctx.store, lambda trainings: trainings.release(_held_by(planned)))
    log.info("%s", progress)
    choice = AfterAnswers.TRAIN if progress.labelled else AfterAnswers.END
    return AnsweredRound(choice, progress, f"assist__{planned.assist}__round_{planned.number}")


# -- whether to go on ----------------------------------------------------------------------------------


@decision
def finish(
    ctx: ProjectContext, planned: PlannedRound, asked: AskedRound | None, answered: AnsweredRound | None
) -> AssistOutcome:
    """Record how the round ended, and decide whether another one begins."""
    record = _record(ctx, planned)
    if planned.outcome is not None:
        ended = finish_run(ctx, planned.settings, planned.outcome, planned.detail)
        if not ctx.param("dry_run"):
            record.end(planned.detail)
        return AssistOutcome(**vars(ended))
    plan, live = read_plan(ctx.run.params), ctx.registry.live()
    round_ = replace(record.read(), **vars(_result(ctx, record.read(), answered)))
    is_deployed = live is not None and live.version_name == round_.trained
    why = why_ended(plan, round_, is_deployed=is_deployed)
    record.change(lambda _: round_, ended=why)
    outcome = Outcome.ASSIST_ENDED if why else Outcome.ASSIST_GOES_ON
    detail = why or f"round {round_.number} of {plan.rounds}, {round_.in_words}"
    ended = finish_run(ctx, planned.settings, outcome, detail, _facts(ctx, planned, round_, asked))
    if why:
        return AssistOutcome(**vars(ended))
    following = planned.number + 1
    run, params = f"{planned.assist}__round_{following}", plan.params(planned.assist, following)
    return AssistOutcome(**vars(ended), choice=AfterRound.NEXT, next_run=run, next_params=params)


def _result(ctx: ProjectContext, done: AssistRound, answered: AnsweredRound | None) -> TrainingResult:
    """Find out how the round's training ended, if there was one."""
    if answered is None:
        return TrainingResult(result="no image could be asked about")
    if answered.choice is AfterAnswers.END:
        return TrainingResult(result="nobody gave a label that can be trained on")
    return read_training(ctx.store, ctx.registry, f"{ctx.project.name}_train", answered.train_run, done.proposed_by)


def _record(ctx: ProjectContext, planned: PlannedRound) -> RoundRecord:
    return RoundRecord(ctx.store, planned.assist, planned.number)


def _facts(
    ctx: ProjectContext, planned: PlannedRound, done: AssistRound, asked: AskedRound | None
) -> dict[str, str | int]:
    progress = done.progress or RoundProgress()
    share, saved = progress.confirmed_share, progress.minutes_saved
    facts: dict[str, str | int] = {
        "Label assist": planned.assist,
        "Round": done.number,
        "Images without an answer": done.candidates,
        "Detected": planned.images,
        "Without a result": done.failed,
        "Asked about": done.asked,
        "Answered": progress.ended,
        "Kept as proposed": progress.kept,
        "Corrected": progress.corrected,
        "Nothing was proposed": progress.unproposed,
        "Undecided": progress.undecided,
        "Proposals that people kept": "" if share is None else f"{share:.0%}",
        "Minutes of people's time saved": "" if saved is None else f"{saved:.1f}",
        "Version": done.trained or "",
        "F1 before": f"{done.f1_before:.3f}",
        "F1": "" if done.f1 is None else f"{done.f1:.3f}",
        "F1 on the same images": " -> ".join(f"{f1:.3f}" for f1 in done.same_images or ()),
        "Training": done.result,
        "Page": f"/custom-labels/{ctx.project.name}/assist/{planned.assist}",
    }
    facts |= {f"Example {number}": text for number, text in enumerate(asked.examples if asked else (), start=1)}
    return {name: value for name, value in facts.items() if value != ""}
