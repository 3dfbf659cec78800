"""The harvest: what becomes of an image, now that people have answered a review of it, or have not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import quote

from custom_labels.core.keys import (
    IMAGES,
    REVIEWED_IMAGES,
    harvested_key,
    label_folder,
    none_fits_key,
    reviewed_key,
    why_no_folder,
)
from custom_labels.core.names import LAST_ATTEMPT, in_round, review_name, review_subject
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.label_names import existing_folder, merge_folders
from custom_labels.review.consensus import join_answers
from custom_labels.review.review import (
    Agreement,
    Answered,
    AnyAnswer,
    BoxesAnswer,
    Consensus,
    Purpose,
    RefusedAnswer,
    ReviewRequest,
    ReviewState,
    ReviewStatus,
)
from custom_labels.review.reviewed import why_not_usable
from custom_labels.review.settings import HarvestSettings

MAXIMUM_METADATA_BYTES = 2048
"""User-defined metadata of an object, names and values together (S3 user guide)."""
NO_ANSWER_POSSIBLE = "the review failed before anybody could answer: "


class ReviewOutcome(StrEnum):
    """What became of an image."""

    COPY = "copy"
    """To be copied; never in the ledger."""
    COPIED = "copied"
    REPLACED = "replaced"
    """The image is another by now than people saw, so that their answer is not about it."""
    GONE = "gone"
    """The image was deleted, archived where it cannot be copied from, or is one that S3 refuses to give."""
    RECORDED = "recorded"
    """An audit, whose answer counts for the accuracy and not for training."""
    ASKED_AGAIN = "asked_again"
    UNDECIDED = "undecided"
    NO_FOLDER = "no_folder"
    """The label, true or not, cannot be the name of a folder."""
    NOT_USABLE = "not_usable"
    """Custom Labels takes no annotation like the one that people agree on."""
    TECHNICAL_FAILURE = "technical_failure"
    """The review failed before a reviewer could answer: it counts as not asked, and is asked again."""
    GIVEN_UP = "given_up"
    """Likewise, but too often while other reviews worked: it is the image's own trouble."""
    DISCARDED = "lost"
    """Nothing is known of the review but its name."""


@dataclass(frozen=True)
class HarvestRules:
    """A project's settings, as far as they decide what becomes of an image.

    :param project: the project's name, from which the names of reviews are derived.
    :param prefix: the project's prefix, which counts for the length of a key.
    :param quorum: equal answers that decide.
    :param maximum_rounds: rounds of questions about an image at most.
    :param none_label: label for images that show none of the labels; ``None`` keeps them out of training.
    :param train_on_audits: whether images that were only sampled enter training.
    :param maximum_attempts: reviews of one round that may fail for a technical reason before the image is given up.
    :param folders: the folders of labels that exist, as :func:`merge_folders` groups them.
    :param least_overlap: intersection over union from which boxes of two people are the same one.
    """

    project: str
    prefix: str
    quorum: int
    maximum_rounds: int
    none_label: str | None = None
    train_on_audits: bool = False
    maximum_attempts: int = 3
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    least_overlap: float = 0.5

    @classmethod
    def of(
        cls,
        project: str,
        prefix: str,
        settings: HarvestSettings,
        *,
        folders: Iterable[str] = (),
        is_halted: bool = False,
    ) -> HarvestRules:
        """Take them from a project's settings; without a quorum, more than half of those asked at first decide.

        :param folders: names of the labels' folders that exist.
        :param is_halted: whether all reviews fail at present, which is the trouble of no single image.
        """
        return cls(
            project=project,
            prefix=prefix,
            quorum=settings.review_quorum or settings.reviewers_per_image // 2 + 1,
            maximum_rounds=settings.maximum_review_rounds,
            none_label=settings.none_of_the_above_label,
            train_on_audits=settings.train_on_audit_samples,
            maximum_attempts=LAST_ATTEMPT if is_halted else cls.maximum_attempts,
            folders=merge_folders(folders),
            least_overlap=settings.minimum_box_overlap,
        )


