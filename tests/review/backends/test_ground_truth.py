"""Reviews at Ground Truth: a job for what is opened together, each review once, answers as soon as they are there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.retries.standard import ExponentialBackoff

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.operations.bootstrap_checks import BootstrapChecks
from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendFull, ReviewBackendNotReady
from custom_labels.review.backends.ground_truth.backend import GroundTruthReviewBackend
from custom_labels.review.backends.ground_truth.job_checks import JobChecks
from custom_labels.review.backends.registry import definition_of, make_backend
from custom_labels.review.review import Answered, BoxesAnswer, LabelsAnswer, Purpose, ReviewState, ReviewStatus
from tests.kit.labeling import announce_answers, answer_image, labeling_project, set_up_labeling
from tests.kit.review_project import make_request, open_one, since_long
from tests.kit.review_requests import labels_of
from tests.kit.support import BUCKET, client, s3, wait_until
from tests.kit.task_contexts import project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

CREATE = "sagemaker.CreateLabelingJob"
BOX = Box("rows", 10, 12, 30, 20)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)


@pytest.fixture
def backend(aws: LocalAws, airflow_db: None) -> GroundTruthReviewBackend:
    return set_up_labeling(aws)[2]


def states(backend: GroundTruthReviewBackend) -> dict[str, ReviewState]:
    return {state.name: state for page in backend.states(since_long()) for state in page}


def jobs(aws: LocalAws) -> list[str]:
    listed = client(aws, "sagemaker").list_labeling_jobs()["LabelingJobSummaryList"]
    return [job["LabelingJobName"] for job in listed]


def answered(backend: GroundTruthReviewBackend, name: str) -> Answered:
    """Wait until a review has ended, and give what was said."""
    wait_until(lambda: states(backend)[name].status.is_final)
    found = backend.answers(states(backend)[name])
    assert found is not None
    return found


def test_all_that_is_opened_together_is_one_job(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    requests = [make_request(aws, number) for number in range(5)]
    backend.open(requests[:1])
    aws.control.clear_calls()

    assert backend.open(requests[1:]).new == {request.name for request in requests[1:]}

    assert aws.control.calls()[CREATE]["calls"] == 1
    assert len(jobs(aws)) == 2
    assert states(backend).keys() == {request.name for request in requests}


def test_image_has_ended_while_others_of_its_job_wait(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    first, second = make_request(aws, 1), make_request(aws, 2)
    backend.open([first, second])

    answer_image(aws, backend, first.name, "rows")

    assert labels_of(answered(backend, first.name)) == ["rows"]
    assert states(backend)[second.name].status is ReviewStatus.OPEN


def test_image_has_not_ended_before_all_people_said_something(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    request = make_request(aws, reviewers=2)
    backend.open([request])
    answer_image(aws, backend, request.name, "rows", "anna")
    assert states(backend)[request.name].status is ReviewStatus.OPEN
    answer_image(aws, backend, request.name, "columns", "berta")
    assert sorted(map(str, labels_of(answered(backend, request.name)))) == ["columns", "rows"]


def test_several_labels_come_back(aws: LocalAws) -> None:
    backend = set_up_labeling(aws, ProjectTask.MULTI_LABEL_CLASSIFICATION)[2]
    both, none = (
        make_request(aws, number, task=ProjectTask.MULTI_LABEL_CLASSIFICATION, guesses=("rows",)) for number in (1, 2)
    )
    aws.control.workforce(seconds=0, truth={both.image: ["rows", "columns"], none.image: []})

    backend.open([both, none])

    for request, labels in ((both, ("columns", "rows")), (none, ())):
        (said,) = answered(backend, request.name).answers
        assert isinstance(said, LabelsAnswer)
        assert said.labels == labels


@pytest.mark.parametrize(
    ("purpose", "kind"), [(Purpose.DOUBT, "AdjustmentBoundingBox"), (Purpose.AUDIT, "BoundingBox")]
)
def test_boxes_that_the_model_found_are_corrected_but_for_audits(aws: LocalAws, purpose: Purpose, kind: str) -> None:
    backend = set_up_labeling(aws, ProjectTask.OBJECT_DETECTION)[2]
    request = make_request(
        aws, task=ProjectTask.OBJECT_DETECTION, boxes=(BOX,), size=ImageSize(96, 96), purpose=purpose
    )
    moved = {"label": "rows", "left": 20, "top": 12, "width": 30, "height": 20}
    aws.control.workforce(seconds=0, truth={request.image: [moved]})

    backend.open([request])
    (said,) = answered(backend, request.name).answers

    assert isinstance(said, BoxesAnswer)
    assert said.boxes == (replace(BOX, left=20),)
    (job,) = jobs(aws)
    config = client(aws, "sagemaker").describe_labeling_job(LabelingJobName=job)["HumanTaskConfig"]
    assert config["PreHumanTaskLambdaArn"].endswith(f":PRE-{kind}")
    (line,) = backend.files.output_lines(job)
    status = line["answer-metadata"].get("adjustment-status")
    assert status == ("adjusted" if purpose is Purpose.DOUBT else None)


def test_what_was_said_together_counts_where_single_answers_are_missing(
    aws: LocalAws, backend: GroundTruthReviewBackend
) -> None:
    request = make_request(aws)
    backend.open([request])
    answer_image(aws, backend, request.name, "rows")
    (job,) = jobs(aws)
    wait_until(lambda: backend.hook.describe_job(job).status == "Completed")
    for key in backend.files.responses(job).values():
        s3(aws).delete_object(Bucket=BUCKET, Key=backend.store.key(key))

    assert labels_of(answered(backend, request.name)) == ["rows"]


@pytest.mark.parametrize("kind", ["lost_response", "throttle", "error"])
def test_a_job_is_created_once_when_its_answer_is_lost_or_it_is_refused_first(
    aws: LocalAws, backend: GroundTruthReviewBackend, kind: str
) -> None:
    aws.control.faults({"operation": CREATE, "kind": kind, "times": 1})
    request = make_request(aws)

    assert open_one(backend, request)

    assert len(jobs(aws)) == 1
    assert backend.open([request]).known == {request.name}


def test_reviews_of_a_run_that_was_killed_are_asked_once(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    """A claim without a job is of a run that was killed before it created the job; others may be opened beside it."""
    requests = [make_request(aws, number) for number in range(3)]
    aws.control.faults({"operation": CREATE, "kind": "error"})
    assert backend.open(requests[:2]).unsure == {request.name for request in requests[:2]}
    aws.control.faults()

    assert backend.open(requests[1:]).new == {request.name for request in requests[1:]}
    assert backend.open(requests).known == {request.name for request in requests[1:]}

    assert states(backend).keys() == {request.name for request in requests}
    assert len(jobs(aws)) == 2


def test_only_what_no_job_asks_becomes_a_new_job(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    request, other = make_request(aws, 1), make_request(aws, 2)
    backend.open([request])

    opened = backend.open([other, request])

    assert opened.new == {other.name}
    assert opened.known == {request.name}


def test_a_job_that_failed_says_why(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    aws.control.durations(job_start=0.5)
    request = make_request(aws)
    backend.open([request])
    (job,) = jobs(aws)
    s3(aws).delete_object(Bucket=BUCKET, Key=backend.store.key(f"ground-truth/jobs/{job}/page.liquid.html"))

    wait_until(lambda: states(backend)[request.name].status.is_final)

    state = states(backend)[request.name]
    assert (state.status, state.answers_uri) == (ReviewStatus.FAILED, None)
    assert "UiTemplateS3Uri" in state.reason


def test_an_image_that_failed_says_why_and_others_are_answered(
    aws: LocalAws, backend: GroundTruthReviewBackend
) -> None:
    fine, gone = make_request(aws, 1), make_request(aws, 2)
    page = backend.part.template_path(backend.project.task).read_text()
    mark = "{% if task.input.taskObject contains '0002' %}{{ 1 | grant_read_access }}{% endif %}</crowd-form>"
    backend.template = lambda: page.replace("</crowd-form>", mark)  # type: ignore[method-assign]
    backend.open([fine, gone])
    answer_image(aws, backend, fine.name, "rows")

    wait_until(lambda: states(backend)[gone.name].status.is_final)

    state = states(backend)[gone.name]
    assert (state.status, state.answers_uri) == (ReviewStatus.FAILED, None)
    assert "cannot be rendered" in state.reason
    assert labels_of(answered(backend, fine.name)) == ["rows"]


def test_a_status_that_nobody_knows_is_unknown(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    request = make_request(aws)
    backend.open([request])
    aws.control.statuses({"resource": "*", "status": "Archived"})

    state = states(backend)[request.name]

    assert (state.status, "'Archived'" in state.reason) == (ReviewStatus.UNKNOWN, True)


def test_one_of_a_job_is_cancelled_without_the_others(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    first, second = make_request(aws, 1), make_request(aws, 2)
    backend.open([first, second])

    backend.cancel([first.name])

    assert states(backend)[first.name].status is ReviewStatus.STOPPED
    assert states(backend)[second.name].status is ReviewStatus.OPEN
    backend.cancel([second.name])
    wait_until(lambda: {state.status for state in states(backend).values()} == {ReviewStatus.STOPPED})
    assert backend.hook.describe_job(jobs(aws)[0]).status == "Stopped"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"quotas": {"labeling_jobs": 0}}, ReviewBackendFull),
        ({"part": {"workteam_arn": "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/x"}}, None),
        ({"region": "eu-north-1"}, None),
    ],
    ids=["full", "no team", "region"],
)
def test_what_no_repeat_can_mend_says_so(
    aws: LocalAws, airflow_db: None, fault: dict[str, Any], error: type[Exception] | None
) -> None:
    _, store, _ = set_up_labeling(aws)
    aws.control.quotas(**fault.get("quotas", {}))
    project = labeling_project(**fault.get("part", {}))
    if "region" in fault:
        project = project.model_copy(update={"region_name": fault["region"]})
    backend = GroundTruthReviewBackend(project, store)
    request = make_request(aws)

    opened = backend.open([request])

    assert opened.is_over
    assert [type(trouble) for trouble in opened.troubles] == [error or ReviewBackendNotReady]
    assert not opened.new | opened.known | opened.unsure
    assert "digits.yaml" in str(opened.troubles[0]) or "Service Quotas" in str(opened.troubles[0])


def test_another_project_named_alike_is_left_alone(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    project = backend.project.model_copy(update={"prefix": "other/"})
    other = make_backend(project, type(backend.store)(BUCKET, "other/", "aws_default", "us-east-1"))
    other.open([make_request(aws)])

    assert states(backend) == {}
    assert list(backend.open_jobs()) == []


def test_a_down_backend_is_an_error_that_passes(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    backend.open([make_request(aws)])
    aws.control.faults({"operation": "sagemaker.*", "kind": "throttle"})

    with pytest.raises(ReviewBackendError, match="ListLabelingJobs of digits-reviews-") as raised:
        states(backend)
    assert raised.value.is_passing


def test_an_answer_reaches_the_queue(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    announce_answers(aws)
    ctx = project_context("digits_bootstrap")
    ctx.project = backend.project
    assert BootstrapChecks(ctx).announced_reviews().startswith("rule answers to ")
    request = make_request(aws)
    backend.open([request])
    answer_image(aws, backend, request.name, "rows")

    sqs = client(aws, "sqs")
    url = sqs.get_queue_url(QueueName=f"{BUCKET}-reviews")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)["Messages"]

    (state,) = (backend.state_from_event(json.loads(message["Body"])) for message in messages)
    assert state is not None
    assert (state.name, state.status) == (request.name, ReviewStatus.COMPLETED)


def test_an_answer_is_announced_by_its_file(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    request = make_request(aws, reviewers=2)
    backend.open([request])
    for person in ("anna", "berta"):
        answer_image(aws, backend, request.name, "rows", person)
    (job,) = jobs(aws)
    (key,) = backend.files.responses(job).values()
    body = {"source": "aws.s3", "detail": {"bucket": {"name": BUCKET}, "object": {"key": backend.store.key(key)}}}

    state = backend.state_from_event(body)

    assert state is not None
    assert (state.name, state.status) == (request.name, ReviewStatus.COMPLETED)
    assert abs(datetime.fromisoformat(state.created_at) - datetime.now(UTC)) < timedelta(minutes=5)
    found = backend.answers(state)
    assert found is not None
    assert labels_of(found) == ["rows", "rows"]


@pytest.mark.parametrize(
    "file", ["manifests/output/output.manifest", "annotations/worker-response/iteration-1/99/x.json"]
)
def test_other_files_of_a_job_end_no_review(aws: LocalAws, backend: GroundTruthReviewBackend, file: str) -> None:
    backend.open([make_request(aws)])
    key = backend.store.key(f"ground-truth/output/{jobs(aws)[0]}/{file}")
    body = {"source": "aws.s3", "detail": {"bucket": {"name": BUCKET}, "object": {"key": key}}}

    state = backend.state_from_event(body)

    assert state is not None
    assert not state.status.is_final


def test_what_it_needs_is_checked(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    backend.open([make_request(aws)])
    ctx = project_context("digits_bootstrap")
    ctx.project = backend.project
    checks = {check.subject: check.run() for check in JobChecks(ctx).all()}
    assert checks["labeling jobs"] == "1 in progress in us-east-1"
    assert checks["review page"].startswith("rendered with")
    assert len(checks) == 5


def test_tear_down_stops_what_is_open(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    backend.open([make_request(aws)])
    definition = definition_of(backend.project)
    (job,) = jobs(aws)

    for dry_run in (True, False):
        words = list(definition.tear_down(backend.project, backend.store, dry_run=dry_run))
        assert words == [f"labeling job {job} is stopped"]
    wait_until(lambda: backend.hook.describe_job(job).status == "Stopped")
    assert list(definition.tear_down(backend.project, backend.store, dry_run=False)) == []


def test_set_up_has_another_name_after_each_change(aws: LocalAws, backend: GroundTruthReviewBackend) -> None:
    other = GroundTruthReviewBackend(labeling_project(task_seconds=60), backend.store)
    assert backend.setup_name() == GroundTruthReviewBackend(labeling_project(), backend.store).setup_name()
    assert backend.setup_name() != other.setup_name()
