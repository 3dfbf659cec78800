"""What the tests of deployments share: versions that were trained, judged and put on record without the train DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custom_labels.core.registry import Registry
from custom_labels.s3.store import S3Store
from tests.kit.detect_runs import point_to, start, train_versions, version_arn, wait_for_status
from tests.kit.saved_states import made_once
from tests.kit.support import BUCKET, LABELS, rekognition
from tests.kit.version_records import evaluation, put_on_record

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def registry() -> Registry:
    """Give the project's registry."""
    return Registry(S3Store(BUCKET, region_name="us-east-1"))


@made_once
def trained(aws: LocalAws, *names: str) -> str:
    """Train versions that the registry knows as judged, and give the project's ARN."""
    project = train_versions(aws, *names)
    _judged(aws, project, *names, status="TRAINING_COMPLETED")
    return project


@made_once
def copied(aws: LocalAws, name: str) -> str:
    """Train a version in another project and copy it into ours, whose registry knows it as judged; give our ARN."""
    source = train_versions(aws, "original", project_name="source")
    project = rekognition(aws).create_project(ProjectName="digits")["ProjectArn"]
    rekognition(aws).copy_project_version(
        SourceProjectArn=source,
        SourceProjectVersionArn=version_arn(aws, source, "original"),
        DestinationProjectArn=project,
        VersionName=name,
        OutputConfig={"S3Bucket": BUCKET, "S3KeyPrefix": "evaluation"},
    )
    wait_for_status(aws, project, name, "COPYING_COMPLETED")
    _judged(aws, project, name, status="COPYING_COMPLETED")
    return project


def _judged(aws: LocalAws, project: str, *names: str, status: str) -> None:
    for name in names:
        facts = {"digest": "0" * 64, "version_arn": version_arn(aws, project, name), "status": status}
        put_on_record(registry().store, name, **facts, evaluation=evaluation(0.9, *LABELS))


@made_once
def serve_in_turn(aws: LocalAws, *names: str) -> str:
    """Let versions serve one after the other; only the last of them runs. Give the project's ARN."""
    project = trained(aws, *names)
    for name in names:
        point_to(aws, project, name)
    start(aws, project, names[-1])
    put_on_record(registry().store, names[-1], status="RUNNING", minimum_inference_units=1)
    return project


def units_of(aws: LocalAws, project: str, name: str) -> tuple[Any, Any]:
    """Give the inference units that a version runs with, at least and at most."""
    found = rekognition(aws).describe_project_versions(ProjectArn=project, VersionNames=[name])
    version = found["ProjectVersionDescriptions"][0]
    return version.get("MinInferenceUnits"), version.get("MaxInferenceUnits")
