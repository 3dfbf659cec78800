"""Answers of labeling jobs become training images, by the rules that hold at every backend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.keys import LABELING_JOBS, LABELING_OUTPUT
from custom_labels.review.backends.ground_truth.backend import GroundTruthReviewBackend
from custom_labels.review.backends.ground_truth.job_files import JobFiles
from custom_labels.review.backends.ground_truth.job_states import JobStates, LabelingJob
from custom_labels.review.review import ReviewStatus
from custom_labels.s3.line_files import write_lines
from tests.kit.harvests import Harvest, ask, copies, fates, messages
from tests.kit.labeling import announce_answers, answer_image, set_up_labeling
from tests.kit.review_project import ReviewProject, make_request
from tests.kit.review_requests import request_for

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

BEGIN = datetime(2026, 11, 28, 10, tzinfo=UTC)
LIFETIME = timedelta(hours=2)
REASON = {"answer-metadata": {"failure-reason": "it went wrong"}}


@pytest.fixture
def labeling(aws: LocalAws, airflow_db: None) -> ReviewProject:
    project, store, backend = set_up_labeling(aws)
    return ReviewProject(project, store, cast("Any", backend), {"reviews": str(project.queues.reviews)})


def backend_of(labeling: ReviewProject) -> GroundTruthReviewBackend:
    return cast("GroundTruthReviewBackend", labeling.backend)


def test_consensus_is_of_single_answers_and_a_disagreement_asks_once_more(
    aws: LocalAws, labeling: ReviewProject
) -> None:
    """AWS's own consolidation has a label for every image; two who disagree are no consensus here."""
    agreed, disputed = (make_request(aws, number, reviewers=2) for number in (1, 2))
    ask(labeling, agreed, disputed)
    for person, said in (("anna", "rows"), ("berta", "columns")):
        answer_image(aws, backend_of(labeling), agreed.name, "rows", person)
        answer_image(aws, backend_of(labeling), disputed.name, said, person)
    harvest = Harvest(labeling, quorum=2)

    assert harvest.run()["reviews"] == 2

    assert copies(aws) == ["rows"]
    assert sorted(fates(aws)) == ["asked_again", "copied"]
    (again,) = (
        state
        for page in backend_of(labeling).states(datetime.now(UTC) - LIFETIME)
        for state in page
        if "-r2" in state.name
    )
    answer_image(aws, backend_of(labeling), again.name, "columns", "carla")
    harvest.run()
    assert sorted(copies(aws)) == ["columns", "rows"]


def test_an_announced_answer_is_harvested_by_its_message_alone(aws: LocalAws, labeling: ReviewProject) -> None:
    announce_answers(aws)
    first, second = make_request(aws, 1), make_request(aws, 2)
    ask(labeling, first, second)
    answer_image(aws, backend_of(labeling), first.name, "rows")

    assert Harvest(labeling).run(by_queue_only=True)["reviews"] == 1

    assert copies(aws) == ["rows"]
    assert messages(aws, labeling) == 0


@pytest.mark.parametrize(
    ("status", "hours", "line", "expected"),
    [
        ("InProgress", 1, None, ReviewStatus.OPEN),
        ("Stopping", 1, None, ReviewStatus.OPEN),
        ("Completed", 1, {"answer": 0, "answer-metadata": {}}, ReviewStatus.COMPLETED),
        ("Stopped", 1, {"answer": 0, "answer-metadata": {}}, ReviewStatus.COMPLETED),
        ("Completed", 1, REASON, ReviewStatus.FAILED),
        ("Completed", 2, REASON, ReviewStatus.EXPIRED),
        ("Stopped", 1, {}, ReviewStatus.STOPPED),
        ("Failed", 1, None, ReviewStatus.FAILED),
        ("Completed", 1, {}, ReviewStatus.FAILED),
        ("Archived", 1, None, ReviewStatus.UNKNOWN),
    ],
    ids=[
        *("open", "stopping", "labeled", "labeled before the stop", "failed", "expired", "stopped", "job failed"),
        *("no reason", "unknown"),
    ],
)
def test_state_of_an_image_is_told_by_its_job_and_its_line(
    labeling: ReviewProject, status: str, hours: int, line: dict[str, Any] | None, expected: ReviewStatus
) -> None:
    request = request_for()
    write_lines(labeling.store, f"{LABELING_JOBS}job/input.manifest", [{"review": to_json(request)}])
    if line is not None:
        write_lines(labeling.store, f"{LABELING_OUTPUT}job/manifests/output/output.manifest", [line])
    job = LabelingJob("job", status, BEGIN, BEGIN + timedelta(hours=hours))

    (state,) = JobStates(JobFiles(labeling.store), job, LIFETIME).all()

    assert (state.name, state.status) == (request.name, expected)
    assert (state.answers_uri is not None) == (expected is ReviewStatus.COMPLETED)
