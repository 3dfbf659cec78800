"""A review: what people are asked about an image, what they answer, and their consensus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE


class Purpose(StrEnum):
    """Why an image is shown to people."""

    DOUBT = "doubt"
    AUDIT = "audit"
    LABEL = "label"
    """It is a training image, and its label is doubtful."""


@dataclass(frozen=True)
class ReviewRequest:
    """What people are asked about one image.

    Equal requests are equal bytes for the backend, so that a repeated one is recognized.

    :param name: derived from (project, key, ETag, round), see :func:`custom_labels.core.names.review_name`.
    :param image: its ``s3://`` URI; ``key`` is relative to the project's prefix, ``etag`` without quotes.
    :param label: the model's own guess, ``None`` where it named nothing; ``confidence`` in percent. Where an image may
        have several it is the surest label, and the confidence that of the least sure one.
    :param labels: what may be chosen, beside "None of the above"; no two of them are the same to a person.
    :param version_name: the version that guessed.
    :param round: 1 for the first question about an image, one more for each further reviewer.
    :param reviewers: how many people are asked in this round.
    :param attempt: 1, and one more for each review of this round that failed for a technical reason.
    :param is_also_in_doubt: whether the image of an audit has a review for its doubt too, which files the image.
    :param none_label: the label that is named like "None of the above", and that this answer therefore stands for.
    :param task: what the project's model does: people choose a label, or several, or draw boxes.
    :param guesses: all labels that the model named, where they are several; ``boxes`` those that it found, in pixels.
    :param size: of the upright picture, by which the boxes are given; ``None`` where it is not known.
    """

    name: str
    image: str
    key: str
    etag: str
    label: str | None
    confidence: float | None
    labels: tuple[str, ...]
    version_name: str
    purpose: Purpose
    round: int
    reviewers: int
    attempt: int = 1
    is_also_in_doubt: bool = False
    none_label: str | None = None
    task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION
    guesses: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    size: ImageSize | None = None


def urgency(request: ReviewRequest) -> tuple[bool, bool, float, str]:
    """Sort requests: audits, which a number of images waits for; then images without a label; then by confidence.

    Audits go by their names, which are hashes: whatever the model predicts, an image is as likely to be opened as any
    other, so that those a budget has room for are a sample of all.
    """
    if request.purpose is Purpose.AUDIT:
        return False, False, 0.0, request.name
    return True, request.label is not None, request.confidence or 0.0, request.name


class ReviewStatus(StrEnum):
    """What has become of a review, whatever the backend calls it."""

    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The backend gave a status that this package does not know; it is reported, never guessed at."""

    @property
    def is_final(self) -> bool:
        """Whether no answer can come any more."""
        return self not in {ReviewStatus.OPEN, ReviewStatus.UNKNOWN}


@dataclass(frozen=True)
class ReviewState:
    """A review as its backend knows it.

    :param name: the request's name.
    :param created_at: ISO 8601 in UTC.
    :param answers_uri: where its answers are, once they are known to be somewhere.
    :param reason: the backend's own words about a failure.
    """

    name: str
    status: ReviewStatus
    created_at: str
    answers_uri: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class ReviewAnswer:
    """The answer of one person.

    :param reviewer: an opaque id, never a name or an address.
    :param label: ``None`` for none of the above.
    :param submitted_at: ISO 8601 in UTC.
    """

    reviewer: str
    label: str | None
    submitted_at: str
    seconds: float | None = None


@dataclass(frozen=True)
class LabelsAnswer:
    """The answer of one person about an image that may have several labels.

    :param labels: each once, sorted; none of them for none of the above.
    """

    reviewer: str
    labels: tuple[str, ...]
    submitted_at: str
    seconds: float | None = None


@dataclass(frozen=True)
class BoxesAnswer:
    """The boxes that one person drew.

    :param boxes: in pixels of the upright picture, all of them on it; none where nothing of interest is there.
    :param size: of the picture.
    :param notes: what was changed of the answer as it came, in words.
    """

    reviewer: str
    boxes: tuple[Box, ...]
    size: ImageSize
    submitted_at: str
    seconds: float | None = None
    notes: tuple[str, ...] = ()


AnyAnswer = ReviewAnswer | LabelsAnswer | BoxesAnswer


@dataclass(frozen=True)
class RefusedAnswer:
    """An answer that cannot be counted, and why; what was answered stays where the backend wrote it."""

    reviewer: str
    why: str


@dataclass(frozen=True)
class Answered:
    """A review's question as it was asked, and the answers to it; there may be none."""

    request: ReviewRequest
    answers: tuple[AnyAnswer, ...]
    refused: tuple[RefusedAnswer, ...] = ()


class Agreement(StrEnum):
    """Whether all answers about an image agree."""

    AGREED = "agreed"
    NONE_FITS = "none_fits"
    DISAGREED = "disagreed"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Consensus:
    """What all answers about an image come to.

    :param label: the label agreed on; ``None`` for every other agreement.
    :param votes: pairs of label and number, the most voted first; ``None`` is none of the above. Of boxes each place
        has its pair.
    :param reason: one sentence: why.
    :param labels: those agreed on, where they may be several; ``boxes`` likewise, with the share of the people who drew
        them as their confidence.
    """

    agreement: Agreement
    label: str | None
    votes: tuple[tuple[str | None, int], ...]
    reason: str
    labels: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()


def find_consensus(answers: Iterable[ReviewAnswer], quorum: int) -> Consensus:
    """Join the answers of all rounds about one image.

    A person has one vote, however often they were asked: the earliest. A label wins with at least ``quorum`` votes,
    more than any other has, and more than half of all. "None of the above" wins like a label. A tie, or too few votes,
    is a disagreement.
    """
    first: dict[str, ReviewAnswer] = {}
    for answer in sorted(answers, key=lambda answer: (answer.submitted_at, answer.reviewer, answer.label or "")):
        first.setdefault(answer.reviewer, answer)
    counts = Counter(answer.label for answer in first.values())
    votes = tuple(sorted(counts.items(), key=lambda vote: (-vote[1], vote[0] is None, vote[0] or "")))
    if not votes:
        return Consensus(Agreement.UNANSWERED, None, (), "nobody answered")
    label, most = votes[0]
    total = len(first)
    reason = f"{most} of {total} said '{label or NONE_OF_THE_ABOVE}'"
    if len(votes) > 1 and votes[1][1] == most:
        why_not = f"a tie: {reason} and as many '{votes[1][0] or NONE_OF_THE_ABOVE}'"
    elif most < quorum:
        why_not = f"{reason}, fewer than the {quorum} that are needed"
    elif 2 * most <= total:
        why_not = f"{reason}, which is no majority"
    else:
        return Consensus(Agreement.NONE_FITS if label is None else Agreement.AGREED, label, votes, reason)
    return Consensus(Agreement.DISAGREED, None, votes, why_not)