@dataclass(frozen=True)
class HarvestedReview:
    """A line of the ledger: a review that has ended, its answers, and what became of its image.

    :param review: its name; ``request`` is what was asked, ``None`` if that is not known.
    :param reason: one sentence: why this outcome.
    :param asked_at: when the review was opened, and ``harvested_at``; ISO 8601 in UTC.
    :param label: the label agreed on; ``labels`` and ``boxes`` likewise, where an image may have several.
    :param votes: pairs of label, ``None`` for none of the above, and number; of all rounds, one vote a person.
    :param answers: those of all rounds about the image up to this one.
    :param refused: answers of this round that cannot be counted.
    :param target: key of the image's copy, relative to the project's prefix.
    :param budget_day: ISO 8601 day in whose budget the review was counted, if that is to be returned to it.
    :param size: of the picture that boxes were drawn on, in pixels.
    """

    review: str
    status: ReviewStatus
    asked_at: str
    harvested_at: str
    review_outcome: ReviewOutcome
    reason: str
    agreement: Agreement = Agreement.UNANSWERED
    label: str | None = None
    votes: tuple[tuple[str | None, int], ...] = ()
    answers: tuple[AnyAnswer, ...] = ()
    target: str | None = None
    request: ReviewRequest | None = None
    budget_day: str | None = None
    labels: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    size: ImageSize | None = None
    refused: tuple[RefusedAnswer, ...] = ()

    @property
    def next_request(self) -> ReviewRequest | None:
        """What one more person is asked, or the same people after a technical failure; ``None`` if no one is."""
        if self.request is not None and self.review_outcome is ReviewOutcome.TECHNICAL_FAILURE:
            attempt = self.request.attempt + 1
            return replace(self.request, name=in_round(self.review, self.request.round, attempt), attempt=attempt)
        if self.request is not None and self.review_outcome is ReviewOutcome.ASKED_AGAIN:
            round_ = self.request.round + 1
            return replace(self.request, name=in_round(self.review, round_), round=round_, reviewers=1, attempt=1)
        return None

    @property
    def has_failed(self) -> bool:
        """Whether the review failed before a reviewer could answer."""
        return self.review_outcome in {ReviewOutcome.TECHNICAL_FAILURE, ReviewOutcome.GIVEN_UP}

    @property
    def is_for_training(self) -> bool:
        """Whether a copy of the image carries a label now."""
        is_copied, target = self.review_outcome is ReviewOutcome.COPIED, self.target or ""
        return is_copied and (target.startswith(IMAGES) or bool(self.labels or self.boxes))

    @property
    def is_empty(self) -> bool:
        """Whether the image was kept with the line that nothing is on it, which Custom Labels does not train on."""
        is_copied, target = self.review_outcome is ReviewOutcome.COPIED, self.target or ""
        return is_copied and target.startswith(REVIEWED_IMAGES) and not self.is_for_training


def decide_outcome(
    state: ReviewState,
    answered: Answered | None,
    earlier: Iterable[AnyAnswer],
    rules: HarvestRules,
    harvested_at: str,
    opened_on: str | None = None,
) -> HarvestedReview:
    """Decide what becomes of the image of a review that has ended, however it has.

    Whoever has answered counts, also in a review that expired or was stopped before all had.

    :param answered: the question and this round's answers; ``None`` if it is not known what was asked.
    :param earlier: the answers of earlier rounds about the image.
    :param opened_on: ISO 8601 day whose budget the review was counted in, if that is known.
    """
    blank = HarvestedReview(state.name, state.status, state.created_at, harvested_at, ReviewOutcome.DISCARDED, "")
    if answered is None:
        return replace(blank, reason=f"it is not known what was asked; the review is {_ended(state)}")
    request = answered.request
    if state.status is ReviewStatus.FAILED and not answered.answers:
        is_last = request.attempt >= rules.maximum_attempts
        reason = f"{NO_ANSWER_POSSIBLE}{state.reason or 'no reason was given'}"
        return replace(
            blank,
            review_outcome=ReviewOutcome.GIVEN_UP if is_last else ReviewOutcome.TECHNICAL_FAILURE,
            reason=f"{reason}; it is given up after {request.attempt} attempts" if is_last else reason,
            request=request,
            budget_day=opened_on,
        )
    answers, consensus = join_answers(request, (*earlier, *answered.answers), rules.quorum, rules.least_overlap)
    if consensus.agreement is Agreement.UNANSWERED and answered.refused:
        consensus = replace(consensus, reason=f"no answer can be counted: {answered.refused[0].why}")
    review_outcome, reason, target = _outcome(request, consensus, rules)
    made = replace(
        blank,
        review_outcome=review_outcome,
        reason=reason if state.status is ReviewStatus.COMPLETED else f"{reason}; the review is {_ended(state)}",
        agreement=consensus.agreement,
        label=consensus.label,
        votes=consensus.votes,
        answers=answers,
        target=target,
        request=request,
        labels=_labels(request, consensus, rules),
        boxes=consensus.boxes,
        size=next((each.size for each in answers if isinstance(each, BoxesAnswer)), request.size),
        refused=answered.refused,
    )
    if why := why_not_usable(made):
        return replace(made, review_outcome=ReviewOutcome.NOT_USABLE, reason=f"{made.reason}, but {why}", target=None)
    return made


