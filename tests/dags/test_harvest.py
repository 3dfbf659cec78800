"""The harvest DAG on the embedded AWS, by Airflow and step by step: what becomes of images, answers and messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.review.waiting_records import WaitingReviews
from tests.kit.dag_runs import Variables
from tests.kit.harvests import (
    LABELLED,
    answer_all,
    ask,
    ask_and_answer,
    copies,
    end_of,
    fates,
    harvest,
    keys,
    ledger,
    messages,
    waiting,
)
from tests.kit.review_project import ReviewProject, loops, make_request, set_up_review, wait_until_ended
from tests.kit.step_runs import harvest_by_steps
from tests.kit.support import BUCKET, client, picture, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


pytestmark = pytest.mark.slow


@pytest.fixture
def review_project(digits: LocalAws, variables: Variables) -> ReviewProject:
    """A project whose reviews are set up; further rounds wait for a budget that is used up."""
    variables.set(daily_review_budget=0)
    return set_up_review(digits)


def test_an_image_that_people_label_is_copied_to_its_label(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws)
    ask_and_answer(aws, review_project, request, ["rows"])

    run = harvest()

    assert end_of(run) == ("success", "harvested"), run
    (key,) = keys(aws, LABELLED)
    copy = s3(aws).get_object(Bucket=BUCKET, Key=key)
    assert key == f"{LABELLED}rows/{request.name.removesuffix('-r1')}.png"
    assert copy["Body"].read() == picture("rows", 1)
    assert copy["ContentType"] == "image/png"
    assert copy["Metadata"]["review"] == request.name
    assert copy["Metadata"]["source-key"] == request.key
    assert keys(aws, "images_for_detection/") == [request.key]
    filed, _, counted = str(run.note).partition(". ")
    assert filed == "Reviews harvested: 1 labelled image from 1 review"
    assert counted.startswith("0 reviews are open, the median answer comes after")
    assert counted.endswith("they kept 0% of the model's guesses.")
    (line,) = ledger(aws)
    assert (line["review"], line["review_outcome"], line["label"], line["target"]) == (
        request.name,
        "copied",
        "rows",
        key,
    )
    assert set(line["answers"][0]) == {"reviewer", "label", "submitted_at", "seconds"}
    assert keys(aws, "reviews/harvest_work/") == []
    assert messages(aws, review_project) == 0


def test_nothing_is_harvested_while_people_have_not_answered(aws: LocalAws, review_project: ReviewProject) -> None:
    ask(review_project, make_request(aws))

    run = harvest()

    assert end_of(run) == ("success", "nothing_to_harvest")
    assert ledger(aws) == []


def test_a_second_run_finds_nothing_more_to_harvest(aws: LocalAws, review_project: ReviewProject) -> None:
    ask_and_answer(aws, review_project, make_request(aws), ["rows"])
    harvest_by_steps()
    before = keys(aws, "")

    run = harvest_by_steps()

    assert run.outcome == "nothing_to_harvest"
    assert keys(aws, "") == [*before, *set(keys(aws, "registry/")) - set(before)]


def test_a_tie_is_decided_by_one_more_person(
    aws: LocalAws, review_project: ReviewProject, variables: Variables
) -> None:
    variables.set(reviewers_per_image=2, daily_review_budget=10)
    request = make_request(aws, reviewers=2)
    ask_and_answer(aws, review_project, request, ["rows", "columns"])

    run = harvest_by_steps()
    second = request.name.replace("-r1", "-r2")
    assert run.facts["Reviews opened"] == 1
    assert sorted(loops(review_project)) == [request.name, second]
    answer_all(aws, review_project, second, ["rows"], first=2)
    harvest_by_steps()

    assert fates(aws) == ["asked_again", "copied"]
    assert ledger(aws)[1]["votes"] == [["rows", 2], ["columns", 1]]
    assert keys(aws, LABELLED) == [f"{LABELLED}rows/{request.name.removesuffix('-r1')}.png"]


def test_a_finished_review_is_found_by_its_message(aws: LocalAws, review_project: ReviewProject) -> None:
    """The message is sent by the service itself; it is doubled here, as queues do at times."""
    request = make_request(aws)
    ask_and_answer(aws, review_project, request, ["rows"])
    assert messages(aws, review_project) == 1
    queue = client(aws, "sqs")
    (message,) = queue.receive_message(QueueUrl=review_project.queues["reviews"], VisibilityTimeout=0)["Messages"]
    for body in (message["Body"], message["Body"], "no JSON", "{}", "[]"):
        queue.send_message(QueueUrl=review_project.queues["reviews"], MessageBody=body)

    run = harvest_by_steps()

    assert run.outcome == "harvested"
    assert len(ledger(aws)) == 1
    assert messages(aws, review_project) == 0
    queue.send_message(QueueUrl=review_project.queues["reviews"], MessageBody=message["Body"])
    assert harvest_by_steps().outcome == "nothing_to_harvest"
    assert (len(ledger(aws)), messages(aws, review_project), len(copies(aws))) == (1, 0, 1)


def test_training_is_triggered_when_enough_labelled_images_came_in(
    aws: LocalAws, review_project: ReviewProject, variables: Variables
) -> None:
    variables.set(minimum_untrained_images=4)
    aws.control.workforce(seconds=0)
    asked = [make_request(aws, number, label) for number in (1, 2) for label in ("rows", "columns")]
    ask(review_project, *asked[:3])
    wait_until_ended(review_project, *(request.name for request in asked[:3]))
    assert harvest().tasks["trigger_training"] == "skipped"

    ask(review_project, asked[3])
    wait_until_ended(review_project, asked[3].name)

    assert harvest().tasks["trigger_training"] == "success"
    assert harvest().tasks["trigger_training"] == "skipped"


def test_a_review_that_waits_too_long_is_dropped_and_reported(
    aws: LocalAws, review_project: ReviewProject, variables: Variables
) -> None:
    """Reviews waited for ever, and each run of three DAGs read all of them again."""
    now, asked = datetime.now(UTC), [make_request(aws, number) for number in range(6)]
    reviews = WaitingReviews(review_project.store)
    reviews.add("old", asked[:3], now - timedelta(days=2, hours=1))
    reviews.add("young", asked[3:], now - timedelta(days=2) + timedelta(hours=1))
    variables.set(review_waiting_days=2, maximum_waiting_reviews=2)

    run, later = harvest_by_steps(), harvest_by_steps()

    dropped = "4 waiting reviews were dropped: 3 had waited too long and 1 were too many"
    assert run.outcome == "nothing_to_harvest"
    counted = "0 reviews are open, 2 wait to be opened."
    assert run.note == f"Nothing to harvest: no review has ended that was not harvested; {dropped}. {counted}"
    assert "dropped" not in later.note
    assert later.facts["Waiting to be opened"] == len(waiting(aws)) == 2


@pytest.mark.parametrize(
    "setting", [{"enable_automatic_training": "false"}, {"minimum_untrained_images": 5}], ids=["off", "too few"]
)
def test_training_is_not_triggered_when(
    aws: LocalAws, review_project: ReviewProject, variables: Variables, setting: dict[str, Any]
) -> None:
    variables.set(**{"minimum_untrained_images": 4, **setting})
    aws.control.workforce(seconds=0)
    asked = [make_request(aws, number, label) for number in (1, 2) for label in ("rows", "columns")]
    ask(review_project, *asked)
    wait_until_ended(review_project, *(request.name for request in asked))

    run = harvest_by_steps()

    assert (run.outcome, run.is_training_triggered) == ("harvested", False)


def test_an_answer_is_filed_in_the_folder_that_exists_however_its_name_is_written(
    aws: LocalAws, review_project: ReviewProject
) -> None:
    """macOS writes the accent as a character of its own."""
    composed, decomposed, none = "caf\u00e9", "cafe\u0301", "None of the above"
    for folder in (decomposed, none):
        s3(aws).put_object(Bucket=BUCKET, Key=f"{LABELLED}{folder}/0.png", Body=picture("rows", 9))
    for number, label in enumerate((composed, None)):
        request = make_request(aws, number, labels=(composed, "rows"), none_label=none)
        ask_and_answer(aws, review_project, request, [label])

    run = harvest_by_steps()

    assert run.outcome == "harvested", run
    assert sorted(copies(aws)) == sorted([decomposed, decomposed, none, none])
    assert [line["agreement"] for line in ledger(aws)] == ["agreed", "agreed"]
