"""A question on Airflow's page: its words, its options, and what Airflow's event says of the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import ReviewSetup
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.backends.airflow_page.page_review import (
    GivenAnswer,
    PageReview,
    given_answer,
    opaque_id,
    text_of_moment,
)
from custom_labels.review.backends.airflow_page.places import answer_page, image_page
from custom_labels.review.backends.airflow_page.question import Question, code, word
from custom_labels.review.review import AnyAnswer, LabelsAnswer, Purpose, ReviewAnswer, ReviewStatus
from tests.kit.review_requests import request_for

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SEVERAL = ProjectTask.MULTI_LABEL_CLASSIFICATION
SETUP = ReviewSetup.model_construct(
    backend="airflow", title="Which *digit*?", instructions="First.\n\n* Second <b>.", lifetime_hours=240
)


def review(**request: Any) -> PageReview:
    """Make a review that is asked from now on for twelve hours, and open for two days."""
    made = PageReview(request_for(**request), text_of_moment(NOW), text_of_moment(NOW + timedelta(days=2)))
    return made.asked("a run", NOW + timedelta(hours=12))


def question(**request: Any) -> Question:
    return word(review(**request), SETUP, "digits", "/image")


def test_a_question_shows_the_image_the_guess_and_until_when_it_waits() -> None:
    asked = question()

    assert asked.subject == "Which *digit*? (digits: a.png)"
    assert asked.body.split("\n\n") == [
        "![The image](/image)",
        r"First\.",
        r"\* Second \<b\>\.",
        "The model says ` rows `, 43 % sure.",
        "The image is ` images_for_detection/a.png `.",
        "Without an answer this ends at 2026-11-20 22:00 UTC, and is asked again until 2026-11-22 10:00 UTC.",
    ]


CASES: dict[str, tuple[dict[str, Any], tuple[str, ...] | None, str]] = {
    "a guess": ({}, ("rows",), "The model says"),
    "no guess": ({"label": None, "confidence": None}, None, "The model found no label."),
    "a guess that is no choice": ({"label": "diagonals"}, None, "The model says ` diagonals `"),
    "an audit": ({"purpose": Purpose.AUDIT}, None, ""),
    "several": ({"task": SEVERAL, "guesses": ("rows", "columns")}, ("columns", "rows"), "` rows `, ` columns `"),
    "none of several": ({"task": SEVERAL}, None, "The model found no label."),
    "an audit of several": ({"task": SEVERAL, "guesses": ("rows",), "purpose": Purpose.AUDIT}, None, ""),
}


@pytest.mark.parametrize(("request_", "defaults", "words"), CASES.values(), ids=CASES)
def test_the_guess_is_preselected_unless_an_audit_hides_it(
    request_: dict[str, Any], defaults: tuple[str, ...] | None, words: str
) -> None:
    asked = question(**request_)

    assert (asked.options, asked.defaults) == (("columns", "rows", NONE_OF_THE_ABOVE), defaults)
    assert asked.multiple is (request_.get("task") is SEVERAL)
    assert words in asked.body
    assert ("The model" in asked.body) is bool(words)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a.png", "` a.png `"),
        ("a`b``c", "``` a`b``c ```"),
        ("[x](javascript:1) <img src=x>", "` [x](javascript:1) <img src=x> `"),
        ("a\nb\x00c\u202ed", "` a b?c?d `"),
    ],
    ids=["plain", "backticks", "markup", "control characters"],
)
def test_what_came_from_outside_is_no_markup(text: str, written: str) -> None:
    assert code(text) == written


def test_who_answered_is_an_opaque_id() -> None:
    user = {"id": "42", "name": "Ann <ann@example.org>"}
    event = {"chosen_options": ["rows"], "responded_by_user": user, "responded_at": NOW}

    assert given_answer(event, "digits") == GivenAnswer(
        opaque_id("digits", "42"), ("rows",), "2026-11-20T10:00:00.000000+00:00"
    )
    assert opaque_id("digits", "42") != opaque_id("birds", "42")


@pytest.mark.parametrize(
    "event",
    [
        {"error": "The timeout has passed", "error_type": "timeout"},
        {"chosen_options": ["rows"], "responded_by_user": None, "responded_at": NOW, "timedout": True},
        {"chosen_options": ["rows"], "responded_at": NOW},
        {"chosen_options": [], "responded_by_user": {"id": "1", "name": "ann"}, "responded_at": NOW},
    ],
    ids=["time-out", "preselected at the time-out", "an older provider's", "nothing chosen"],
)
def test_an_answer_of_nobody_is_none(event: dict[str, Any]) -> None:
    assert given_answer(event, "digits") is None


@pytest.mark.parametrize(
    ("task", "chosen", "answers", "why"),
    [
        (ProjectTask.IMAGE_CLASSIFICATION, ("rows",), ["rows"], ""),
        (ProjectTask.IMAGE_CLASSIFICATION, (NONE_OF_THE_ABOVE,), [None], ""),
        (ProjectTask.IMAGE_CLASSIFICATION, ("diagonals",), [], "not offered"),
        (ProjectTask.IMAGE_CLASSIFICATION, ("rows", "columns"), [], "not offered"),
        (SEVERAL, ("rows", "columns"), [("columns", "rows")], ""),
        (SEVERAL, (NONE_OF_THE_ABOVE,), [()], ""),
        (SEVERAL, ("rows", NONE_OF_THE_ABOVE), [], "it has 'None of the above' and 'rows'"),
        (SEVERAL, ("diagonals",), [], "not offered"),
    ],
    ids=["one", "none fits", "not offered", "two of one", "several", "none of several", "both", "several not offered"],
)
def test_an_answer_counts_if_it_was_offered(
    task: ProjectTask, chosen: tuple[str, ...], answers: list[Any], why: str
) -> None:
    given = GivenAnswer("w", chosen, text_of_moment(NOW))
    read = replace(review(task=task), status=ReviewStatus.COMPLETED, answer=given).read_answers()

    assert [said(each) for each in read.answers] == answers
    assert [why in each.why for each in read.refused] == [True] * (not answers)


def said(answer: AnyAnswer) -> Any:
    assert isinstance(answer, ReviewAnswer | LabelsAnswer)
    return answer.label if isinstance(answer, ReviewAnswer) else answer.labels


@pytest.mark.parametrize(
    ("run", "hours", "may"),
    [("a run", 1, True), ("another", 1, False), ("another", 13, True), ("a run", 49, False), ("another", 49, False)],
    ids=["its own", "another's", "when its time is over", "its own, too old", "too old"],
)
def test_a_review_is_asked_by_one_run_at_a_time(run: str, hours: float, may: bool) -> None:
    assert review().may_be_asked(run, NOW + timedelta(hours=hours)) is may


def test_a_question_ends_with_its_review() -> None:
    last = review().asked("a run", NOW + timedelta(days=9))

    assert last.asked_until == last.expires_at
    assert "asked again" not in word(last, SETUP, "digits", "/image").body


def test_the_pages_are_below_airflows_own_address() -> None:
    assert image_page("digits", "r-1", "https://host/team/") == "/team/custom-labels/digits/reviews/r-1/image"
    assert answer_page("digits", "https://host/team") == (
        "https://host/team/dags/digits_ask_people/required_actions?response_received=false"
    )
