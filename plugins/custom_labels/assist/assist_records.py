"""A label assist in S3, below ``label_assist/<name>/``.

``assist.json`` says what was asked for and how each round went. ``round-<n>/detected/<batch>/<chunk>.jsonl`` has what
the version saw, some dozens of images a file; ``round-<n>/asked.jsonl`` the images that people are asked about, which
is written once: a second try asks about the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from botocore.exceptions import ClientError

from custom_labels.assist.assist import Assist, AssistPlan, AssistRound
from custom_labels.assist.selection import embed
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import LABEL_ASSIST
from custom_labels.core.names import review_subject
from custom_labels.core.records import Record
from custom_labels.detection.detection import Decision, Detection
from custom_labels.errors import NotPermitted
from custom_labels.review.harvest import HarvestedReview
from custom_labels.review.harvest_records import list_ledger, read_ledger
from custom_labels.review.review import ReviewRequest
from custom_labels.review.tally import GOES_ON
from custom_labels.s3.errors import CHANGED
from custom_labels.s3.line_files import read_files, read_folder, read_lines, write_lines
from custom_labels.s3.store import S3Store


def assist_record(name: str) -> Record[Assist]:
    """Give the record of a label assist."""
    return Record(f"{LABEL_ASSIST}{name}/assist.json", Assist)


class RoundRecord:
    """The record of one round, in that of its label assist.

    :param store: the project's bucket and prefix.
    :param name: of the label assist; ``number`` is the round's.
    """

    def __init__(self, store: S3Store, name: str, number: int) -> None:
        self.store = store
        self.name = name
        self.number = number
        self._record = assist_record(name)

    def begin(self, plan: AssistPlan, run: str, begun: AssistRound) -> None:
        """Record that the round has begun, unless an earlier try did.

        :param run: of the round, as ``dag_id/run_id``.
        """

        def change(present: Assist | None) -> Assist:
            assist = present or Assist(self.name, plan, run)
            return assist if assist.round(self.number) else replace(assist, ended="").with_round(begun)

        self._record.change(self.store, change)

    def read(self) -> AssistRound:
        """Read the round.

        :raises NotPermitted: it is not there.
        """
        return self._round(self._record.read(self.store))

    def change(self, change: Callable[[AssistRound], AssistRound], ended: str = "") -> AssistRound:
        """Change the round by compare-and-set; give it as it is now.

        :param ended: why the label assist ends with it, if it does.
        :raises NotPermitted: it is not there.
        """

        def changed(present: Assist | None) -> Assist:
            assist = present or Assist(self.name, AssistPlan(), "")
            return replace(assist.with_round(change(self._round(assist))), ended=ended)

        return self._round(self._record.change(self.store, changed))

    def end(self, why: str) -> None:
        """Record why the label assist ended before the round began, if it had begun with an earlier one."""
        self._record.change(self.store, lambda present: replace(present, ended=why) if present else None)

    def _round(self, assist: Assist | None) -> AssistRound:
        found = assist.round(self.number) if assist else None
        if found is None:
            raise NotPermitted(
                f"Round {self.number} of label assist '{self.name}' is not on record: "
                f"{self.store.uri(self._record.key)} was deleted or replaced while it went on. What people answer is "
                "kept. Trigger the DAG again, for a new one."
            )
        return found


def round_folder(name: str, number: int) -> str:
    """Give the folder of a round's files, relative to the project's prefix."""
    return f"{LABEL_ASSIST}{name}/round-{number}/"


# -- what the version saw ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """What a version saw on an image, as the choice of images takes it.

    :param vocabulary: the version's labels.
    """

    detection: Detection
    vocabulary: tuple[str, ...]

    @cached_property
    def place(self) -> int:
        """Its place in an order that has nothing to do with what it shows."""
        image = f"{self.detection.key} {self.detection.etag}"
        return int.from_bytes(hashlib.sha256(image.encode()).digest()[:8])

    @property
    def confidence(self) -> float | None:
        """The confidence of its least sure label or box that is no noise, in percent."""
        counted = self.detection.counted
        if not self.detection.noise:  # one label an image: the surest
            counted = counted[:1]
        return counted[-1].confidence if counted else None

    @cached_property
    def embedding(self) -> Sequence[float]:
        """What the version sees, as numbers."""
        return embed(self.detection.labels, self.vocabulary)


def write_detected(store: S3Store, folder: str, batch: int, detections: Sequence[Detection]) -> None:
    """Write what the version saw on the images of a chunk; those of a second try are another file."""
    images = "\n".join(f"{each.key} {each.etag}" for each in detections)
    name = hashlib.sha256(images.encode()).hexdigest()[:24]
    write_lines(store, f"{_detected(folder)}{batch:04}/{name}.jsonl", (each.to_record() for each in detections))


def read_batch(store: S3Store, folder: str, batch: int) -> list[Detection]:
    """Read what the version saw on the images of a batch, as far as it came."""
    files = read_folder(store, f"{_detected(folder)}{batch:04}/")
    return [from_json(Detection, line) for file in files for line in file.records]


def read_detected(store: S3Store, folder: str) -> Iterator[Detection]:
    """Go through all that the version saw in a round; an image that a second try detected again comes twice."""
    for file in read_folder(store, _detected(folder)):
        yield from (from_json(Detection, line) for line in file.records)


def read_proposals(store: S3Store, folder: str, vocabulary: tuple[str, ...]) -> Iterator[Proposal]:
    """Go through the images of a round that Custom Labels could read."""
    detections = (each for each in read_detected(store, folder) if each.decision is not Decision.UNREADABLE)
    return (Proposal(each, vocabulary) for each in detections)


def _detected(folder: str) -> str:
    return f"{folder}detected/"


# -- whom is asked what, and what they answer ----------------------------------------------------------


def save_asked(store: S3Store, folder: str, requests: Iterable[ReviewRequest]) -> list[ReviewRequest]:
    """Write what people are asked in a round, once.

    :return: what is on record, which is what the first try chose.
    """
    key = f"{folder}asked.jsonl"
    if (known := read_asked(store, folder)) is not None:
        return known
    ours = list(requests)
    try:
        write_lines(store, key, map(to_json, ours), IfNoneMatch="*", expect=CHANGED)
    except ClientError:
        return read_asked(store, folder) or ours
    return ours


def read_asked(store: S3Store, folder: str) -> list[ReviewRequest] | None:
    """Read what people are asked in a round; ``None`` before they are."""
    file = read_lines(store, f"{folder}asked.jsonl")
    return None if file is None else [from_json(ReviewRequest, line) for line in file.records]


def answers_to(store: S3Store, asked: Iterable[ReviewRequest], since: datetime) -> Iterator[HarvestedReview]:
    """Go through the ledger's lines about what was asked, from the day before a moment on."""
    subjects = {review_subject(request.name) for request in asked}
    for file in read_ledger(store, day_before(since)):
        for line in file.records:
            if review_subject(str(line["review"])) in subjects:
                yield from_json(HarvestedReview, line)


def day_before(moment: datetime) -> date:
    """Give the day before a moment: a harvest may be entered under the day on which it began."""
    return moment.date() - timedelta(days=1)


class Unanswered:
    """The reviews that people still have to answer, which shrink as the ledger grows.

    :param store: the project's bucket and prefix.
    :param subjects: of the reviews that were asked for.
    :param since: no answer to them is older.
    """

    def __init__(self, store: S3Store, subjects: Iterable[str], since: datetime) -> None:
        self.store = store
        self._left = set(subjects)
        self._since = day_before(since)
        self._read: set[str] = set()

    def poll(self) -> int:
        """Read what the ledger has that was not read before, and give how many are left."""
        new = [key for keys in list_ledger(self.store, self._since) for key in keys if key not in self._read]
        for file in read_files(self.store, new):
            self._read.add(file.key)
            self._left -= {
                review_subject(str(line["review"])) for line in file.records if line["review_outcome"] not in GOES_ON
            }
        return len(self._left)
