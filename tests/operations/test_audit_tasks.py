"""The steps of human sampling by themselves: what is asked of people, and when an alert about their answers is due."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.names import review_name
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.detection.detection import Decision, Detection
from custom_labels.detection.detection_records import write_log
from custom_labels.operations import audit_tasks
from custom_labels.operations.settings import AuditSettings
from custom_labels.review.harvest_records import HARVESTED
from custom_labels.review.review_tasks import open_reviews
from custom_labels.s3.line_files import write_lines
from tests.kit.audit_runs import VERSION, detections, read, set_up_sampling
from tests.kit.dag_runs import record
from tests.kit.review_project import ReviewProject, loops
from tests.kit.statsd import Statsd
from tests.kit.support import client
from tests.kit.task_contexts import default_settings, project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def review_project(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> ReviewProject:
    """A project with a live version and its review set up; what is logged is sampled at once."""
    monkeypatch.setattr(audit_tasks, "SETTLED", timedelta(0))
    return set_up_sampling(aws)


def run_steps(**changes: Any) -> RunOutcome:
    """Run the steps one after the other, as the DAG does."""
    ctx = project_context("digits_sample_for_audit")
    settings = default_settings(AuditSettings, human_sampling_interval=1, **changes)
    measured = audit_tasks.measure.function(ctx, settings)
    sampled = audit_tasks.sample.function(ctx, settings, measured)
    opened = open_reviews.function(ctx, settings)
    return audit_tasks.finish.function(ctx, settings, measured, sampled, opened)


def answered(review_project: ReviewProject, found: list[Detection], *, wrong: int) -> None:
    """Let the ledger say that people agreed about audited detections, the first ``wrong`` on another label."""
    write_lines(
        review_project.store,
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


def test_a_doubtful_detection_that_is_sampled_has_a_review_of_its_own(
    review_project: ReviewProject, aws: LocalAws
) -> None:
    """The review of its doubt shows the guess, and is opened only as far as the budget goes."""
    sure, doubtful = detections(aws, range(2))
    asked = review_name("digits", doubtful.key, doubtful.etag, 1)
    write_log(review_project.store, "one", [sure, replace(doubtful, decision=Decision.REVIEW, review=asked)])

    ended = run_steps()

    assert (ended.outcome, ended.facts["Sampled"]) == (Outcome.SAMPLED, 2)
    kept = [json.loads(line) for line in read(aws, "audit/samples/00000000.jsonl").splitlines()]
    names = [review_name("digits", each.key, each.etag, 1, audit=True) for each in (sure, doubtful)]
    assert [(line["review"], line["is_doubtful"]) for line in kept] == [(names[0], False), (names[1], True)]
    assert sorted(loops(review_project)) == sorted(names)


def test_low_live_accuracy_is_reported_once_for_the_same_answers(
    review_project: ReviewProject, aws: LocalAws, statsd: Statsd
) -> None:
    sqs = client(aws, "sqs")
    queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
    client(aws, "sns").subscribe(
        TopicArn="arn:aws:sns:us-east-1:123456789012:custom-labels-digits",
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:mail",
    )
    bounds = {"minimum_audit_answers": 4, "minimum_live_accuracy": 0.8}
    found = detections(aws, range(5))
    write_log(review_project.store, "one", found)
    run_steps(**bounds)
    answered(review_project, found, wrong=2)

    notified, again = run_steps(**bounds), run_steps(**bounds)

    assert (notified.outcome, again.outcome) == (Outcome.LIVE_ACCURACY_LOW, Outcome.NOTHING_TO_SAMPLE)
    assert "was right in 60.0% (95 % interval 23.1% to 88.2%; 3 of 5 samples)" in notified.detail
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    subjects = [json.loads(message["Body"])["Subject"] for message in messages]
    assert [subject for subject in subjects if "live accuracy is low" in subject] == subjects
    assert len(subjects) == 1
    body = json.loads(messages[0]["Body"])["Message"]
    assert "F1 of its training: 0.900" in body
    assert "arn:aws" not in body
    accuracy = json.loads(read(aws, "audit/accuracy.json"))
    assert accuracy["versions"][VERSION]["overall"]["share"] == pytest.approx(0.6)
    assert accuracy["versions"][VERSION]["f1"] == pytest.approx(0.9)
    assert accuracy["versions"][VERSION]["by_label"][0]["label"] == "rows"
    assert record(aws, f"versions/{VERSION}")["live_accuracy"]["answered"] == 5
    sent = statsd.numbers()
    assert sent["custom_labels.digits.live.accuracy"] == pytest.approx(0.6)
    assert sent["custom_labels.digits.live.accuracy_answers"] == 5
    assert sent["custom_labels.digits.reviews.opened"] == 5
    assert sent["custom_labels.digits.runs.sample_for_audit.live_accuracy_low"] == 1


def test_the_day_s_budget_bounds_audits_too(review_project: ReviewProject, aws: LocalAws) -> None:
    write_log(review_project.store, "one", detections(aws, range(5)))

    ended = run_steps(daily_review_budget=2)

    assert len(loops(review_project)) == 2
    assert ended.facts["Waiting for the day's budget"] == 3


def test_what_has_not_changed_is_neither_counted_into_a_record_nor_written_again(
    review_project: ReviewProject, aws: LocalAws
) -> None:
    found = detections(aws, range(3))
    write_log(review_project.store, "one", found)
    run_steps()
    answered(review_project, found, wrong=0)
    run_steps()
    aws.control.clear_calls()

    run_steps()

    assert aws.control.calls()["s3.PutObject"]["calls"] == 1, "how the run ended"
