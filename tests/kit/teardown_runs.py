"""What the tests of the teardown share: runs of it, and all that AWS has of every project."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.kit.dag_runs import Run, run_dag
from tests.kit.support import client, rekognition, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

SINCE = datetime(2020, 1, 1, tzinfo=UTC)

tear_down = partial(run_dag, "teardown", {"dry_run": False})


def delete_all(project: str = "digits") -> Run:
    """Take the project away with its images and records."""
    return run_dag("teardown", {"dry_run": False, "delete_images_and_records": True, "confirm_project_name": project})


def objects(aws: LocalAws, bucket: str, prefix: str = "") -> dict[str, str]:
    """Give the ETag of every object below a prefix, by its key."""
    pages = s3(aws).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", [])}


def models(aws: LocalAws, project: str = "") -> list[str]:
    """List projects, versions and datasets at Custom Labels with their statuses.

    :param project: of this one alone.
    """
    asked, found = rekognition(aws), []
    for each in asked.describe_projects()["ProjectDescriptions"]:
        if project in {"", each["ProjectArn"].split("/")[1]}:
            found.append(f"{each['ProjectArn']} {each['Status']}")
            found += [f"{dataset['DatasetArn']} {dataset['Status']}" for dataset in each["Datasets"]]
            versions = asked.describe_project_versions(ProjectArn=each["ProjectArn"])["ProjectVersionDescriptions"]
            found += [f"{version['ProjectVersionArn']} {version['Status']}" for version in versions]
    return found


def review_set_up(aws: LocalAws) -> list[str]:
    """List flows, worker pages, loops that have not ended and labeling jobs that have not."""
    sagemaker, runtime = client(aws, "sagemaker"), client(aws, "sagemaker-a2i-runtime")
    flows: list[dict[str, Any]] = sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]
    found = [f"flow {flow['FlowDefinitionName']} {flow['FlowDefinitionStatus']}" for flow in flows]
    pages = sagemaker.list_human_task_uis()["HumanTaskUiSummaries"]
    found += [f"page {page['HumanTaskUiName']}" for page in pages]
    for flow in flows:
        loops = runtime.list_human_loops(FlowDefinitionArn=flow["FlowDefinitionArn"], CreationTimeAfter=SINCE)
        found += [
            f"loop {loop['HumanLoopName']}"
            for loop in loops["HumanLoopSummaries"]
            if loop["HumanLoopStatus"] in {"InProgress", "Stopping"}
        ]
    jobs = sagemaker.list_labeling_jobs()["LabelingJobSummaryList"]
    ended = {"Completed", "Failed", "Stopped"}
    found += [f"job {job['LabelingJobName']}" for job in jobs if job["LabelingJobStatus"] not in ended]
    return found
