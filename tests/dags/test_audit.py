"""The sampling DAG: every n-th detection goes to people, and their answers say how often the live version is right."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.live_version import Candidate
from custom_labels.core.names import review_name
from custom_labels.core.registry import Registry
from custom_labels.deployment.live_records import move_live
from custom_labels.detection.detection import Decision, Detection
from custom_labels.detection.doubts import first_request
from custom_labels.detection.log_records import write_log
from custom_labels.operations import audit_tasks
from custom_labels.review.harvest_records import HARVESTED
from custom_labels.review.request_records import WaitingReviews
from custom_labels.review.review import Purpose
from custom_labels.s3.line_files import write_lines
from tests.kit.dag_runs import Variables, record, run_dag
from tests.kit.review_project import ReviewPlace, loops, make_request, set_up_review, wait_until_ended
from tests.kit.support import BUCKET, LABELS, client, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

VERSION = "digits-20261121T120000-abc"
PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/digits/1"


@pytest.fixture
def place(aws: LocalAws, airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> ReviewPlace:
    """A project with a live version and its review set up; what is logged is sampled at once."""
    monkeypatch.setattr(audit_tasks, "SETTLED", timedelta(0))
    made = set_up_review(aws)
    candidate = Candidate(PROJECT, VERSION, "arn:v", "d" * 64, 0.9, LABELS, champion_arn=None)
    move_live(Registry(made.store), candidate, "2026-11-21T12:00:00+00:00")
    Registry(made.store).update_version(VERSION, {"evaluation": {"f1": 0.9}})
    return made


def detections(aws: LocalAws, numbers: range) -> list[Detection]:
    """Detections of images that show rows, of which the version says so."""
    found = []
    for number in numbers:
        request = make_request(aws, number)
        found.append(
            Detection(
                image=request.image,
                key=request.key,
                etag=request.etag,
                version_name=VERSION,
                version_arn="arn:v",
                detected_at="2026-11-21T12:00:00+00:00",
                labels=(DetectedLabel("rows", 95.0),),
                minimum_confidence=70.0,
                decision=Decision.ACCEPTED,
                reason="sure",
            )
        )
    return found


def sample(run: Any) -> dict[str, Any]:
    return dict(run.xcoms["sample"])


def answered(place: ReviewPlace, found: list[Detection], *, wrong: int) -> None:
    """Let the ledger say that people agreed about audited detections, the first ``wrong`` on another label."""
    write_lines(
        place.store,
        f"{HARVESTED}2026-11-21/one.jsonl",
        [
            {
                "request": {"name": review_name("digits", each.key, each.etag, 1, audit=True)},
                "agreement": "agreed",
                "label": "columns" if number < wrong else "rows",
            }
            for number, each in enumerate(found)
        ],
    )


def test_every_nth_detection_is_shown_to_people_once(place: ReviewPlace, aws: LocalAws, variables: Variables) -> None:
    variables.set(human_sampling_interval=3)
    write_log(place.store, "one", detections(aws, range(1, 8)))

    first, second = run_dag("sample_for_audit"), run_dag("sample_for_audit")

    assert (first.state, second.state) == ("success", "success")
    assert (sample(first)["sampled"], sample(second)["sampled"]) == (2, 0)
    assert len(loops(place)) == 2
    assert "2 of 7 new detections go to people" in (first.note or "")
    assert "1 detections since the last sample" in (second.note or "")
    assert record(aws, "last_run/digits_sample_for_audit")["outcome"] == "nothing_to_sample"


def test_a_doubtful_detection_that_is_sampled_has_a_review_of_its_own(
    place: ReviewPlace, aws: LocalAws, variables: Variables
) -> None:
    """The review of its doubt shows the guess, and is opened only as far as the budget goes."""
    variables.set(human_sampling_interval=1)
    sure, doubtful = detections(aws, range(2))
    asked = review_name("digits", doubtful.key, doubtful.etag, 1)
    write_log(place.store, "one", [sure, replace(doubtful, decision=Decision.REVIEW, review=asked)])

    run = run_dag("sample_for_audit")

    assert sample(run)["sampled"] == 2
    kept = [json.loads(line) for line in read(aws, "audit/samples/00000000.jsonl").splitlines()]
    names = [review_name("digits", each.key, each.etag, 1, audit=True) for each in (sure, doubtful)]
    assert [(line["review"], line["is_doubtful"]) for line in kept] == [(names[0], False), (names[1], True)]
    assert sorted(loops(place)) == sorted(names)


@pytest.mark.slow
def test_live_accuracy_is_the_truth_when_doubts_exceed_the_budget(
    place: ReviewPlace, aws: LocalAws, variables: Variables
) -> None:
    """Of 120 detections 36 are in doubt and wait; people get 36 of the 40 samples, and do not answer three of those.

    The answers of samples that nobody doubts said 100 % here.
    """
    chance = random.Random(1)
    found = [in_doubt(each, chance) if chance.random() < 0.3 else each for each in detections(aws, range(120))]
    truth = sum(each.label == "rows" for each in found) / len(found)
    doubts = [first_request("digits", each, LABELS, Purpose.DOUBT, 1) for each in found if each.review]
    WaitingReviews(place.store).add("doubts", doubts)
    write_log(place.store, "one", found)
    variables.set(human_sampling_interval=3, daily_review_budget=36, maximum_review_rounds=1)

    run_dag("sample_for_audit")
    opened = loops(place)
    for name in opened[:3]:
        place.backend.cancel(name)
    aws.control.workforce(seconds=0)
    wait_until_ended(place, *opened)
    assert run_dag("harvest_reviews").state == "success"
    run_dag("sample_for_audit")

    overall = json.loads(read(aws, "audit/accuracy.json"))["versions"][VERSION]["overall"]
    assert not {request.name for request in doubts} & set(opened)
    assert (overall["sampled"], overall["answered"]) == (40, 33)
    assert overall["interval"][0] <= truth <= overall["interval"][1]
    assert overall["share"] == pytest.approx(truth, abs=0.08)


def in_doubt(detection: Detection, chance: random.Random) -> Detection:
    """Let the version doubt an image that shows rows, which it names right in two of five cases."""
    return replace(
        detection,
        labels=(DetectedLabel("rows" if chance.random() < 0.4 else "columns", 45.0),),
        decision=Decision.REVIEW,
        review=review_name("digits", detection.key, detection.etag, 1),
    )


def read(aws: LocalAws, key: str) -> str:
    return s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


def test_sampling_that_is_off_stays_off_however_its_frequency_is_changed(
    place: ReviewPlace, aws: LocalAws, variables: Variables
) -> None:
    """A schedule that was switched off came on again when its frequency was changed, and sampling never asked."""
    variables.set(
        enable_automatic_human_sampling="off", automatic_human_sampling_frequency=5, human_sampling_interval=1
    )
    write_log(place.store, "one", detections(aws, range(2)))

    off, overridden = run_dag("sample_for_audit"), run_dag("sample_for_audit", {"even_if_sampling_is_off": True})

    assert (off.state, off.tasks["sample"]) == ("success", "skipped")
    assert "Variable 'digits__enable_automatic_human_sampling' is off" in (off.note or "")
    assert sample(overridden)["sampled"] == 2


def test_low_live_accuracy_is_told_once_for_the_same_answers(
    place: ReviewPlace, aws: LocalAws, variables: Variables
) -> None:
    sqs = client(aws, "sqs")
    queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
    client(aws, "sns").subscribe(
        TopicArn="arn:aws:sns:us-east-1:123456789012:custom-labels-digits",
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:mail",
    )
    variables.set(human_sampling_interval=1, minimum_audit_answers=4, minimum_live_accuracy=0.8)
    found = detections(aws, range(5))
    write_log(place.store, "one", found)
    run_dag("sample_for_audit")
    answered(place, found, wrong=2)

    told, again = run_dag("sample_for_audit"), run_dag("sample_for_audit")

    assert "was right in 60.0% (95 % interval 23.1% to 88.2%; 3 of 5 samples)" in (told.note or "")
    assert "Nothing to sample" in (again.note or "")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    subjects = [json.loads(message["Body"])["Subject"] for message in messages]
    assert [subject for subject in subjects if "live accuracy is low" in subject] == subjects
    assert len(subjects) == 1
    body = json.loads(messages[0]["Body"])["Message"]
    assert "F1 of its training: 0.900" in body
    assert "arn:aws" not in body
    accuracy = json.loads(s3(aws).get_object(Bucket=BUCKET, Key="audit/accuracy.json")["Body"].read())
    assert accuracy["versions"][VERSION]["overall"]["share"] == pytest.approx(0.6)
    assert accuracy["versions"][VERSION]["f1"] == pytest.approx(0.9)
    assert accuracy["versions"][VERSION]["by_label"][0]["label"] == "rows"
    assert record(aws, f"versions/{VERSION}")["live_accuracy"]["answered"] == 5


def test_the_day_s_budget_bounds_audits_too(place: ReviewPlace, aws: LocalAws, variables: Variables) -> None:
    variables.set(human_sampling_interval=1, daily_review_budget=2)
    write_log(place.store, "one", detections(aws, range(5)))

    run = run_dag("sample_for_audit")

    assert len(loops(place)) == 2
    assert record(aws, "last_run/digits_sample_for_audit")["facts"]["Waiting for the day's budget"] == 3
    assert run.state == "success"
