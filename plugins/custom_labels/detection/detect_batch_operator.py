"""The operator that detects one batch of images, chunk by chunk, and goes on from where it was however it ended."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.aws.inference import EndpointUnavailable, Prediction, PredictionStatus
from custom_labels.aws.messages import Message
from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.names import review_name
from custom_labels.core.queues import project_queue
from custom_labels.core.settings import Settings
from custom_labels.core.settings_tasks import settings_of
from custom_labels.detection.detection import Decision, Detection, Thresholds, decide
from custom_labels.detection.doubts import first_request
from custom_labels.detection.live_version_client import LiveVersionClient
from custom_labels.detection.log_records import write_log
from custom_labels.detection.result_records import save_result
from custom_labels.detection.work import WorkItem, chunks
from custom_labels.detection.work_records import LEFT, DetectionWork, Progress
from custom_labels.review.request_records import WaitingReviews
from custom_labels.review.review import Purpose, ReviewRequest

if TYPE_CHECKING:
    from airflow.sdk import Context

CHUNKS_AT_ONCE = 3
"""Chunks that are detected or written at the same time: while one is written the next ones are detected."""
WRITERS = 16
TRIES = 3
"""Deliveries of a message after which an image that fails is a matter for people."""
EXAMPLES = 5


class DetectBatchOperator(BaseOperator):
    """Put a batch of images to the live version and write a result for each. XCom: the batch's progress.

    While nothing can be done - the version is refused or answers nothing - it holds no worker slot.

    :param project: name of the project.
    :param settings: what ``load_settings`` returned (templated).
    :param batch: its ``run``, ``number`` and ``workers``, as ``collect`` returned it (templated).
    """

    pause_seconds: ClassVar[float] = 60
    """Between two tries while nothing can be done."""
    patience_seconds: ClassVar[float] = 1800
    """Without one finished chunk in this time the task fails."""
    template_fields: Sequence[str] = ("project", "settings", "batch")
    ui_color = "#e7f0fa"

    def __init__(
        self,
        *,
        project: str,
        settings: dict[str, Any],
        batch: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.settings = settings
        self.batch = batch

    def execute(self, context: Context) -> dict[str, Any]:
        """Detect what is left of the batch."""
        ctx = ProjectContext(self.project, context)
        work = DetectionWork(ctx.store, str(self.batch["run"]))
        number = int(self.batch["number"])
        try:
            progress = Batch(ctx, settings_of(self.settings), work, number).finish(int(self.batch["workers"]))
        except EndpointUnavailable as error:
            if not is_stopped_by_guard(ctx):
                self.wait(work, number, error)
            self.log.warning("The cost guard stopped the live version; the rest waits until it runs: %s.", error)
            progress = self._leave_rest(work.progress(number))
        self.log.info("Batch %s: %s.", number, progress.counts)
        return to_json(progress)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Go on after a pause."""
        return self.execute(context)

    def _leave_rest(self, progress: Progress) -> Progress:
        """Count the images that a later run finds again."""
        done = sum(number for name, number in progress.counts.items() if name not in _COUNTED_TWICE)
        return replace(progress, counts={**progress.counts, LEFT: int(self.batch["images"]) - done})

    def wait(self, work: DetectionWork, number: int, error: EndpointUnavailable) -> NoReturn:
        """Give the worker slot up for a while, or give up for good."""
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

        progress = work.progress(number)
        now = time.time()
        since = progress.waiting_since or now
        if now - since >= self.patience_seconds:
            work.save_progress(number, progress.waiting(None))
            raise AirflowFailException(
                f"Batch {number} cannot go on since {self.patience_seconds / 60:.0f} minutes: {error}. "
                f"{work.store.uri('registry/live.json')} names the version that should answer. Look at its status in "
                "the Custom Labels console and start it, or run the train DAG; then clear this task, or wait for the "
                "next run: what is not detected is found again."
            )
        self.log.warning("Going on in %s s: %s.", self.pause_seconds, error)
        work.save_progress(number, progress.waiting(since))
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=self.pause_seconds)),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.pause_seconds + 600),
        )


def is_stopped_by_guard(ctx: ProjectContext) -> bool:
    """Whether the cost guard stopped the version that serves, so that to wait for it is of no use."""
    live, stopped = ctx.registry.live(), ctx.registry.service().get("stopped")
    return bool(live and stopped and stopped["version_name"] == live.version_name)


