"""Defects of earlier loops of this kind in what they did with answers, each in a test that is named after it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.codec import to_json
from custom_labels.review.review import Purpose
from tests.kit.harvests import (
    LABELLED,
    NONE_FITS,
    Harvest,
    ask_and_answer,
    copies,
    end,
    fates,
    keys,
    ledger,
    messages,
)
from tests.kit.review_project import ReviewProject, loops, make_request
from tests.kit.support import BUCKET, client, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.mark.parametrize("votes", [["columns", "rows", "rows"], ["rows", "columns", "rows"]])
def test_the_first_answer_does_not_win_against_two_others(
    aws: LocalAws, review_project: ReviewProject, votes: list[str | None]
) -> None:
    """Of three answers only the first was read, so that one person outvoted two."""
    ask_and_answer(aws, review_project, make_request(aws, reviewers=3), votes)

    Harvest(review_project, quorum=2).run()

    assert copies(aws) == ["rows"]


@pytest.mark.parametrize("answers", ["[]", "null", None, '[{"workerId": "w"}]'], ids=["none", "null", "no key", "half"])
def test_an_output_without_answers_stops_nothing(
    aws: LocalAws, review_project: ReviewProject, answers: str | None
) -> None:
    """The list of answers was indexed before it was looked at, so that an expired review broke its harvest for good."""
    empty, good = make_request(aws, 1), make_request(aws, 2)
    ask_and_answer(aws, review_project, empty, ["rows"])
    (output,) = keys(aws, "a2i-human-loop-data/")
    written = json.loads(s3(aws).get_object(Bucket=BUCKET, Key=output)["Body"].read())
    del written["humanAnswers"]
    if answers is not None:
        written["humanAnswers"] = json.loads(answers)
    s3(aws).put_object(Bucket=BUCKET, Key=output, Body=json.dumps(written).encode())
    ask_and_answer(aws, review_project, good, ["rows"])

    Harvest(review_project).run()

    assert sorted(fates(aws)) == ["asked_again", "copied"]


@pytest.mark.parametrize(
    ("label", "folder"), [(None, NONE_FITS), ("no digit", f"{LABELLED}no digit/")], ids=["kept out", "a label"]
)
def test_an_image_that_shows_none_of_the_labels_is_kept(
    aws: LocalAws, review_project: ReviewProject, label: str | None, folder: str
) -> None:
    """What people found to be none of the labels was thrown away, the very images that a new label would need."""
    request = make_request(aws)
    ask_and_answer(aws, review_project, request, [None])

    Harvest(review_project, none_label=label).run()

    subject = request.name.removesuffix("-r1")
    assert [key for key in keys(aws, "") if subject in key.rpartition("/")[2]] == [f"{folder}{subject}.png"]
    assert ledger(aws)[0]["agreement"] == "none_fits"


@pytest.mark.parametrize(
    ("is_asked_for", "review_outcome", "folders"), [(False, "recorded", []), (True, "copied", ["rows"])]
)
def test_a_corrected_sample_can_enter_training(
    aws: LocalAws, review_project: ReviewProject, is_asked_for: bool, review_outcome: str, folders: list[str]
) -> None:
    """Sampled images never entered training, not even those that the model had wrong."""
    ask_and_answer(aws, review_project, make_request(aws, purpose=Purpose.AUDIT), ["rows"])

    Harvest(review_project, train_on_audits=is_asked_for).run()

    assert fates(aws) == [review_outcome]
    assert copies(aws) == folders
    assert ledger(aws)[0]["label"] == "rows"


def test_a_message_that_comes_twice_makes_no_second_copy(aws: LocalAws, review_project: ReviewProject) -> None:
    """Each delivery of a message made a copy of its own, and queues deliver some messages twice."""
    request = make_request(aws)
    ask_and_answer(aws, review_project, request, ["rows"])
    queue = client(aws, "sqs")
    (message,) = queue.receive_message(QueueUrl=review_project.queues["reviews"], VisibilityTimeout=0)["Messages"]
    for body in (message["Body"], message["Body"], "no JSON", "{}", "[]"):
        queue.send_message(QueueUrl=review_project.queues["reviews"], MessageBody=body)
    runs = Harvest(review_project)

    assert runs.run(by_queue_only=True)["reviews"] == 1
    assert messages(aws, review_project) == 0
    queue.send_message(QueueUrl=review_project.queues["reviews"], MessageBody=message["Body"])
    assert runs.run(by_queue_only=True)["reviews"] == 0
    assert runs.run()["reviews"] == 0
    assert (len(ledger(aws)), messages(aws, review_project), len(copies(aws))) == (1, 0, 1)


@pytest.mark.parametrize(
    ("how", "review_outcome", "following"),
    [
        ("expired", "asked_again", "-r2"),
        ("stopped", "asked_again", "-r2"),
        ("failed", "technical_failure", "-r1x2"),
    ],
)
def test_a_review_that_nobody_answered_is_not_lost(
    aws: LocalAws, review_project: ReviewProject, how: str, review_outcome: str, following: str
) -> None:
    """Nothing looked at reviews that expired, were stopped, or failed to show their page; their images were forgotten.

    The last kind leaves nothing behind: what it asked is known from our own record.
    """
    request = make_request(aws, reviewers=3)
    if how == "failed":
        request = replace(request, image="nowhere/that/can/be/shown")
    end(aws, review_project, request, how)

    counts = Harvest(review_project, quorum=2).run()

    (line,) = ledger(aws)
    assert (line["review_outcome"], line["status"], line["agreement"]) == (review_outcome, how, "unanswered")
    assert line["request"] == to_json(request)
    assert counts[how] == 1
    assert sorted(loops(review_project)) == sorted([request.name, request.name.replace("-r1", following)])