def _labels(request: ReviewRequest, consensus: Consensus, rules: HarvestRules) -> tuple[str, ...]:
    """Give the labels that an image is annotated with, which may be the one for images that show none of them."""
    is_none = consensus.agreement is Agreement.NONE_FITS and request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION
    return (rules.none_label,) if is_none and rules.none_label else consensus.labels


def copy_metadata(harvested: HarvestedReview) -> dict[str, str]:
    """Make the metadata of a copy: where its label comes from. S3 takes ASCII only, so that values are percent-encoded.

    A source key that is too long to fit is replaced by its SHA-256.

    :param harvested: a review whose request is known.
    """
    request = harvested.request
    if request is None:
        return {}
    values = {
        "review": harvested.review,
        "reviewers": ",".join(answer.reviewer for answer in harvested.answers),
        "asked-at": harvested.asked_at,
        "answered-at": max((answer.submitted_at for answer in harvested.answers), default=""),
        "model-label": request.label or "",
        "model-confidence": "" if request.confidence is None else f"{request.confidence:g}",
        "version": request.version_name,
        "source-etag": request.etag,
    }
    metadata = {name: quote(value, safe="/:,+") for name, value in values.items()}
    source = quote(request.key, safe="/")
    room = MAXIMUM_METADATA_BYTES - sum(len(name) + len(value) for name, value in metadata.items())
    if len("source-key") + len(source) > room:
        return {**metadata, "source-key-sha256": hashlib.sha256(request.key.encode()).hexdigest()}
    return {**metadata, "source-key": source}


def _outcome(
    request: ReviewRequest, consensus: Consensus, rules: HarvestRules
) -> tuple[ReviewOutcome, str, str | None]:
    """Decide the outcome of an image, the reason, and the key of its copy."""
    if consensus.agreement in {Agreement.DISAGREED, Agreement.UNANSWERED}:
        if request.round < rules.maximum_rounds:
            return ReviewOutcome.ASKED_AGAIN, f"{consensus.reason}: one more person is asked", None
        return ReviewOutcome.UNDECIDED, f"{consensus.reason}, and that in {request.round} rounds", None
    if request.purpose is Purpose.AUDIT and request.is_also_in_doubt:
        return ReviewOutcome.RECORDED, f"{consensus.reason}; the review of its doubt files the image", None
    if request.purpose is Purpose.AUDIT and not rules.train_on_audits:
        return ReviewOutcome.RECORDED, f"{consensus.reason}; sampled images do not enter training", None
    # The same in all rounds and for whatever purpose people are asked: an image has one copy at most.
    subject = review_subject(review_name(rules.project, request.key, request.etag, 1))
    if request.purpose is Purpose.LABEL and request.task.has_several:
        return ReviewOutcome.COPY, f"{consensus.reason}: its annotation is renewed", request.key
    if request.task.has_several:
        return ReviewOutcome.COPY, consensus.reason, reviewed_key(subject, request.key)
    label = consensus.label if consensus.agreement is Agreement.AGREED else rules.none_label
    if label is None:
        return ReviewOutcome.COPY, consensus.reason, none_fits_key(subject, request.key)
    folder = existing_folder(label, rules.folders)
    if request.purpose is Purpose.LABEL and request.key.startswith(label_folder(folder)):
        return ReviewOutcome.RECORDED, f"{consensus.reason}, as it is labelled", None
    target = harvested_key(folder, subject, request.key)
    if why := why_no_folder(label, rules.prefix + target):
        return ReviewOutcome.NO_FOLDER, f"{consensus.reason}, but {why}", None
    return ReviewOutcome.COPY, consensus.reason, target


def _ended(state: ReviewState) -> str:
    return f"{state.status}: {state.reason}" if state.reason else state.status.value