class Batch:
    """One batch on its way.

    :param work: the run's work; ``number`` is the batch's in it.
    """

    def __init__(self, ctx: ProjectContext, settings: Settings, work: DetectionWork, number: int) -> None:
        self.ctx = ctx
        self.settings = settings
        self.work = work
        self.number = number
        self.progress = work.progress(number)
        self.reviews = WaitingReviews(ctx.store)
        self._queue = project_queue(ctx.project, "detections")
        self._dead_letters = project_queue(ctx.project, "dead_letters")
        self._writers = ThreadPoolExecutor(WRITERS)
        self._marked_at = time.monotonic()

    def finish(self, workers: int) -> Progress:
        """Detect the chunks that are not written yet, several at a time, and write them one by one.

        :raises EndpointUnavailable: the live version does not answer; what is written stays written.
        """
        left = islice(chunks(self.work.batch(self.number)), self.progress.chunks, None)
        chunk = next(left, None)
        if chunk is None:
            return self.progress
        client = LiveVersionClient(self.ctx, self.settings, workers)
        with (
            self._writers,
            ThreadPoolExecutor(1) as finishing,
            ThreadPoolExecutor(client.threads) as asking,
        ):
            pending: deque[Future[None]] = deque()
            try:
                while chunk is not None:
                    client.follow()
                    found = [asking.submit(client.detect, image) for item in chunk for image in item.images]
                    pending.append(finishing.submit(self._finish_chunk, chunk, found, client))
                    if len(pending) >= CHUNKS_AT_ONCE:
                        pending.popleft().result()
                    chunk = next(left, None)
                while pending:
                    pending.popleft().result()
            except BaseException:
                client.stop()
                raise
        self.work.delete_batch(self.number)
        return self.progress

    def _finish_chunk(
        self, chunk: list[WorkItem], asked: list[Future[Prediction[LiveVersion]]], client: LiveVersionClient
    ) -> None:
        """Wait for a chunk's answers and write it, unless one before it could not be written."""
        try:
            found = {answer.image: answer for answer in (future.result() for future in asked)}
            counts, examples = self._write(chunk, found)
        except BaseException:
            client.stop()
            raise
        seconds, self._marked_at = time.monotonic() - self._marked_at, time.monotonic()
        self.progress = replace(
            self.progress,
            chunks=self.progress.chunks + 1,
            counts=dict(Counter(self.progress.counts) + counts),
            examples=(*self.progress.examples, *examples)[:EXAMPLES],
            calls=self.progress.calls + client.take_calls(),
            seconds=self.progress.seconds + seconds,
            waiting_since=None,
        )
        self.work.save_progress(self.number, self.progress)

    def _write(
        self, chunk: list[WorkItem], found: dict[InferenceImage, Prediction[LiveVersion]]
    ) -> tuple[Counter[str], list[str]]:
        """Write a chunk, in an order in which a result never lacks its log line, its review, or comes twice."""
        name = f"{self.work.run}-{self.number:04}-{self.progress.chunks:04}"
        detections = [self._decide(answer) for answer in found.values() if answer.status in _WITH_RESULT]
        if detections:
            write_log(self.ctx.store, name, (detection for detection, _ in detections))
        self.reviews.add(name, (request for _, request in detections if request is not None))
        written = self._writers.map(lambda each: save_result(self.ctx.store, each[0]), detections)
        counts = Counter(str(detection.decision) for detection, _ in detections)
        counts["repeated"] = sum(not is_new for is_new in written)
        counts["gone"] = sum(answer.status is PredictionStatus.GONE for answer in found.values())
        counts["failed"] = sum(answer.status is PredictionStatus.FAILED for answer in found.values())
        counts["dead_lettered"] = self._settle_messages(chunk, found)
        in_trouble = [
            a
            for status in (PredictionStatus.FAILED, PredictionStatus.UNREADABLE)
            for a in found.values()
            if a.status is status
        ]
        examples = [f"{answer.image.key}: {answer.message}" for answer in in_trouble]
        return counts, examples

    def _decide(self, answer: Prediction[LiveVersion]) -> tuple[Detection, ReviewRequest | None]:
        """Make an image's result, and the request for its review if it is doubtful."""
        settings, image, version = self.settings, answer.image, answer.version
        minimum = settings.minimum_label_detection_confidence
        if answer.status is PredictionStatus.UNREADABLE:
            decision, reason = Decision.UNREADABLE, answer.message
        else:
            thresholds = Thresholds(minimum, settings.label_detection_confidence)
            decision, minimum, reason = decide(answer.labels, thresholds, review_is_on=settings.enable_a2i_workflow)
        review = None
        if decision is Decision.REVIEW:
            review = review_name(self.ctx.project.name, image.key, image.etag, 1)
        detection = Detection(
            image=self.ctx.store.uri(image.key),
            key=image.key,
            etag=image.etag,
            version_name=version.version_name,
            version_arn=version.version_arn,
            detected_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            labels=answer.labels,
            minimum_confidence=minimum,
            decision=decision,
            reason=reason,
            review=review,
        )
        if review is None:
            return detection, None
        reviewers = settings.reviewers_per_image
        return detection, first_request(self.ctx.project.name, detection, version.labels, Purpose.DOUBT, reviewers)

    def _settle_messages(self, chunk: list[WorkItem], found: dict[InferenceImage, Prediction[LiveVersion]]) -> int:
        """Delete the messages whose images are all done; hand those that failed too often to people.

        :return: how many were handed to people.
        """
        done: list[Message] = []
        handed = 0
        for item in chunk:
            failed = [found[image] for image in item.images if found[image].status is PredictionStatus.FAILED]
            for message in item.messages:
                if failed and not self._hand_over(message, failed[0]):
                    continue
                handed += bool(failed)
                done.append(message)
        if done and self._queue is not None:
            self._queue.delete(done)
        return handed

    def _hand_over(self, message: Message, failed: Prediction[LiveVersion]) -> bool:
        """Send a message that failed too often to the dead-letter queue; give whether that was done."""
        if message.receive_count < TRIES or self._dead_letters is None:
            return False
        self._dead_letters.send(message.body, {"reason": failed.message, "key": failed.image.key})
        return True


_COUNTED_TWICE = frozenset({"repeated", "dead_lettered"})
_WITH_RESULT = frozenset({PredictionStatus.ANSWERED, PredictionStatus.UNREADABLE})
