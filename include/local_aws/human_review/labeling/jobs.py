"""The operations on labeling jobs: create, describe, list, stop."""

from __future__ import annotations

import hashlib
import time

from include.local_aws.human_review.labeling.managed import kind_of
from include.local_aws.human_review.labeling.progress import LONGEST_LIFE, begin, stopped
from include.local_aws.human_review.labeling.state import ENDED, LabelingJob
from include.local_aws.human_review.state import Region
from include.local_aws.human_review.templates import split_s3_uri
from include.local_aws.objects import ACCOUNT
from include.local_aws.rekognition.paging import by_position
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

_DETAILS = (
    *("LabelAttributeName", "InputConfig", "OutputConfig", "RoleArn", "LabelCategoryConfigS3Uri"),
    *("StoppingConditions", "HumanTaskConfig", "Tags"),
)


def create_labeling_job(region: Region, params: Params) -> Params:
    """Start a job over the images of a manifest; what S3 has is read after the answer, as AWS does it.

    Raises AwsError ResourceInUse for a name that any job had, ResourceLimitExceeded, ValidationException for what the
    request alone shows to be wrong, NotImplemented for what is not served here.
    """
    name = params["LabelingJobName"]
    if name in region.jobs:
        raise AwsError("ResourceInUse", f"The labeling job {name} already exists: {region.jobs[name].arn}.")
    _check(params)
    config = params["HumanTaskConfig"]
    kind = kind_of(config, region.name)
    if region.workteam(config["WorkteamArn"]) is None:
        raise AwsError("ValidationException", f"The workteam {config['WorkteamArn']} does not exist.")
    active = sum(job.status not in ENDED for job in region.jobs.values())
    region.check_quota("labeling_jobs", active, "labeling jobs in progress")
    details = {key: params[key] for key in _DETAILS if key in params}
    job = LabelingJob(**region.identity("labeling-job", name), details=details, kind=kind, modified=time.time())
    region.jobs[name] = job
    region.after("job_start", lambda: begin(region, job))
    return {"LabelingJobArn": job.arn}


def describe_labeling_job(region: Region, params: Params) -> Params:
    """Return a job: what was asked for, how far it is, and where its output is."""
    job = _find(region, params["LabelingJobName"])
    return {**_summary(job), **job.details, "JobReferenceCode": _reference(job)}


def list_labeling_jobs(region: Region, params: Params) -> Params:
    """Return a page of the jobs that fit, by creation and the oldest first unless the request says otherwise."""
    jobs = [job for job in region.jobs.values() if _fits(job, params)]
    found, token = _page(jobs, "labeling jobs", params)
    return {"LabelingJobSummaryList": [_listed(job) for job in found], "NextToken": token}


def list_labeling_jobs_for_workteam(region: Region, params: Params) -> Params:
    """Return a page of the jobs of one team."""
    code = params.get("JobReferenceCodeContains", "")
    team = params["WorkteamArn"]
    jobs = [
        job
        for job in region.jobs.values()
        if job.config["WorkteamArn"] == team and code in _reference(job) and _is_created_within(job, params)
    ]
    found, token = _page(jobs, f"labeling jobs of {team}", params)
    return {"LabelingJobSummaryList": [_for_team(job) for job in found], "NextToken": token}


def stop_labeling_job(region: Region, params: Params) -> Params:
    """Start stopping a job; workers who have a task of it open can still answer until it is Stopped."""
    job = _find(region, params["LabelingJobName"])
    if job.status in ENDED:
        raise AwsError("ValidationException", f"The labeling job {job.name} is {job.status}: it cannot be stopped.")
    if job.status != "Stopping":
        job.status, job.modified = "Stopping", time.time()
        region.after("job_stop", lambda: stopped(region, job))
    return {}


