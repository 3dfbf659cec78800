"""Labeling jobs: how they are created, listed and stopped, and what they tell of themselves."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.labeling_support import Jobs, lambda_arn, page
from tests.local_aws.review_support import send
from tests.local_aws.support import BUCKET, Aws, wait_for
from tests.local_aws.test_loops import queue_for_events
from tests.local_aws.test_portal import PORTAL, form_of

MISSING_TEAM = "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/nope"
OWN = "123456789012"


@pytest.fixture
def jobs(aws: Aws) -> Jobs:
    return Jobs(aws)


def names(answer: dict[str, Any]) -> list[str]:
    return [job["LabelingJobName"] for job in answer["LabelingJobSummaryList"]]


def counters(job: dict[str, Any]) -> list[int]:
    found = job["LabelCounters"]
    return [found[name] for name in ("TotalLabeled", "HumanLabeled", "FailedNonRetryableError", "Unlabeled")]


def test_job_is_in_progress_with_nothing_labeled(jobs: Jobs) -> None:
    arn = jobs.create()
    found = jobs.becomes("InProgress")
    assert found["LabelingJobArn"] == arn == "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/job"
    assert counters(found) == [0, 0, 0, 2]
    asked = jobs.request()
    assert {name: found[name] for name in asked} == asked
    assert found["JobReferenceCode"]
    assert "LabelingJobOutput" not in found


def test_job_is_initializing_first(jobs: Jobs) -> None:
    jobs.aws.control.durations(job_start=60)
    jobs.create()
    assert jobs.job()["LabelingJobStatus"] == "Initializing"


def test_name_is_taken_even_by_a_job_that_ended(jobs: Jobs) -> None:
    jobs.create()
    jobs.sagemaker.stop_labeling_job(LabelingJobName="job")
    jobs.becomes("Stopped")
    with pytest.raises(ClientError, match="already exists") as raised:
        jobs.create()
    assert raised.value.response["Error"]["Code"] == "ResourceInUse"


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ({"PreHumanTaskLambdaArn": lambda_arn("PRE-ImageMultiClass", "eu-west-1")}, "must be in us-east-1"),
        ({"PreHumanTaskLambdaArn": lambda_arn("PRE-ImageMultiClass", account="9" * 12)}, "cannot be invoked"),
        ({"PreHumanTaskLambdaArn": lambda_arn("ACS-ImageMultiClass")}, "cannot be invoked"),
        ({"PreHumanTaskLambdaArn": lambda_arn("PRE-BoundingBox")}, "must be of the same task type"),
        ({"WorkteamArn": MISSING_TEAM}, "does not exist"),
        ({"TaskAvailabilityLifetimeInSeconds": 2_592_001}, "at most 2592000"),
        ({"UiConfig": {}}, "needs UiTemplateS3Uri"),
        ({"NumberOfHumanWorkersPerDataObject": 10}, "less than or equal to 9"),
        ({"TaskTimeLimitInSeconds": 29}, "greater than or equal to 30"),
        ({"TaskTitle": "x" * 129}, "failed to satisfy constraint"),
    ],
    ids=[
        *("region", "account", "other function", "two types", "no team", "lifetime", "no page", "workers", "limit"),
        "title",
    ],
)
def test_job_is_refused_when_its_tasks_are_wrong(jobs: Jobs, task: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as raised:
        jobs.create(**task)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"LabelAttributeName": "label-metadata"}, "must not end in -metadata"),
        ({"InputConfig": {"DataSource": {}}}, "needs an S3DataSource"),
        ({"OutputConfig": {"S3OutputPath": "https://elsewhere/x"}}, "is not an s3:// URI"),
        ({"LabelingJobName": "a_b"}, "failed to satisfy constraint"),
    ],
    ids=["attribute", "no manifest", "output", "name"],
)
def test_job_is_refused_when_the_request_is_wrong(jobs: Jobs, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as raised:
        jobs.create(changes=changes)
    assert says in str(raised.value)


def test_job_is_refused_without_a_category_file(jobs: Jobs) -> None:
    request = jobs.request()
    del request["LabelCategoryConfigS3Uri"]
    with pytest.raises(ClientError, match="LabelCategoryConfigS3Uri is missing"):
        jobs.sagemaker.create_labeling_job(**request)


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ({"PreHumanTaskLambdaArn": lambda_arn("PRE-ImageMultiClass", account=OWN)}, {}),
        ({}, {"LabelingJobAlgorithmsConfig": {"LabelingJobAlgorithmSpecificationArn": "arn:aws:x"}}),
    ],
    ids=["own function", "automated labeling"],
)
def test_what_is_not_served_says_so_at_once(jobs: Jobs, task: dict[str, Any], changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as raised:
        jobs.create(changes=changes, **task)
    assert raised.value.response["Error"]["Code"] == "NotImplemented"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_job_is_refused_when_too_many_are_in_progress(jobs: Jobs) -> None:
    jobs.aws.control.quotas(labeling_jobs=1)
    jobs.create("first")
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        jobs.create("second")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("job.manifest", None, "cannot be read"),
        ("job.manifest", "", "has 0 objects"),
        ("job.manifest", '{"source-ref": ', "Line 1 of the manifest"),
        ("job.manifest", '{"source": "text"}', "has no 'source-ref'"),
        ("job.manifest", '{"source-ref": "https://x/y.png"}', "is not a valid S3 URI"),
        ("job.json", None, "cannot be read"),
        ("job.json", "[", "is not valid JSON"),
        ("job.json", '{"labels": []}', "has no list 'labels'"),
        ("job.json", '{"labels": [{"name": "dots"}]}', "has an entry without a 'label'"),
        ("job.json", '{"labels": [{"label": "dots"}, {"label": "dots"}]}', "has a label twice"),
        ("job.html", None, "cannot be read"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_job_fails_when_what_it_reads_is_wrong(jobs: Jobs, file: str, content: str | None, says: str) -> None:
    jobs.aws.control.durations(job_start=0.3)
    jobs.create()
    if content is None:
        jobs.aws.s3.delete_object(Bucket=BUCKET, Key=f"jobs/{file}")
    else:
        jobs.aws.put(f"jobs/{file}", content)
    found = jobs.becomes("Failed")
    assert found["FailureReason"].startswith("ClientError: ")
    assert says in found["FailureReason"]


def test_job_fails_when_the_output_bucket_is_missing(jobs: Jobs) -> None:
    jobs.create(changes={"OutputConfig": {"S3OutputPath": "s3://missing/x"}})
    assert "missing" in jobs.becomes("Failed")["FailureReason"]


def test_correction_needs_another_attribute_than_it_corrects(jobs: Jobs) -> None:
    jobs.create(kind="AdjustmentBoundingBox", lines=jobs.lines("dots", label={}))
    assert "choose another name" in jobs.becomes("Failed")["FailureReason"]


def test_stopped_job_keeps_what_was_labeled(jobs: Jobs) -> None:
    jobs.aws.control.workforce(workers=1, seconds=0)
    jobs.create(lines=jobs.lines("dots", "plain", "bars"), MaxConcurrentTaskCount=2)
    wait_for(lambda: counters(jobs.job())[0], 2)
    jobs.sagemaker.stop_labeling_job(LabelingJobName="job")
    assert counters(jobs.becomes("Stopped")) == [2, 2, 0, 1]
    assert [line.get("label") for line in jobs.output()] == [0, None, 1]
    assert "label-metadata" not in jobs.output()[1]


def test_job_cannot_be_stopped_twice_once_it_ended(jobs: Jobs) -> None:
    jobs.aws.control.durations(job_stop=0.5)
    jobs.create()
    jobs.sagemaker.stop_labeling_job(LabelingJobName="job")
    jobs.sagemaker.stop_labeling_job(LabelingJobName="job")
    assert jobs.job()["LabelingJobStatus"] == "Stopping"
    jobs.becomes("Stopped")
    with pytest.raises(ClientError, match="is Stopped: it cannot be stopped"):
        jobs.sagemaker.stop_labeling_job(LabelingJobName="job")


def test_job_stops_by_itself_when_enough_is_labeled(jobs: Jobs) -> None:
    jobs.aws.control.workforce(workers=1, seconds=0)
    conditions = {"StoppingConditions": {"MaxHumanLabeledObjectCount": 1}}
    jobs.create(lines=jobs.lines("dots", "bars", "bars"), changes=conditions, MaxConcurrentTaskCount=1)
    assert counters(jobs.becomes("Stopped")) == [1, 1, 0, 2]


@pytest.mark.parametrize("operation", ["describe_labeling_job", "stop_labeling_job"])
def test_job_is_not_found_when_it_was_never_created(jobs: Jobs, operation: str) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        getattr(jobs.sagemaker, operation)(LabelingJobName="nope")


def test_jobs_are_listed_by_filters_in_pages(jobs: Jobs) -> None:
    for name in ("b-first", "a-second", "b-third"):
        jobs.create(name)
    jobs.sagemaker.stop_labeling_job(LabelingJobName="a-second")
    jobs.becomes("Stopped", "a-second")
    listed = jobs.sagemaker.list_labeling_jobs
    assert names(listed()) == ["b-first", "a-second", "b-third"]
    assert names(listed(SortBy="Name", SortOrder="Descending")) == ["b-third", "b-first", "a-second"]
    assert names(listed(NameContains="b-")) == ["b-first", "b-third"]
    assert names(listed(StatusEquals="Stopped")) == ["a-second"]
    second = dt.timedelta(seconds=2)  # the SDK sends whole seconds
    created, modified = jobs.job("b-first")["CreationTime"], jobs.job("a-second")["LastModifiedTime"]
    for name in ("CreationTime", "LastModifiedTime"):
        assert names(listed(**{f"{name}Before": created - second})) == []
        assert names(listed(**{f"{name}After": modified + second})) == []
        assert len(names(listed(**{f"{name}After": created - second}))) == 3
    first = listed(MaxResults=2)
    assert names(listed(MaxResults=2, NextToken=first["NextToken"])) == ["b-third"]
    with pytest.raises(ClientError, match="ValidationException"):
        listed(NextToken="nope")


def test_jobs_of_a_team_are_listed(jobs: Jobs) -> None:
    jobs.create()
    jobs.becomes("InProgress")
    listed = jobs.sagemaker.list_labeling_jobs_for_workteam
    (found,) = listed(WorkteamArn=jobs.team())["LabelingJobSummaryList"]
    assert found["LabelCounters"] == {"HumanLabeled": 0, "PendingHuman": 2, "Total": 2}
    assert listed(WorkteamArn=MISSING_TEAM)["LabelingJobSummaryList"] == []


def test_event_says_how_a_job_ended(jobs: Jobs) -> None:
    detail = {"LabelingJobStatus": ["Completed", "Failed", "Stopped"]}
    kind = ["SageMaker Ground Truth Labeling Job State Change"]
    url = queue_for_events(jobs.aws, {"source": ["aws.sagemaker"], "detail-type": kind, "detail": detail})
    jobs.aws.control.workforce(seconds=0)
    arn = jobs.create()
    received = jobs.aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    event = json.loads(received[0]["Body"])
    assert (event["resources"], event["detail"]) == ([arn], {"LabelingJobStatus": "Completed"})


def test_person_answers_at_the_portal(jobs: Jobs) -> None:
    jobs.create()
    wait_for(lambda: "2 open tasks" in send(jobs.aws, "GET", PORTAL)[1], True)
    assert ">job<" in send(jobs.aws, "GET", PORTAL)[1]
    for number, label in enumerate(("dots", "bars")):
        path = f"{PORTAL}task?{urlencode({'worker': 'anna', 'region': 'us-east-1', 'loop': f'job/{number}'})}"
        form = form_of(send(jobs.aws, "GET", path)[1])
        said = json.dumps({"crowd-image-classifier": {"label": label}})
        assert send(jobs.aws, "POST", f"{PORTAL}task", {**form, "answer": said})[0] == 303
    jobs.becomes("Completed")
    assert [line["label-metadata"]["class-name"] for line in jobs.output()] == ["dots", "bars"]


def test_statuses_tell_another_status(jobs: Jobs) -> None:
    jobs.create()
    jobs.aws.control.statuses({"resource": "*/job", "status": "Paused"})
    assert jobs.job()["LabelingJobStatus"] == "Paused"
    assert jobs.sagemaker.list_labeling_jobs()["LabelingJobSummaryList"][0]["LabelingJobStatus"] == "Paused"


def test_state_with_a_job_is_not_kept(jobs: Jobs) -> None:
    jobs.create()
    with pytest.raises(RuntimeError, match="labeling jobs cannot be kept"):
        jobs.aws.control.save("state")


def test_image_fails_when_its_page_cannot_be_rendered(jobs: Jobs) -> None:
    broken = page(more="{% if task.input.manifestLine.number == 0 %}{{ 1 | grant_read_access }}{% endif %}")
    jobs.aws.control.workforce(seconds=0)
    jobs.create(template=broken)
    assert counters(jobs.becomes("Completed")) == [1, 1, 1, 0]
    failed, labeled = jobs.output()
    assert ({*failed} - {"source-ref", "number"}, {*failed["label-metadata"]}) == (
        {"label-metadata"},
        {"failure-reason", "job-name"},
    )
    assert "cannot be rendered" in failed["label-metadata"]["failure-reason"]
    assert labeled["label"] == 1
