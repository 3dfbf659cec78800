"""What the tests of the detect DAG share: a version that serves, images in the inbox, events, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from custom_labels.core.live_version import Candidate
from custom_labels.core.registry import Registry
from custom_labels.deployment.live_records import move_live
from custom_labels.s3.store import S3Store
from tests.kit.dag_runs import Run, run_dag
from tests.kit.saved_states import made_once
from tests.kit.support import BUCKET, LABELS, client, manifests, picture, rekognition, s3, wait_until

if TYPE_CHECKING:
    from mypy_boto3_rekognition.type_defs import S3ObjectTypeDef

    from include.local_aws.process import LocalAws

INBOX = "images_for_detection/"
OUTPUT = {"S3Bucket": BUCKET, "S3KeyPrefix": "evaluation"}

detect = partial(run_dag, "detect")


@made_once
def train_versions(aws: LocalAws, *names: str, project_name: str = "digits") -> str:
    """Train versions of a project, without a DAG, and give the project's ARN."""
    return train_on(aws, manifests(aws), *names, project_name=project_name)


def train_on(aws: LocalAws, uris: Mapping[str, str], *names: str, project_name: str = "digits") -> str:
    """Train versions on the manifests of a TRAIN and a TEST dataset, and give the project's ARN."""
    asked = rekognition(aws)
    project = asked.create_project(ProjectName=project_name)["ProjectArn"]
    for kind, uri in uris.items():
        s3_object: S3ObjectTypeDef = {"Bucket": BUCKET, "Name": uri.removeprefix(f"s3://{BUCKET}/")}
        arn = asked.create_dataset(
            ProjectArn=project,
            DatasetType=kind,  # type: ignore[arg-type]
            DatasetSource={"GroundTruthManifest": {"S3Object": s3_object}},
        )["DatasetArn"]
        while asked.describe_dataset(DatasetArn=arn)["DatasetDescription"]["Status"] == "CREATE_IN_PROGRESS":
            pass
    for name in names:
        asked.create_project_version(ProjectArn=project, VersionName=name, OutputConfig=OUTPUT)  # type: ignore[arg-type]
        wait_for_status(aws, project, name, "TRAINING_COMPLETED")
    return project


def version_arn(aws: LocalAws, project: str, name: str) -> str:
    found = rekognition(aws).describe_project_versions(ProjectArn=project, VersionNames=[name])
    return found["ProjectVersionDescriptions"][0]["ProjectVersionArn"]


def wait_for_status(aws: LocalAws, project: str, name: str, status: str) -> None:
    asked = rekognition(aws)

    def is_there() -> bool:
        found = asked.describe_project_versions(ProjectArn=project, VersionNames=[name])
        return found["ProjectVersionDescriptions"][0]["Status"] == status

    wait_until(is_there, 300)


def start(aws: LocalAws, project: str, name: str, units: int = 1) -> None:
    """Start a version and wait until it runs."""
    arn = version_arn(aws, project, name)
    rekognition(aws).start_project_version(ProjectVersionArn=arn, MinInferenceUnits=units)
    wait_for_status(aws, project, name, "RUNNING")


def point_to(aws: LocalAws, project: str, name: str, labels: Sequence[str] = LABELS) -> None:
    """Move the serving pointer."""
    registry = Registry(S3Store(BUCKET, region_name="us-east-1"))
    before = registry.live()
    candidate = Candidate(
        version_name=name,
        version_arn=version_arn(aws, project, name),
        project_arn=project,
        digest="0" * 64,
        f1=1.0,
        labels=tuple(labels),
        champion_arn=before.version_arn if before else None,
    )
    move_live(registry, candidate, datetime.now(UTC).isoformat(timespec="seconds"))


@made_once
def serve(aws: LocalAws, *names: str) -> str:
    """Train versions and let the first of them serve; give the project's ARN."""
    names = names or ("v1",)
    project = train_versions(aws, *names)
    start(aws, project, names[0])
    point_to(aws, project, names[0])
    return project


def put(aws: LocalAws, name: str, content: bytes | None = None) -> str:
    """Put an image into the inbox and give its ETag."""
    body = picture("rows", 7) if content is None else content
    return s3(aws).put_object(Bucket=BUCKET, Key=f"{INBOX}{name}", Body=body)["ETag"].strip('"')


def event(name: str, etag: str = "0" * 32, kind: str = "ObjectCreated:Put", **changes: Any) -> dict[str, Any]:
    """Word a record as S3 does."""
    value = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-21T12:00:00.000Z",
        "eventName": kind,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"},
            "object": {
                "key": quote_plus(f"{INBOX}{name}", safe="/"),
                "size": 1024,
                "eTag": etag,
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    }
    value["s3"]["bucket"]["name"] = changes.get("bucket", BUCKET)  # type: ignore[index]
    value["s3"]["object"].update(changes.get("object", {}))  # type: ignore[index]
    return value


def announce(aws: LocalAws, *bodies: Any, queue: str = "detections") -> None:
    """Put messages into the queue: records as S3 words them, or any other body."""
    sqs = client(aws, "sqs")
    url = sqs.get_queue_url(QueueName=f"{BUCKET}-{queue}")["QueueUrl"]
    for body in bodies:
        if isinstance(body, dict) and "eventSource" in body:
            body = {"Records": [body]}  # noqa: PLW2901
        sqs.send_message(QueueUrl=url, MessageBody=body if isinstance(body, str) else json.dumps(body))


def put_and_announce(aws: LocalAws, *names: str) -> None:
    """Put images into the inbox, with an event each."""
    announce(aws, *(event(name, put(aws, name)) for name in names))


def make_queues(aws: LocalAws) -> None:
    """Make the project's queues."""
    for name in ("detections", "dead-letters", "reviews"):
        client(aws, "sqs").create_queue(QueueName=f"{BUCKET}-{name}")


def count_messages(aws: LocalAws, queue: str = "detections") -> int:
    """Count the messages of a queue, visible or not."""
    return count_visible(aws, queue) + _count(aws, queue, "ApproximateNumberOfMessagesNotVisible")


def count_visible(aws: LocalAws, queue: str = "detections") -> int:
    """Count the messages of a queue that nobody holds."""
    return _count(aws, queue, "ApproximateNumberOfMessages")


def _count(aws: LocalAws, queue: str, name: str) -> int:
    sqs = client(aws, "sqs")
    url = sqs.get_queue_url(QueueName=f"{BUCKET}-{queue}")["QueueUrl"]
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def receive(aws: LocalAws, queue: str) -> list[dict[str, Any]]:
    """Take all messages out of a queue, with their attributes."""
    sqs = client(aws, "sqs")
    url = sqs.get_queue_url(QueueName=f"{BUCKET}-{queue}")["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return list(answer.get("Messages", []))


def keys(aws: LocalAws, folder: str) -> list[str]:
    """List what is below a folder."""
    found = s3(aws).list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", [])
    return [entry["Key"] for entry in found]


def read(aws: LocalAws, key: str) -> str:
    return s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


def results(aws: LocalAws) -> list[dict[str, Any]]:
    """Give all results, sorted by image."""
    return [json.loads(read(aws, key)) for key in keys(aws, "detections/")]


def waiting(aws: LocalAws) -> list[dict[str, Any]]:
    """Give all requests for review that wait."""
    return [
        json.loads(line)["request"] for key in keys(aws, "reviews/waiting/") for line in read(aws, key).splitlines()
    ]


def end_of(run: Run) -> tuple[str, str]:
    """Give the run's state and the outcome that it recorded."""
    return run.state, " ".join(run.ends)
