"""The operator that detects one batch of images, and goes on from where it was however it ended.

Inference is billed by time, not by call: so a second try asks again about what has no result, and nothing else is kept
of how far a batch has come.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from airflow.sdk import BaseOperator, TriggerRule
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.aws.inference import EndpointUnavailable, Prediction, PredictionStatus
from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.messages import Message
from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.batch_files import take
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext, final
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.names import review_name
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.queues import project_queue
from custom_labels.core.settings import Project
from custom_labels.core.step_operators import write_event_facts
from custom_labels.core.steps import each_of
from custom_labels.datasets.annotations.annotation import ImageSize
from custom_labels.datasets.picture_records import read_image_size
from custom_labels.deployment.service_records import read_service
from custom_labels.detection.detection import Decided, Decision, Detection, decide, drawing_path, first_request
from custom_labels.detection.detection_records import read_result, save_result, write_log
from custom_labels.detection.doubt import DoubtRules
from custom_labels.detection.live_version_client import LiveVersionClient
from custom_labels.detection.settings import DetectionSettings
from custom_labels.detection.work import EXAMPLES, LEFT, BatchResult, DetectionBatch, WorkItem, chunks
from custom_labels.review.review import Purpose
from custom_labels.review.waiting_records import WaitingReviews

if TYPE_CHECKING:
    from airflow.sdk import Context

Asked = tuple[list[WorkItem], list[Detection], list[Future[Prediction[LiveVersion]]]]
"""A chunk without what has a result, these results, and the answers that are waited for."""
CHUNKS_AT_ONCE = 3
"""Chunks that are detected or written at the same time: while one is written the next ones are detected."""
WRITERS = 16
WITH_RESULT = frozenset({PredictionStatus.ANSWERED, PredictionStatus.UNREADABLE})
TRIES = 3
"""Deliveries of a message after which an image that fails is a matter for people."""


def detect_batches(
    project: Project, settings: DetectionSettings, batches: Sequence[DetectionBatch]
) -> Sequence[BatchResult]:
    """Add the mapped task that detects the batches of a run; give what stands for what became of them."""
    mapped = DetectBatchOperator.partial(
        task_id="detect_batch",
        project=project.name,
        settings=settings,
        pool=project.detection_pool,
        max_active_tis_per_dagrun=project.detection_workers,
        map_index_template="batch {{ task.batch.number }}: {{ task.batch.images }} images",
        trigger_rule=TriggerRule.NONE_FAILED,
    ).expand(batch=each_of(batches))
    return cast("Sequence[BatchResult]", mapped.output)


class DetectBatchOperator(BaseOperator):
    """Put a batch of images to the live version and write a result for each. XCom: what became of them.

    While nothing can be done - the version is refused or answers nothing - it holds no worker slot. A second try, and
    a task that goes on after such a pause, pass over the images that have a result.

    :param project: name of the project.
    :param settings: the run's settings, as :class:`DetectionSettings` (templated).
    :param batch: the batch, as :class:`DetectionBatch` (templated).
    """

    pause_seconds: ClassVar[float] = 60
    """Between two tries while nothing can be done."""
    patience_seconds: ClassVar[float] = 1800
    """Without one chunk that the version answers in this time the task fails."""
    template_fields: Sequence[str] = ("project", "settings", "batch")
    ui_color = "#e7f0fa"

    def __init__(self, *, project: str, settings: Any, batch: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.settings = settings
        self.batch = batch

    def execute(self, context: Context) -> dict[str, Any]:
        """Detect what is left of the batch."""
        return self.detect(context)

    def execute_complete(
        self,
        context: Context,
        event: Any = None,  # noqa: ARG002
        waiting_since: float | None = None,
    ) -> dict[str, Any]:
        """Go on after a pause.

        :param waiting_since: seconds since the epoch; ``None`` under ``dag.test()``, which hands on the event alone.
        """
        return self.detect(context, is_resumed=True, waiting_since=waiting_since)

    @final
    def detect(
        self, context: Context, *, is_resumed: bool = False, waiting_since: float | None = None
    ) -> dict[str, Any]:
        """Detect the batch, or as much of it as can be.

        :param is_resumed: whether it goes on after a pause.
        :param waiting_since: since when nothing could be done.
        """
        ctx = ProjectContext(self.project, context)
        require_inputs(self.task_id, {"settings": self.settings, "batch": self.batch})
        work = self.work_of(ctx)
        try:
            work.finish(is_repeated=is_resumed or ctx.run.is_repeated)
        except EndpointUnavailable as error:
            if not is_stopped_by_guard(ctx):
                self.wait(work, None if work.chunks_answered else waiting_since, error)
            self.log.warning("The cost guard stopped the live version; the rest waits until it runs: %s.", error)
            work.leave_rest()
        self.log.info("Batch %s: %s.", work.batch.number, dict(work.counts))
        ctx.describe_event(images=work.batch.images, version=work.batch.version.version_name)
        write_event_facts(context, self, ctx)
        return to_json(work.result())

    def work_of(self, ctx: ProjectContext) -> BatchWork:
        """Give what detects the batch and writes what comes of it."""
        return BatchWork(ctx, from_json(DetectionSettings, self.settings), from_json(DetectionBatch, self.batch))

    def wait(self, work: BatchWork, since: float | None, error: EndpointUnavailable) -> NoReturn:
        """Give the worker slot up for a while, or give up for good."""
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

        now = time.time()
        waiting_since = since or now
        if now - waiting_since >= self.patience_seconds:
            raise AirflowFailException(
                f"Batch {work.batch.number} cannot go on since {self.patience_seconds / 60:.0f} minutes: {error}. "
                f"{work.ctx.store.uri('registry/live.json')} names the version that should answer. Look at its status "
                "in the Custom Labels console and start it, or run the train DAG; then clear this task, or wait for "
                "the next run: what is not detected is found again."
            )
        self.log.warning("Going on in %s s: %s.", self.pause_seconds, error)
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=self.pause_seconds)),
            method_name="execute_complete",
            kwargs={"waiting_since": waiting_since},
            timeout=timedelta(seconds=self.pause_seconds + 600),
        )


def is_stopped_by_guard(ctx: ProjectContext) -> bool:
    """Whether the cost guard stopped the version that serves, so that to wait for it is of no use."""
    live = ctx.registry.live()
    return live is not None and read_service(ctx.store).has_stopped(live.version_name)


class BatchWork:
    """One batch on its way: chunks of it are detected by many threads, several at a time, and written one by one."""

    def __init__(self, ctx: ProjectContext, settings: DetectionSettings, batch: DetectionBatch) -> None:
        self.ctx = ctx
        self.settings = settings
        self.batch = batch
        self.counts: Counter[str] = Counter()
        self.chunks_answered = 0
        self._examples: list[str] = []
        self._calls = 0
        self._seconds = 0.0
        self._rules = DoubtRules.of(ctx.project.task, settings)
        self._queue = project_queue(ctx.project, "detections")
        self._dead_letters = project_queue(ctx.project, "dead_letters")
        self._writers = ThreadPoolExecutor(WRITERS)

    def result(self) -> BatchResult:
        """Give what became of the images."""
        return BatchResult(dict(self.counts), tuple(self._examples), self._calls, self._seconds)

    def leave_rest(self) -> None:
        """Count the images that a later run finds again."""
        done = sum(number for name, number in self.counts.items() if name not in {"repeated", "dead_lettered"})
        self.counts[LEFT] = self.batch.images - done

    def finish(self, *, is_repeated: bool) -> None:
        """Detect all that is left of the batch.

        :param is_repeated: whether some images may have their results already.
        :raises EndpointUnavailable: the live version does not answer; what is written stays written.
        """
        client = LiveVersionClient(self.ctx, self.settings, self.batch)
        begun = time.monotonic()
        pending: deque[Asked] = deque()
        with self._writers, ThreadPoolExecutor(client.threads) as asking:
            try:
                items = take(self.ctx.store, self.batch.key, self.batch.items, WorkItem)
                for number, chunk in enumerate(chunks(items)):
                    if number or is_repeated:
                        client.follow()
                    done = self.find_done(chunk) if is_repeated else {}
                    rest = [item.without(done) for item in chunk]
                    answers = [asking.submit(client.detect, image) for item in rest for image in item.images]
                    pending.append((rest, list(done.values()), answers))
                    if len(pending) >= CHUNKS_AT_ONCE:
                        self._finish_chunk(*pending.popleft())
                while pending:
                    self._finish_chunk(*pending.popleft())
            except BaseException:
                client.stop()
                raise
            finally:
                self._calls, self._seconds = client.take_calls(), time.monotonic() - begun

    def find_done(self, chunk: list[WorkItem]) -> dict[InferenceImage, Detection]:
        """Find the images of a chunk that have a result: an earlier try wrote it, with all that belongs to it."""
        images = [image for item in chunk for image in item.images]
        found = self._writers.map(lambda image: read_result(self.ctx.store, image), images)
        return {image: result for image, result in zip(images, found, strict=True) if result is not None}

    def _finish_chunk(
        self, chunk: list[WorkItem], done: list[Detection], asked: list[Future[Prediction[LiveVersion]]]
    ) -> None:
        """Wait for a chunk's answers and write it; the results of an earlier try are only counted."""
        self._settle(chunk, [future.result() for future in asked])
        self.counts.update(str(result.decision) for result in done)
        self._show(f"{each.key}: {each.reason}" for each in done if each.decision is Decision.UNREADABLE)
        self.chunks_answered += bool(asked)

    def _settle(self, chunk: list[WorkItem], answers: list[Prediction[LiveVersion]]) -> None:
        """Write what comes of a chunk, count it, and settle the messages that announced it."""
        answered = [answer for answer in answers if answer.status in WITH_RESULT]
        made = self._writers.map(self._detection, answered)
        self.counts["repeated"] += self.write(list(zip(made, (each.version for each in answered), strict=True)))
        self.counts.update(answer.status.name.lower() for answer in answers if answer.status not in WITH_RESULT)
        self._settle_messages(chunk, {answer.image: answer for answer in answers})
        for status in (PredictionStatus.FAILED, PredictionStatus.UNREADABLE):
            self._show(f"{answer.image.key}: {answer.message}" for answer in answers if answer.status is status)

    def write(self, detections: list[tuple[Detection, LiveVersion]]) -> int:
        """Write a chunk's results, in an order in which a result never lacks its log line, its review, or comes twice.

        :param detections: each with the version that made it.
        :return: how many of them had been written before.
        """
        store, project, reviewers = self.ctx.store, self.ctx.project, self.settings.reviewers_per_image
        # Named by its images, so that a second try adds what was left, or overwrites it. A request that two files hold
        # is opened once all the same.
        images = "\n".join(f"{each.key} {each.etag}" for each, _ in detections)
        name = hashlib.sha256(images.encode()).hexdigest()[:32]
        if detections:
            write_log(store, name, (each for each, _ in detections))
        doubts = (
            first_request(project.name, each, version.labels, Purpose.DOUBT, reviewers, project.task)
            for each, version in detections
            if each.review
        )
        WaitingReviews(store).add(name, doubts)
        written = list(self._writers.map(lambda each: save_result(store, each[0]), detections))
        self.counts.update(str(each.decision) for each, _ in detections)
        return written.count(False)

    def _show(self, troubles: Iterable[str]) -> None:
        """Keep the first few examples of what went wrong."""
        self._examples = [*self._examples, *troubles][:EXAMPLES]

    def _detection(self, answer: Prediction[LiveVersion]) -> Detection:
        """Make an image's result, which names the review that it asks for if it is doubtful."""
        image, version = answer.image, answer.version
        if answer.status is PredictionStatus.UNREADABLE:
            decided = Decided(Decision.UNREADABLE, self._rules.minimum, answer.message)
        else:
            decided = decide(answer.labels, self._rules, review_is_on=self.settings.enable_a2i_workflow)
        is_asked = decided.decision is Decision.REVIEW
        return Detection(
            image=self.ctx.store.uri(image.key),
            key=image.key,
            etag=image.etag,
            version_name=version.version_name,
            version_arn=version.version_arn,
            detected_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            labels=answer.labels,
            minimum_confidence=decided.minimum,
            decision=decided.decision,
            reason=decided.reason,
            review=review_name(self.ctx.project.name, image.key, image.etag, 1) if is_asked else None,
            noise=self._rules.noise,
            size=self._size(answer),
            drawing=drawing_path(self.ctx.project.name, image.key, image.etag, version.version_name),
        )

    def _size(self, answer: Prediction[LiveVersion]) -> ImageSize | None:
        """Read the size of an image, by which its boxes are given in pixels; nothing else needs it."""
        if self.ctx.project.task is not ProjectTask.OBJECT_DETECTION or answer.status is PredictionStatus.UNREADABLE:
            return None
        return read_image_size(self.ctx.store, answer.image.key, answer.image.etag)

    def _settle_messages(self, chunk: list[WorkItem], found: dict[InferenceImage, Prediction[LiveVersion]]) -> None:
        """Delete the messages whose images are all done; send those that failed too often to the dead-letter queue."""
        done: list[Message] = []
        for item in chunk:
            answers = (found[image] for image in item.images)
            failed = next((answer for answer in answers if answer.status is PredictionStatus.FAILED), None)
            for message in item.messages:
                if failed is not None:
                    if message.receive_count < TRIES or self._dead_letters is None:
                        continue
                    self._dead_letters.send(message.body, {"reason": failed.message, "key": failed.image.key})
                    self.counts["dead_lettered"] += 1
                done.append(message)
        if done and self._queue is not None:
            self._queue.delete(done)
