"""A review on Airflow's page: until when it may be answered, which run asks it now, and how it ended."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.review.answer_content import AnswerRefused, read_label, read_labels
from custom_labels.review.review import (
    Answered,
    AnyAnswer,
    LabelsAnswer,
    RefusedAnswer,
    ReviewAnswer,
    ReviewRequest,
    ReviewStatus,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GivenAnswer:
    """What a person chose.

    :param reviewer: an opaque id.
    :param chosen: the options, as they were chosen.
    :param submitted_at: ISO 8601 in UTC.
    """

    reviewer: str
    chosen: tuple[str, ...]
    submitted_at: str


@dataclass(frozen=True)
class PageReview:
    """A review.

    :param request: what is asked.
    :param opened_at: ISO 8601 in UTC; likewise ``expires_at``, from when on no answer counts.
    :param asked_by: the run that has the question, and ``asked_until`` until when; empty before the first.
    :param answer: the one that ended it.
    """

    request: ReviewRequest
    opened_at: str
    expires_at: str
    asked_by: str = ""
    asked_until: str = ""
    status: ReviewStatus = ReviewStatus.OPEN
    answer: GivenAnswer | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether its lifetime is over."""
        return now >= datetime.fromisoformat(self.expires_at)

    def may_be_asked(self, run: str, now: datetime) -> bool:
        """Whether a run may ask it: no other run does at present, or the time of that question is over."""
        if self.status is not ReviewStatus.OPEN or self.is_over(now):
            return False
        return self.asked_by == run or not self.asked_until or now >= datetime.fromisoformat(self.asked_until)

    def asked(self, run: str, until: datetime) -> PageReview:
        """Record which run asks it until when, which is within its lifetime."""
        end = min(until, datetime.fromisoformat(self.expires_at))
        return replace(self, asked_by=run, asked_until=text_of_moment(end))

    def read_answers(self) -> Answered:
        """Read the answer; one that was not offered is refused with the reason."""
        given = self.answer
        if given is None:
            return Answered(self.request, ())
        try:
            return Answered(self.request, (_read(given, self.request),))
        except AnswerRefused as error:
            log.warning("The answer to %s is not counted: %s.", self.request.name, error)
            return Answered(self.request, (), (RefusedAnswer(given.reviewer, str(error)),))


def _read(given: GivenAnswer, request: ReviewRequest) -> AnyAnswer:
    if request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        labels = read_labels({"labels": list(given.chosen)}, request)
        return LabelsAnswer(given.reviewer, labels, given.submitted_at)
    chosen = given.chosen[0] if len(given.chosen) == 1 else list(given.chosen)
    return ReviewAnswer(given.reviewer, read_label({"label": chosen}, request), given.submitted_at)


def given_answer(event: Mapping[str, Any], project: str) -> GivenAnswer | None:
    """Read the event by which Airflow resumes a question; ``None`` where no person answered.

    When the time of a question is over Airflow takes what was preselected for the answer: of nobody, so it is none.

    :param event: what ``HITLOperator.execute_complete`` takes.
    """
    user: Mapping[str, Any] = event.get("responded_by_user") or {}
    chosen: Sequence[str] = event.get("chosen_options") or ()
    if event.get("timedout") or not chosen or not (who := user.get("id") or user.get("name")):
        return None
    moment = event.get("responded_at") or datetime.now(UTC)
    return GivenAnswer(opaque_id(project, str(who)), tuple(map(str, chosen)), text_of_moment(moment))


def opaque_id(project: str, user: str) -> str:
    """Give the id by which a user is on record in the bucket: the same for all answers to a project's reviews."""
    return hashlib.sha256(f"{project}\0{user}".encode()).hexdigest()[:16]


def text_of_moment(moment: datetime) -> str:
    """Write a moment, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
