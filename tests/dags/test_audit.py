"""The sampling DAG: every n-th detection goes to people, and their answers say how often the live version is right."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.names import review_name
from custom_labels.detection.detection import Decision, Detection, first_request
from custom_labels.detection.detection_records import write_log
from custom_labels.operations import audit_tasks
from custom_labels.review.review import Purpose
from custom_labels.review.waiting_records import WaitingReviews
from tests.kit.audit_runs import VERSION, detections, read, set_up_sampling
from tests.kit.dag_runs import Variables, record, run_dag
from tests.kit.review_project import ReviewProject, loops, stop, wait_until_ended
from tests.kit.support import LABELS

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def review_project(aws: LocalAws, airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> ReviewProject:
    """A project with a live version and its review set up; what is logged is sampled at once."""
    monkeypatch.setattr(audit_tasks, "SETTLED", timedelta(0))
    return set_up_sampling(aws)


def sample(run: Any) -> dict[str, Any]:
    return dict(run.xcoms["sample"])


def test_every_nth_detection_is_shown_to_people_once(
    review_project: ReviewProject, aws: LocalAws, variables: Variables
) -> None:
    variables.set(human_sampling_interval=3)
    write_log(review_project.store, "one", detections(aws, range(1, 8)))

    first, second = run_dag("sample_for_audit"), run_dag("sample_for_audit")

    assert (first.state, second.state) == ("success", "success")
    assert (sample(first)["sampled"], sample(second)["sampled"]) == (2, 0)
    assert len(loops(review_project)) == 2
    assert "2 of 7 new detections go to people" in (first.note or "")
    assert "1 detections since the last sample" in (second.note or "")
    assert record(aws, "last_run/digits_sample_for_audit")["outcome"] == "nothing_to_sample"


@pytest.mark.slow
def test_live_accuracy_is_the_truth_when_doubts_exceed_the_budget(
    review_project: ReviewProject, aws: LocalAws, variables: Variables
) -> None:
    """Of 120 detections 36 are in doubt and wait; people get 36 of the 40 samples, and do not answer three of those.

    The answers of samples that nobody doubts said 100 % here.
    """
    chance = random.Random(1)
    found = [in_doubt(each, chance) if chance.random() < 0.3 else each for each in detections(aws, range(120))]
    truth = sum(each.label == "rows" for each in found) / len(found)
    doubts = [first_request("digits", each, LABELS, Purpose.DOUBT, 1) for each in found if each.review]
    WaitingReviews(review_project.store).add("doubts", doubts)
    write_log(review_project.store, "one", found)
    variables.set(human_sampling_interval=3, daily_review_budget=36, maximum_review_rounds=1)

    run_dag("sample_for_audit")
    opened = sorted(loops(review_project))  # by name: threads open them, in whatever order
    for name in opened[:3]:
        stop(review_project, name)
    aws.control.workforce(seconds=0)
    wait_until_ended(review_project, *opened)
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


def test_sampling_that_is_off_stays_off_however_its_frequency_is_changed(
    review_project: ReviewProject, aws: LocalAws, variables: Variables
) -> None:
    """A schedule that was switched off came on again when its frequency was changed, and sampling never asked."""
    variables.set(
        enable_automatic_human_sampling="off", automatic_human_sampling_frequency=5, human_sampling_interval=1
    )
    write_log(review_project.store, "one", detections(aws, range(2)))

    off, overridden = run_dag("sample_for_audit"), run_dag("sample_for_audit", {"even_if_sampling_is_off": True})

    assert (off.state, off.tasks["sample"]) == ("success", "skipped")
    assert "Variable 'digits__enable_automatic_human_sampling' is off" in (off.note or "")
    assert sample(overridden)["sampled"] == 2
