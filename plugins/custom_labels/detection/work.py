"""What a detection run has to do and has done, how that is shared out, and how the run ended in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from custom_labels.aws.messages import Message
from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.batches import MOST_BATCHES
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.deployment.deployment import Units
from custom_labels.detection.events import Announcement, PassedOver
from custom_labels.detection.settings import DetectionSettings
from custom_labels.review.opening import OpenedReviews

CHUNK_IMAGES = 50
"""Images whose results are written together, with one log file."""
LEFT = "left"
"""Among the counts of a batch: images that a later run finds again."""
EXAMPLES = 5
"""Troubles that are named, of any number."""


@dataclass(frozen=True)
class WorkItem:
    """Images that are done together, and the messages that may be deleted when all of them are.

    :param messages: none for images that were found by a listing.
    """

    images: tuple[InferenceImage, ...]
    messages: tuple[Message, ...] = ()

    @property
    def is_redelivered(self) -> bool:
        """Whether a message of it was received before, so that its images may be done already."""
        return any(message.receive_count > 1 for message in self.messages)

    def without(self, done: Iterable[InferenceImage]) -> WorkItem:
        """Give it without images that are done already."""
        passed = set(done)
        return WorkItem(tuple(image for image in self.images if image not in passed), self.messages)


@dataclass(frozen=True)
class DetectionBatch:
    """Images that one task puts to the version that serves.

    :param number: counts the run's batches from 0.
    :param images: how many images it holds.
    :param workers: tasks that share the version's rate.
    :param version: the version that serves, or is about to; ``units`` are the inference units that it runs with.
    :param items: the images, where they are few; else ``None``, and ``key`` is that of the file that lists them.
    """

    number: int
    images: int
    workers: int
    version: LiveVersion
    units: int
    items: tuple[WorkItem, ...] | None
    key: str


class NextStep(StrEnum):
    """What a run does after it has collected images."""

    DETECT = "images wait"
    START = "start first"
    FINISH = "nothing to detect"


@dataclass(frozen=True)
class VersionToStart:
    """The version that images wait for, as the operator that starts it addresses it."""

    project_arn: str
    version_name: str
    units: Units


@dataclass(frozen=True)
class Collected:
    """What there is to do, and what was found and received on the way.

    :param settings: those of the run.
    :param batches: one a mapped task.
    :param trouble: why no version serves, empty where one does; then nothing was taken from the queue.
    :param start: the version that is to be started first, if any.
    :param work: folder of the batches' files, relative to the project's prefix.
    :param images: how many there are; ``left`` says whether there are more than one run takes.
    :param misspelt: which settings name a label that there is not, in words; empty if none does.
    :param reasons: objects that were passed over, by the reason.
    :param garbage: messages that are no events of S3, ``dead_lettered`` those of them that went to the dead-letter
        queue, and ``examples`` of what is wrong with them.
    """

    settings: DetectionSettings
    choice: NextStep
    batches: tuple[DetectionBatch, ...] = ()
    trouble: str = ""
    start: VersionToStart | None = None
    work: str = ""
    images: int = 0
    left: bool = False
    misspelt: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    garbage: int = 0
    dead_lettered: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class BatchResult:
    """What became of the images of a batch.

    :param counts: images by what became of them.
    :param examples: what went wrong with single images, in AWS's words; the first few.
    :param calls: calls of DetectCustomLabels, refused ones included, and the ``seconds`` that they took together with
        all else.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    calls: int = 0
    seconds: float = 0.0


def group_announcements(read: Iterable[tuple[Message, Iterable[Announcement]]]) -> list[WorkItem]:
    """Join the messages that announce the same images: an image is detected once, however often it is announced.

    Of several announcements of a key the newest counts, since only that content can still be read. A message may
    announce several images; messages with an image in common end up in one item.

    :param read: messages with at least one announcement each, in the order of their arrival.
    """
    newest: dict[str, Announcement] = {}
    groups: dict[str, tuple[dict[str, None], list[Message]]] = {}
    for message, announcements in read:
        keys: dict[str, None] = {}
        messages: list[Message] = []
        for each in announcements:
            key = each.image.key
            if key not in newest or each.order >= newest[key].order:
                newest[key] = each
            keys[key] = None
        for other_keys, other_messages in {id(groups[key]): groups[key] for key in keys if key in groups}.values():
            keys.update(other_keys)
            messages += other_messages
        messages.append(message)
        groups.update(dict.fromkeys(keys, (keys, messages)))
    distinct = {id(group): group for group in groups.values()}.values()
    return [WorkItem(tuple(newest[key].image for key in keys), tuple(messages)) for keys, messages in distinct]