def _check(params: Params) -> None:
    """Raise what is wrong with a request by itself."""
    config, source = params["HumanTaskConfig"], params["InputConfig"]["DataSource"]
    if "SnsDataSource" in source or "LabelingJobAlgorithmsConfig" in params:
        text = "Streaming labeling jobs and automated data labeling are not served here."
        raise AwsError("NotImplemented", text, 501)
    lifetime = config.get("TaskAvailabilityLifetimeInSeconds", LONGEST_LIFE)
    wrong = {
        "LabelAttributeName must not end in -metadata.": params["LabelAttributeName"].endswith("-metadata"),
        "DataSource needs an S3DataSource.": "S3DataSource" not in source,
        "UiConfig needs UiTemplateS3Uri, and no HumanTaskUiArn, for this task type.": (
            set(config["UiConfig"]) != {"UiTemplateS3Uri"}
        ),
        "LabelCategoryConfigS3Uri is missing: this task type needs it.": "LabelCategoryConfigS3Uri" not in params,
        f"TaskAvailabilityLifetimeInSeconds is {lifetime}: at most {LONGEST_LIFE}.": lifetime > LONGEST_LIFE,
    }
    found = _wrong_output(params["OutputConfig"]["S3OutputPath"]) or next(
        (text for text, is_wrong in wrong.items() if is_wrong), None
    )
    if found:
        raise AwsError("ValidationException", found)


def _wrong_output(uri: str) -> str:
    try:
        split_s3_uri(f"{uri.rstrip('/')}/job")
    except ValueError:
        return f"S3OutputPath {uri!r} is not an s3:// URI."
    return ""


def _find(region: Region, name: str) -> LabelingJob:
    found = region.jobs.get(name)
    if found is None:
        raise AwsError("ResourceNotFound", f"The labeling job {name} does not exist.")
    return found


def _fits(job: LabelingJob, params: Params) -> bool:
    after, before = params.get("LastModifiedTimeAfter"), params.get("LastModifiedTimeBefore")
    return (
        _is_created_within(job, params)
        and (after is None or job.modified >= after.timestamp())
        and (before is None or job.modified <= before.timestamp())
        and params.get("NameContains", "") in job.name
        and params.get("StatusEquals", job.status) == job.status
    )


def _is_created_within(job: LabelingJob, params: Params) -> bool:
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    return (after is None or job.created >= after.timestamp()) and (before is None or job.created <= before.timestamp())


def _page(jobs: list[LabelingJob], kind: str, params: Params) -> tuple[list[LabelingJob], str | None]:
    by = params.get("SortBy", "CreationTime")
    jobs.sort(key=lambda job: ({"Name": job.name, "Status": job.status}.get(by, ""), job.serial))
    if params.get("SortOrder") == "Descending":
        jobs.reverse()
    return by_position(jobs, kind, params.get("NextToken"), params.get("MaxResults", 100), "ValidationException")


def _summary(job: LabelingJob) -> Params:
    return {
        "LabelingJobName": job.name,
        "LabelingJobArn": job.arn,
        "LabelingJobStatus": job.status,
        "CreationTime": job.created,
        "LastModifiedTime": job.modified,
        "LabelCounters": job.counters,
        # Of 1,024 characters at most in the service model.
        "FailureReason": job.failure_reason and job.failure_reason[:1024],
        "LabelingJobOutput": {"OutputDatasetS3Uri": job.output_uri} if job.output_uri else None,
    }


def _listed(job: LabelingJob) -> Params:
    config = job.config
    return {
        **_summary(job),
        "WorkteamArn": config["WorkteamArn"],
        "PreHumanTaskLambdaArn": config["PreHumanTaskLambdaArn"],
        "AnnotationConsolidationLambdaArn": config["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"],
        "InputConfig": job.details["InputConfig"],
    }


def _for_team(job: LabelingJob) -> Params:
    counters = job.counters
    return {
        "LabelingJobName": job.name,
        "JobReferenceCode": _reference(job),
        "WorkRequesterAccountId": ACCOUNT,
        "CreationTime": job.created,
        "LabelCounters": {
            "HumanLabeled": counters["HumanLabeled"],
            "PendingHuman": counters["Unlabeled"],
            "Total": len(job.objects),
        },
        "NumberOfHumanWorkersPerDataObject": job.config["NumberOfHumanWorkersPerDataObject"],
    }


def _reference(job: LabelingJob) -> str:
    return hashlib.sha256(job.arn.encode()).hexdigest()[:16]
