"""What becomes of an image: pure rules, as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import MAXIMUM_KEY_BYTES, may_be_image
from custom_labels.core.names import in_round, review_name, review_subject
from custom_labels.review.harvest import (
    MAXIMUM_METADATA_BYTES,
    HarvestedReview,
    HarvestRules,
    ReviewOutcome,
    copy_metadata,
    decide_outcome,
)
from custom_labels.review.review import Answered, Purpose, ReviewAnswer, ReviewState, ReviewStatus
from custom_labels.review.settings import HarvestSettings
from tests.kit.review_requests import request_for
from tests.kit.run_settings import settings

RULES = HarvestRules("digits", "", quorum=1, maximum_rounds=3)
NOW = "2026-11-20T12:00:00+00:00"
SETTINGS = settings(HarvestSettings)


def answers(*labels: str | None) -> tuple[ReviewAnswer, ...]:
    return tuple(ReviewAnswer(f"w{n}", label, f"2026-11-20T11:00:{n:02}.000+00:00") for n, label in enumerate(labels))


def decided(
    *labels: str | None, status: ReviewStatus = ReviewStatus.COMPLETED, rules: HarvestRules = RULES, **request: Any
) -> HarvestedReview:
    """Decide on a review that these people answered."""
    asked = request_for(**request)
    state = ReviewState(asked.name, status, "2026-11-20T10:00:00+00:00", reason="a reason")
    return decide_outcome(state, Answered(asked, answers(*labels)), (), rules, NOW)


@pytest.mark.parametrize(
    ("reviewers", "given", "quorum"), [(1, None, 1), (2, None, 2), (3, None, 2), (3, 1, 1), (1, 3, 3)]
)
def test_quorum_is_more_than_half_of_those_asked_unless_it_is_given(
    reviewers: int, given: int | None, quorum: int
) -> None:
    asked = settings(HarvestSettings, reviewers_per_image=reviewers, review_quorum=given)

    assert HarvestRules.of("digits", "", asked).quorum == quorum


@pytest.mark.parametrize("label", ["a/b", "/", "..", ".", "", "a\nb", "a\x00", "\x7f", "../../registry/live.json"])
def test_a_label_that_is_no_folders_name_becomes_no_path(label: str) -> None:
    found = decided(label, labels=("rows", label))

    assert (found.review_outcome, found.target) == (ReviewOutcome.NO_FOLDER, None)
    assert found.label == label


def test_a_key_that_would_be_too_long_is_not_written() -> None:
    label, rules = "é" * 255, replace(RULES, prefix="p" * 600)

    assert decided(label, labels=(label,)).review_outcome is ReviewOutcome.COPY
    assert f"{MAXIMUM_KEY_BYTES} bytes" in decided(label, labels=(label,), rules=rules).reason


@pytest.mark.parametrize("label", ["cat", "ROWS", "None of the above"])
def test_a_label_that_was_not_offered_is_not_counted(label: str) -> None:
    found = decided(label)

    assert (found.review_outcome, found.votes) == (ReviewOutcome.ASKED_AGAIN, ())


@pytest.mark.parametrize(
    ("round_", "review_outcome"),
    [
        (1, ReviewOutcome.ASKED_AGAIN),
        (2, ReviewOutcome.ASKED_AGAIN),
        (3, ReviewOutcome.UNDECIDED),
        (7, ReviewOutcome.UNDECIDED),
    ],
)
@pytest.mark.parametrize("status", [each for each in ReviewStatus if each.is_final and each != ReviewStatus.FAILED])
def test_nobody_is_asked_after_the_last_round(round_: int, review_outcome: ReviewOutcome, status: ReviewStatus) -> None:
    """The number of rounds may have been lowered meanwhile."""
    assert decided(status=status, round_=round_).review_outcome is review_outcome


def test_one_more_person_is_asked_the_same_question() -> None:
    asked = request_for(reviewers=3)
    found = decided("rows", "columns", reviewers=3)

    assert found.next_request == replace(asked, name=asked.name.replace("-r1", "-r2"), round=2, reviewers=1)
    assert found.next_request.name == review_name("digits", asked.key, asked.etag, 2)


def test_nobody_is_asked_about_a_decided_image() -> None:
    assert decided("rows").next_request is None


def test_an_audit_that_is_asked_again_stays_an_audit() -> None:
    name = review_name("digits", "images_for_detection/a.png", "e", 1, audit=True)
    found = decided(name=name, purpose=Purpose.AUDIT)

    assert found.next_request is not None
    assert (found.next_request.name, found.next_request.purpose) == (name.replace("-r1", "-r2"), Purpose.AUDIT)


def test_an_image_has_one_copy_whatever_it_is_reviewed_for() -> None:
    name = review_name("digits", "images_for_detection/a.png", "e", 1, audit=True)
    audited = decided("rows", rules=replace(RULES, train_on_audits=True), name=name, purpose=Purpose.AUDIT)

    assert audited.target == decided("rows").target == decided("rows", round_=3).target


@pytest.mark.parametrize("round_", [1, 3])
def test_a_review_that_failed_costs_no_round(round_: int) -> None:
    asked = request_for(reviewers=3, round_=round_)

    found = decided(status=ReviewStatus.FAILED, reviewers=3, round_=round_)

    assert found.review_outcome is ReviewOutcome.TECHNICAL_FAILURE
    assert found.reason == "the review failed before anybody could answer: a reason"
    assert found.next_request == replace(asked, name=f"{asked.name}x2", attempt=2, reviewers=3)


def test_the_round_after_one_that_failed_begins_anew() -> None:
    asked = request_for(attempt=2)
    found = decided(name=f"{asked.name}x2", attempt=2)

    assert found.next_request == replace(asked, name=asked.name.replace("-r1", "-r2"), round=2, attempt=1)


def test_a_review_that_failed_after_an_answer_is_decided_by_it() -> None:
    assert decided("rows", status=ReviewStatus.FAILED).review_outcome is ReviewOutcome.COPY


@pytest.mark.parametrize(
    ("attempt", "is_halted", "review_outcome"),
    [
        (2, False, ReviewOutcome.TECHNICAL_FAILURE),
        (3, False, ReviewOutcome.GIVEN_UP),
        (3, True, ReviewOutcome.TECHNICAL_FAILURE),
        (99, True, ReviewOutcome.GIVEN_UP),
    ],
    ids=["twice", "three times, and others work", "three times, and none works", "no more names"],
)
def test_an_image_whose_review_always_fails_is_given_up(
    attempt: int, is_halted: bool, review_outcome: ReviewOutcome
) -> None:
    rules = HarvestRules.of("digits", "", SETTINGS, is_halted=is_halted)

    found = decided(status=ReviewStatus.FAILED, attempt=attempt, rules=rules)

    assert found.review_outcome is review_outcome
    assert (found.next_request is None) == (review_outcome is ReviewOutcome.GIVEN_UP)


def test_names_of_all_attempts_and_rounds_fit_and_belong_to_one_image() -> None:
    first = review_name("a-project-with-a-long-name-r1", "k", "e", 9)
    names = [in_round(first, round_, attempt) for round_ in range(1, 10) for attempt in range(1, 100)]

    assert len(set(names)) == len(names)
    assert max(map(len, names)) == 63
    assert {review_subject(name) for name in names} == {review_subject(first)}
    assert in_round(names[98], 1) == names[0]


@pytest.mark.parametrize("train_on_audits", [True, False])
def test_a_sample_that_is_in_doubt_too_is_filed_by_the_review_of_its_doubt(train_on_audits: bool) -> None:
    """People may answer the two differently: two copies below two labels would be a conflict."""
    rules = replace(RULES, train_on_audits=train_on_audits)

    found = decided("rows", rules=rules, purpose=Purpose.AUDIT, is_also_in_doubt=True)

    assert (found.review_outcome, found.target, found.label) == (ReviewOutcome.RECORDED, None, "rows")


@pytest.mark.parametrize("key", ["a.JPG", "b/c.jpeg", "my photo é+.png", "pasted.jfif"])
def test_a_copy_keeps_nothing_of_its_source_but_the_ending(key: str) -> None:
    asked = request_for(f"images_for_detection/{key}")
    target = decided("rows", key=asked.key).target

    assert target == f"images_labeled_by_folder/rows/{review_subject(asked.name)}.{key.rpartition('.')[2].lower()}"


@pytest.mark.parametrize("key", ["a", "photo.2026", "renamed.gif", "a.jfif"])
def test_a_copy_of_an_image_is_taken_for_an_image_however_it_was_named(key: str) -> None:
    target = decided("rows", key=request_for(f"images_for_detection/{key}").key).target

    assert target is not None
    assert may_be_image(target)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (ReviewStatus.COMPLETED, "1 of 1 said 'rows'"),
        (ReviewStatus.STOPPED, "1 of 1 said 'rows'; the review is stopped: a reason"),
    ],
)
def test_the_reason_names_how_the_review_ended_unless_it_was_completed(status: ReviewStatus, says: str) -> None:
    assert decided("rows", status=status).reason == says


def test_a_review_without_a_question_is_lost() -> None:
    state = ReviewState("digits-x-r1", ReviewStatus.FAILED, NOW, reason="no page")
    found = decide_outcome(state, None, (), RULES, NOW)

    assert (found.review_outcome, found.request) == (ReviewOutcome.DISCARDED, None)
    assert found.reason == "it is not known what was asked; the review is failed: no page"


@pytest.mark.parametrize(
    "found",
    [
        decided("rows", None, "rows"),
        decided(),
        decide_outcome(ReviewState("x-r1", ReviewStatus.FAILED, NOW), None, (), RULES, NOW),
    ],
    ids=["copied", "unanswered", "lost"],
)
def test_a_line_of_the_ledger_is_read_back_as_it_was(found: HarvestedReview) -> None:
    assert from_json(HarvestedReview, to_json(found)) == found


def test_metadata_says_where_a_label_comes_from() -> None:
    key = "images_for_detection/my photo é.png"

    assert copy_metadata(decided("rows", "rows", key=key)) == {
        "review": review_name("digits", key, "e", 1),
        "reviewers": "w0,w1",
        "asked-at": "2026-11-20T10:00:00+00:00",
        "answered-at": "2026-11-20T11:00:01.000+00:00",
        "model-label": "rows",
        "model-confidence": "43",
        "version": "digits-1",
        "source-etag": "e",
        "source-key": "images_for_detection/my%20photo%20%C3%A9.png",
    }


@pytest.mark.parametrize("key", ["k" * 1000, "é" * 500, "日" * 330], ids=["ascii", "two bytes", "three bytes"])
def test_metadata_fits_into_what_s3_takes(key: str) -> None:
    metadata = copy_metadata(decided("rows", key=key, label="ü" * 100))

    assert sum(len(name) + len(value) for name, value in metadata.items()) <= MAXIMUM_METADATA_BYTES
    assert all(value.isascii() and value.isprintable() for value in metadata.values())


@pytest.mark.parametrize(("label", "folder"), [("caf\u00e9", "cafe\u0301"), ("cat", "cat"), ("new", "new")], ids=ascii)
def test_an_image_is_filed_in_a_folder_that_is_the_same_to_a_person(label: str, folder: str) -> None:
    rules = HarvestRules.of("digits", "", SETTINGS, folders=["cafe\u0301", "cat", "cat "])

    found = decided(label, labels=("caf\u00e9", "cat", "new"), rules=rules)

    assert (found.review_outcome, found.label) == (ReviewOutcome.COPY, label)
    assert (found.target or "").split("/")[1] == folder


def test_an_image_of_a_label_named_none_of_the_above_reaches_it() -> None:
    found = decided("None of the above", labels=("cat",), none_label="None of the above")

    assert (found.review_outcome, found.label) == (ReviewOutcome.COPY, "None of the above")
    assert (found.target or "").startswith("images_labeled_by_folder/None of the above/")