def count_batches(items: int, most: int, workers: int) -> int:
    """Choose the number of batches: a multiple of the workers, so that all workers end together.

    Few images are not shared out: to start another task takes longer than to detect them.

    :param items: what there is to do; ``most`` of it make a batch, more only where there would be too many batches.
    """
    count = -(-items // max(most, -(-items // MOST_BATCHES)))
    return -(-count // workers) * workers if items >= workers * CHUNK_IMAGES else count


def share_out(items: int, batches: int) -> list[int]:
    """Give the sizes of the batches, which differ by one at most."""
    size, larger = divmod(items, max(1, batches))
    return [size + (number < larger) for number in range(batches)]


def chunks(items: Iterable[WorkItem]) -> Iterator[list[WorkItem]]:
    """Cut items into chunks of about :data:`CHUNK_IMAGES` images, always at the same places."""
    chunk: list[WorkItem] = []
    images = 0
    for item in items:
        chunk.append(item)
        images += len(item.images)
        if images >= CHUNK_IMAGES:
            yield chunk
            chunk, images = [], 0
    if chunk:
        yield chunk


class Rest(StrEnum):
    """Whether one more run is needed."""

    SOME = "images are left"
    NONE = "no image is left"


@dataclass(frozen=True)
class DetectionOutcome(RunOutcome):
    """How a detection run ended, and whether there are more images than it took."""

    choice: Rest = Rest.NONE


@dataclass(frozen=True)
class Summary:
    """What became of all images of a run.

    :param counts: images by what became of them.
    :param examples: what went wrong, in AWS's words; the first few.
    :param calls_a_second: of DetectCustomLabels, of all tasks together.
    """

    collected: Collected
    counts: Counter[str]
    examples: tuple[str, ...]
    calls_a_second: float
    opened: OpenedReviews

    @classmethod
    def of(cls, collected: Collected, results: Sequence[BatchResult], opened: OpenedReviews) -> Summary:
        """Add up what became of the batches.

        :param results: of an earlier try of the run, perhaps, which counts only where there was something to detect.
        """
        done = () if collected.choice is NextStep.FINISH else results
        counts: Counter[str] = Counter(dead_lettered=collected.dead_lettered)
        for each in done:
            counts.update(each.counts)
        examples = [*collected.examples, *(example for each in done for example in each.examples)]
        workers = max((batch.workers for batch in collected.batches), default=1)
        seconds = sum(each.seconds for each in done) / workers
        pace = round(sum(each.calls for each in done) / seconds, 1) if seconds else 0
        return cls(collected, counts, tuple(examples[:EXAMPLES]), pace, opened)

    @property
    def outcome(self) -> Outcome:
        """Which of the ends it is."""
        if self.counts["failed"] or self.counts["unreadable"] or self.collected.garbage:
            return Outcome.DETECTION_TROUBLE
        return Outcome.DETECTED if self.collected.images else Outcome.NOTHING_TO_DETECT

    @property
    def detail(self) -> str:
        """Why, in a sentence."""
        text = f"{self.counts['accepted']} of {self.collected.images} accepted, {self.counts['review']} to people"
        if self.outcome is Outcome.DETECTION_TROUBLE:
            found = {
                "images failed": self.counts["failed"],
                "images cannot be read": self.counts["unreadable"],
                "messages are no events of this project's inbox": self.collected.garbage,
            }
            text = f"{' and '.join(f'{number} {words}' for words, number in found.items() if number)}; {text}"
        elif self.outcome is Outcome.NOTHING_TO_DETECT:
            text = "every image has its result"
            if other := self.collected.reasons.get(PassedOver.NOT_AN_IMAGE.value):
                text += f"; {other} files in the inbox are of another kind by their names"
        if self.collected.misspelt:
            text += f"; {self.collected.misspelt}"
        return text + self.opened.dropped

    def facts(self, variable: Callable[[str], str]) -> dict[str, Any]:
        """Name what a person wants to know; what did not occur is left out.

        :param variable: gives the name of a setting's Variable.
        """
        counts, opened = self.counts, self.opened
        facts = {
            "Images": self.collected.images,
            "Accepted": counts["accepted"],
            "To people": counts["review"],
            "Doubtful, not reviewed": counts["not_reviewed"],
            "Unreadable": counts["unreadable"],
            "Gone meanwhile": counts["gone"],
            "Had a result already": counts["repeated"],
            "Failed": counts["failed"],
            "Dead-lettered": counts["dead_lettered"],
            "Left until the version runs again": counts[LEFT],
            "Reviews opened": opened.opened,
            "Waiting for budget": opened.waiting,
            "Reviews in trouble": opened.trouble,
            "Calls a second": self.calls_a_second,
            "Left for the next run": "yes" if self.collected.left else 0,
            **opened.dropped_facts(variable),
            **self.collected.reasons,
        }
        if self.outcome is Outcome.DETECTION_TROUBLE:
            facts |= {f"Example {number}": text for number, text in enumerate(self.examples, start=1)}
        return {name: value for name, value in facts.items() if value}
