"""The sampling DAG: every n-th detection goes to people, and their answers say how often the live version is right."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.domain.deployment import LiveVersion
from custom_labels.domain.detection import Decision, DetectedLabel, Detection
from custom_labels.domain.names import review_name
from custom_labels.operators import audit_steps
from custom_labels.storage.detection_log import write_log
from custom_labels.storage.harvest import HARVESTED
from custom_labels.storage.line_files import write_lines
from custom_labels.storage.registry import Registry
from tests.dags.running import Variables, record, run_dag
from tests.review_support import ReviewPlace, loops, make_request, set_up_review
from tests.support import BUCKET, LABELS, client, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

VERSION = "digits-20261121T120000-abc"


@pytest.fixture
def place(aws: LocalAws, airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> ReviewPlace:
    """A project with a live version and its review set up; what is logged is sampled at once."""
    monkeypatch.setattr(audit_steps, "SETTLED", timedelta(0))
    made = set_up_review(aws)
    live = LiveVersion(VERSION, "arn:v", "arn:p", "d" * 64, "2026-11-21T12:00:00+00:00", 0.9, LABELS)
    Registry(made.store).move_live(live, expected=None)
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


def test_a_doubtful_detection_that_is_sampled_is_asked_about_once(
    place: ReviewPlace, aws: LocalAws, variables: Variables
) -> None:
    variables.set(human_sampling_interval=1)
    sure, doubtful = detections(aws, range(2))
    asked = review_name("digits", doubtful.key, doubtful.etag, 1)
    write_log(place.store, "one", [sure, replace(doubtful, decision=Decision.REVIEW, review=asked)])

    run = run_dag("sample_for_audit")

    assert (sample(run)["sampled"], sample(run)["asked"]) == (2, 1)
    kept = s3(aws).get_object(Bucket=BUCKET, Key="audit/samples/00000000.jsonl")["Body"].read().decode()
    assert [json.loads(line)["review"] for line in kept.splitlines()][1] == asked


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
