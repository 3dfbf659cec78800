"""The steps of the detect DAG: what there is to detect, and how the run ended."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from custom_labels.aws.hooks.queue import QueueHook
from custom_labels.aws.messages import Message
from custom_labels.core.batches import MOST_BATCHES
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.keys import INBOX
from custom_labels.core.label_settings import in_words, unknown_labels
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.metrics import EventCounter, Gauge, count, send_gauges
from custom_labels.core.outcome import Outcome
from custom_labels.core.queues import project_queue
from custom_labels.core.settings_tasks import begin_run
from custom_labels.core.steps import deciding_fan_out, decision, step
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.served_record import ServedRecord
from custom_labels.detection.autostart_operator import why_not_autostarted
from custom_labels.detection.detection import Decision
from custom_labels.detection.events import Announcement, PassedOver, read_event
from custom_labels.detection.inbox_records import Inbox, delete_batches, work_folder, write_batches
from custom_labels.detection.settings import DetectionSettings
from custom_labels.detection.work import (
    EXAMPLES,
    BatchResult,
    Collected,
    DetectionOutcome,
    NextStep,
    Rest,
    Summary,
    VersionToStart,
    WorkItem,
    group_announcements,
)
from custom_labels.errors import NothingToDo
from custom_labels.review.review_tasks import open_reviews

log = logging.getLogger(__name__)

MOST_MESSAGES = 5_000
LEAST_VISIBILITY = 900
COUNTED = (*Decision, "failed", "gone")
"""What may become of an image, as a metric counts it."""
START_SECONDS = 3_600
"""How long a version may take to start, by which the messages of the images that wait for it stay invisible longer."""


@deciding_fan_out("batches")
def collect(ctx: ProjectContext) -> Collected:
    """Read the settings, see whether a version serves, or may be started, and collect what there is to detect."""
    return collect_images(ctx, begin_run(ctx, DetectionSettings))


def collect_images(ctx: ProjectContext, settings: DetectionSettings) -> Collected:
    """See whether a version serves, or may be started; then collect what there is to detect.

    The queue is drained and, unless only the queue triggered the run, images without a result are listed. Where no
    version is going to serve nothing is taken from the queue. What a killed try had received comes again.
    """
    live = ctx.registry.live()
    if live is None:
        send_gauges(ctx, {Gauge.LIVE_UNITS: 0})
        live_uri = ctx.store.uri("registry/live.json")
        return Collected(settings, NextStep.FINISH, trouble=f"there is no {live_uri}: no version was deployed yet")
    described = ctx.rekognition.describe_version(live.project_arn, live.version_name)
    running = Units.of(described.raw).minimum if described.status == "RUNNING" else 0
    send_gauges(ctx, {Gauge.LIVE_F1: live.f1, Gauge.LIVE_UNITS: running})
    if running:
        return _collect_work(ctx, settings, live, running)
    if why := _why_not_started(ctx, settings, described.status):
        trouble = f"version {live.version_name} is {described.status or 'gone'}, not RUNNING, and {why}"
        return Collected(settings, NextStep.FINISH, trouble=trouble)
    units = units_before(ctx, settings, live)
    start = VersionToStart(live.project_arn, live.version_name, units)
    return _collect_work(ctx, settings, live, units.minimum, start)


def _why_not_started(ctx: ProjectContext, settings: DetectionSettings, status: str | None) -> str | None:
    """Explain why the version that serves is not started for images, ``None`` if it may be and some wait.

    A message alone is no reason to pay for a version: it may announce a folder marker, or an image that has its result.
    So one image without a result is searched for, which costs what a sweep does.
    """
    if why := why_not_autostarted(ctx, settings, status):
        return why
    with tempfile.TemporaryDirectory() as folder, Inbox(ctx.store, Path(folder) / "inbox.db", most=1) as inbox:
        inbox.sweep()
        if not len(inbox):
            return "no image waits for it"
    holder, _ = ctx.deployment_lock.read()
    if holder and holder.owner != ctx.owner and holder.expires_at > datetime.now(UTC):
        return f"a deployment is under way: {holder.owner}"
    return None


def units_before(ctx: ProjectContext, settings: DetectionSettings, live: LiveVersion) -> Units:
    """Give the inference units that a version had when it ran, else those of the settings."""
    record = ctx.registry.version(live.version_name, ServedRecord) or ServedRecord()
    return record.units_or(Units.wanted(settings.minimum_inference_units, settings.maximum_inference_units))


def _collect_work(
    ctx: ProjectContext,
    settings: DetectionSettings,
    live: LiveVersion,
    units: int,
    start: VersionToStart | None = None,
) -> Collected:
    """Find out what there is to detect, share it out in batches, and delete the messages that are of no more use.

    :param units: inference units that the version runs with, or is started with.
    :param start: the version, where it is to be started first.
    """
    is_swept = start is not None or not ctx.run.triggered_by_queue_only
    most_batch, work = settings.detection_batch_images, work_folder(ctx.owner)
    needed = max(LEAST_VISIBILITY, 2 * MOST_MESSAGES / settings.detections_per_unit_second)
    visibility = int(ctx.param("visibility_seconds") or needed) + (START_SECONDS if start else 0)
    most = ctx.param("maximum_images") or MOST_BATCHES * most_batch
    queue, drained = project_queue(ctx.project, "detections"), DrainedMessages(ctx)
    with tempfile.TemporaryDirectory() as folder, Inbox(ctx.store, Path(folder) / "inbox.db", most) as inbox:
        announced = group_announcements(drained.drain(queue, visibility) if queue else ())
        over = inbox.announce(announced, swept=is_swept)
        if is_swept:
            over += inbox.sweep()
            # Those that were announced lie there, too.
            drained.reasons[PassedOver.NOT_AN_IMAGE] = inbox.passed_over[PassedOver.NOT_AN_IMAGE]
        if queue:
            drained.settle(queue, over)
        workers = ctx.project.detection_workers
        batches = write_batches(ctx.store, work, inbox, live, units, most=most_batch, workers=workers)
    images = sum(batch.images for batch in batches)
    send_gauges(ctx, {Gauge.DETECTION_WAITING: images})
    log.info("%s images in %s batches; passed over: %s", images, len(batches), dict(drained.reasons))
    begin = NextStep.START if start else NextStep.DETECT
    return Collected(
        settings,
        choice=begin if batches else NextStep.FINISH,
        batches=batches,
        start=start,
        work=work,
        images=images,
        left=inbox.left,
        misspelt=_misspelt(ctx, settings, live),
        reasons={reason.value: count for reason, count in drained.reasons.items() if count},
        garbage=len(drained.garbage),
        dead_lettered=len(drained.garbage) if drained.dead_letters else 0,
        examples=tuple(f"a message: {why}" for _, why in drained.garbage[:EXAMPLES]),
    )


def _misspelt(ctx: ProjectContext, settings: DetectionSettings, live: LiveVersion) -> str:
    """Name the labels in settings that the version does not know, and so never finds; empty if there are none."""
    words = "; ".join(
        f"'{ctx.project.variable(setting)}' names labels that version {live.version_name} does not know: "
        f"{in_words(unknown, live.labels)}"
        for setting in ("label_detection_confidence", "expected_labels")
        if (unknown := unknown_labels(getattr(settings, setting), live.labels))
    )
    if not words:
        return ""
    log.warning("%s. Correct it under Admin > Variables, or in %s.yaml.", words, ctx.project.name)
    return words


class DrainedMessages:
    """The messages of a drain, sorted by what they announce."""

    def __init__(self, ctx: ProjectContext) -> None:
        self.ctx = ctx
        self.dead_letters = project_queue(ctx.project, "dead_letters")
        self.passed_over: list[Message] = []
        self.reasons: Counter[PassedOver] = Counter()
        self.garbage: list[tuple[Message, str]] = []

    def drain(self, queue: QueueHook, visibility: int) -> Iterator[tuple[Message, tuple[Announcement, ...]]]:
        """Drain the queue and give the messages that announce images.

        :param visibility: seconds for which no other consumer sees them.
        """
        store = self.ctx.store
        for message in queue.receive(MOST_MESSAGES, visibility):
            read = read_event(message.body, bucket=store.bucket, prefix=store.prefix)
            self.reasons.update(read.passed_over)
            if read.trouble:
                log.warning("Message %s: %s.", message.id, read.trouble)
                self.garbage.append((message, read.trouble))
            elif read.announcements:
                yield message, read.announcements
            else:
                log.info("Message %s: %s.", message.id, "; ".join(read.examples) or "no records")
                self.passed_over.append(message)

    def settle(self, queue: QueueHook, over: Iterable[WorkItem]) -> None:
        """Delete the messages that are of no more use; what is no event of the inbox goes to the dead-letter queue.

        Without such a queue it stays where it is.

        :param over: items of which nothing is left to do.
        """
        done = [*self.passed_over, *(message for item in over for message in item.messages)]
        if self.dead_letters is not None:
            for message, why in self.garbage:
                self.dead_letters.send(message.body, {"reason": why})
                done.append(message)
        queue.delete(done)
        if outside := self.reasons[PassedOver.OUTSIDE]:
            log.warning(
                "%s objects outside %s were announced, such as what the project writes itself. Give the bucket's "
                "notification to 'queues.detections' that prefix; %s_bootstrap names the one that is wrong.",
                outside,
                self.ctx.store.uri(INBOX),
                self.ctx.project.name,
            )


@decision
def finish(ctx: ProjectContext, collected: Collected, detected: Sequence[BatchResult] | None) -> DetectionOutcome:
    """Open the reviews that wait, and record what became of the images.

    One task does both: a second try finds the reviews that the first one opened by their names, and records the same.
    That no version serves is notified once, not at every run.
    """
    settings = collected.settings
    if collected.trouble:
        detail = f"{collected.trouble}; new images wait"
        _require_news(ctx, detail)
        return DetectionOutcome(**vars(finish_run(ctx, settings, Outcome.NOTHING_SERVES, detail)))
    opened = open_reviews.function(ctx, settings)
    summary = Summary.of(collected, detected or (), opened)
    ended = finish_run(ctx, settings, summary.outcome, summary.detail, summary.facts(ctx.project.variable))
    if any(batch.items is None for batch in collected.batches):
        delete_batches(ctx.store, collected.work)
    _send_metrics(ctx, summary)
    return DetectionOutcome(**vars(ended), choice=Rest.SOME if collected.left else Rest.NONE)


def _send_metrics(ctx: ProjectContext, summary: Summary) -> None:
    for became in COUNTED:
        count(ctx, EventCounter.DETECTION_IMAGES, summary.counts[became], became)
    send_gauges(ctx, {Gauge.DETECTION_RATE: summary.calls_a_second or None})


def _require_news(ctx: ProjectContext, detail: str) -> None:
    """Skip the end of a run that is the end of the run before.

    :raises NothingToDo: it is.
    """
    before = ctx.registry.last_run(ctx.run.dag_id)
    is_same = (before.get("outcome"), before.get("detail")) == (Outcome.NOTHING_SERVES, detail)
    if is_same and before.get("run") != ctx.run_name:
        ctx.note(f"Still: {detail}.")
        raise NothingToDo(f"That was notified by run '{before.get('run')}' and has not changed since.")


@step
def go_on_detecting(ctx: ProjectContext, collected: Collected) -> None:
    """Trigger the next run: there are more images than one run takes."""
    ctx.describe_event(detected=collected.images)
    log.info("Images of project '%s' are left for another run.", ctx.project.name)
