"""Harvesting at a real A2I of the embedded AWS, without an Airflow around it: what becomes of images and answers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.review.harvest_records import move_watermark, read_watermark
from custom_labels.review.harvest_work import Watermark
from custom_labels.s3.store import StorageError
from tests.kit.harvests import (
    LABELLED,
    Harvest,
    answer,
    answer_all,
    ask,
    ask_and_answer,
    copies,
    fates,
    keys,
    ledger,
    short_lived,
    waiting,
)
from tests.kit.review_project import ReviewProject, loops, make_request, wait_until_ended
from tests.kit.support import BUCKET, LABELS, picture, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.mark.parametrize(
    ("votes", "review_outcome", "folders"),
    [
        (["columns", "rows", "rows"], "copied", ["rows"]),
        (["rows", "rows", None], "copied", ["rows"]),
        ([None, "rows", None], "copied", []),
        (["columns", "rows", None], "asked_again", []),
    ],
    ids=["two to one", "one cannot tell", "none fits", "all differ"],
)
def test_what_three_people_say_together(
    aws: LocalAws, review_project: ReviewProject, votes: list[str | None], review_outcome: str, folders: list[str]
) -> None:
    ask_and_answer(aws, review_project, make_request(aws, reviewers=3), votes)

    Harvest(review_project, quorum=2).run()

    assert fates(aws) == [review_outcome]
    assert copies(aws) == folders


def test_an_image_stays_undecided_when_the_rounds_are_used_up(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws, reviewers=2)
    ask_and_answer(aws, review_project, request, ["rows", "columns"])
    runs = Harvest(review_project, quorum=2, maximum_rounds=2)
    runs.run()
    answer_all(aws, review_project, request.name.replace("-r1", "-r2"), [None], first=2)

    runs.run()

    assert fates(aws) == ["asked_again", "undecided"]
    assert waiting(aws) == []
    assert len(loops(review_project)) == 2


def test_a_person_who_is_asked_again_has_one_vote(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws, reviewers=2)
    ask_and_answer(aws, review_project, request, ["rows", "columns"])
    runs = Harvest(review_project, quorum=2)
    runs.run()
    answer_all(aws, review_project, request.name.replace("-r1", "-r2"), ["rows"], first=1)

    runs.run()

    assert fates(aws) == ["asked_again", "asked_again"]
    assert ledger(aws)[1]["votes"] == [["columns", 1], ["rows", 1]]


def test_all_rounds_of_an_image_give_one_copy(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws, reviewers=3)
    ask_and_answer(aws, review_project, request, ["rows", "columns", None])
    runs = Harvest(review_project, quorum=2)
    for round_ in (2, 3):
        runs.run()
        answer_all(aws, review_project, request.name.replace("-r1", f"-r{round_}"), ["rows"], first=round_ + 1)

    runs.run()

    assert fates(aws) == ["asked_again", "asked_again", "copied"]
    assert keys(aws, LABELLED) == [f"{LABELLED}rows/{request.name.removesuffix('-r1')}.png"]
    assert len(ledger(aws)[2]["answers"]) == 5


@pytest.mark.parametrize("change", ["replaced", "gone"])
def test_an_image_that_is_not_the_one_that_people_saw_is_not_copied(
    aws: LocalAws, review_project: ReviewProject, change: str
) -> None:
    request = make_request(aws)
    ask_and_answer(aws, review_project, request, ["rows"])
    if change == "gone":
        s3(aws).delete_object(Bucket=BUCKET, Key=request.key)
    else:
        s3(aws).put_object(Bucket=BUCKET, Key=request.key, Body=picture("columns", 7))

    Harvest(review_project).run()

    assert fates(aws) == [change]
    assert copies(aws) == []
    assert f"the image was {'deleted' if change == 'gone' else change} since" in ledger(aws)[0]["reason"]


def test_those_who_answered_count_when_the_others_did_not(aws: LocalAws, review_project: ReviewProject) -> None:
    short_lived(review_project)
    request = make_request(aws, reviewers=3)
    ask(review_project, request)
    answer(aws, request.name, "rows", "anna")
    answer(aws, request.name, "rows", "ben")
    wait_until_ended(review_project, request.name)

    Harvest(review_project, quorum=2).run()

    (line,) = ledger(aws)
    assert (line["review_outcome"], line["status"], line["votes"]) == ("copied", "expired", [["rows", 2]])


def test_a_label_with_a_slash_becomes_no_path(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws, labels=(*LABELS, "../../registry"))
    ask_and_answer(aws, review_project, request, ["../../registry"])

    Harvest(review_project).run()

    assert fates(aws) == ["no_folder"]
    assert [key for key in keys(aws, "") if ".." in key] == []


def test_an_answer_of_somebody_else_is_left_alone(aws: LocalAws, review_project: ReviewProject) -> None:
    """Whoever may write to the bucket can put an answer there; it must name what we asked."""
    request = make_request(aws)
    ask_and_answer(aws, review_project, request, ["rows"])
    (output,) = keys(aws, "a2i-human-loop-data/")
    s3(aws).put_object(Bucket=BUCKET, Key=output, Body=b'{"humanAnswers": [{"answerContent": {}}]}')

    Harvest(review_project).run()

    assert fates(aws) == ["asked_again"]
    assert copies(aws) == []


def test_the_watermark_is_held_back_by_an_open_review(aws: LocalAws, review_project: ReviewProject) -> None:
    first, second = make_request(aws, 1), make_request(aws, 2)
    ask(review_project, first)
    ask_and_answer(aws, review_project, second, ["rows"])
    runs = Harvest(review_project)
    runs.run()
    state = review_project.backend.status(first.name)
    assert state is not None
    assert read_watermark(review_project.store).created_before == datetime.fromisoformat(state.created_at)

    answer_all(aws, review_project, first.name, ["columns"])
    runs.run()

    moved = read_watermark(review_project.store).created_before
    assert moved is not None
    assert moved > datetime.fromisoformat(state.created_at)
    assert sorted(copies(aws)) == ["columns", "rows"]


def test_the_watermark_never_goes_back(review_project: ReviewProject) -> None:
    later = datetime(2026, 11, 20, 12, tzinfo=UTC)
    move_watermark(review_project.store, Watermark(), later)
    for known in (read_watermark(review_project.store), Watermark()):
        move_watermark(review_project.store, known, later - timedelta(days=1))

    assert read_watermark(review_project.store).created_before == later


def test_many_reviews_are_harvested_in_chunks(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.workforce(seconds=0)
    asked = [make_request(aws, number, LABELS[number % 2]) for number in range(130)]
    ask(review_project, *asked)
    wait_until_ended(review_project, *(request.name for request in asked))

    counts = Harvest(review_project).run()

    assert (counts["reviews"], counts["labelled"]) == (130, 130)
    assert Counter(copies(aws)) == dict.fromkeys(LABELS, 65)
    assert len(keys(aws, "reviews/harvested/")) == 5  # batches of 60, 60 and 10, chunks of 50 at most
    assert keys(aws, "reviews/harvest_work/") == []


def test_an_image_that_s3_refuses_alone_keeps_no_other_from_being_harvested(
    aws: LocalAws, review_project: ReviewProject
) -> None:
    refused, other = make_request(aws, 1), make_request(aws, 2)
    for request in (refused, other):
        ask_and_answer(aws, review_project, request, ["rows"])
    aws.control.denied({"bucket": BUCKET, "operation": "s3.GetObject", "key": refused.key})

    Harvest(review_project).run()

    found = {line["review"]: line for line in ledger(aws)}
    assert {name: line["review_outcome"] for name, line in found.items()} == {
        refused.name: "gone",
        other.name: "copied",
    }
    assert "S3 refused CopyObject" in found[refused.name]["reason"]
    assert "AccessDenied" in found[refused.name]["reason"]


@pytest.mark.parametrize(
    ("operation", "key"),
    [("s3.GetObject", "images_for_detection/*"), ("s3.CopyObject", "images_labeled_by_folder/*")],
    ids=["no image can be read", "no copy can be written"],
)
def test_no_answer_is_lost_when_s3_refuses_all_images(
    aws: LocalAws, review_project: ReviewProject, operation: str, key: str
) -> None:
    for number in (1, 2):
        ask_and_answer(aws, review_project, make_request(aws, number), ["rows"])
    aws.control.denied({"bucket": BUCKET, "operation": operation, "key": key})
    runs = Harvest(review_project)

    with pytest.raises(StorageError, match="AccessDenied"):
        runs.run()

    assert ledger(aws) == []
    aws.control.denied()
    runs.run()
    assert fates(aws) == ["copied", "copied"]
