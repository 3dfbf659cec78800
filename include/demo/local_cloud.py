"""What the demo does at AWS with boto3: sets the bucket up, puts images there, and looks at what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from custom_labels.settings import Project

QUEUE = "custom-labels-demo-messages"
MAX_MESSAGES = 10


@dataclass(frozen=True)
class ModelVersion:
    """A version as AWS describes it.

    :param f1: its F1 score, ``None`` before it is trained; ``labels`` has it a label.
    :param training_seconds: what AWS would bill.
    """

    name: str
    arn: str
    status: str
    f1: float | None
    labels: Mapping[str, float]
    training_images: int
    testing_images: int
    training_seconds: int


class LocalCloud:
    """The clients of one project's AWS.

    :param project: names the bucket and the topic.
    :param endpoint_url: of the embedded AWS.
    """

    def __init__(self, project: Project, endpoint_url: str) -> None:
        self.project = project
        session = boto3.session.Session(
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
            region_name=project.region_name or "us-east-1",
        )
        config = Config(retries={"mode": "standard", "max_attempts": 5})
        self.s3 = session.client("s3", endpoint_url=endpoint_url, config=config)
        self.rekognition = session.client("rekognition", endpoint_url=endpoint_url, config=config)
        self._sns: Any = session.client("sns", endpoint_url=endpoint_url, config=config)
        self._sqs: Any = session.client("sqs", endpoint_url=endpoint_url, config=config)
        self._queue_url = ""

    def set_up(self) -> None:
        """Create the bucket, the topic, and a queue that hears what the topic says."""
        self.s3.create_bucket(Bucket=self.project.bucket)
        self._queue_url = self._sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        if self.project.sns_topic_arn:
            topic = self._sns.create_topic(Name=self.project.sns_topic_arn.rsplit(":", 1)[1])["TopicArn"]
            attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
            self._sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["Attributes"]["QueueArn"])

    def put_images(self, images: Mapping[str, list[Path]]) -> int:
        """Put labelled images where people would: one folder a label; returns their number."""
        uploads = [(label, path) for label, paths in images.items() for path in paths]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._put, uploads))
        return len(uploads)

    def _put(self, upload: tuple[str, Path]) -> None:
        label, path = upload
        key = f"{self.project.prefix}images_labeled_by_folder/{label}/{path.name}"
        self.s3.put_object(Bucket=self.project.bucket, Key=key, Body=path.read_bytes(), ContentType="image/png")

    def count_images(self) -> int:
        """Count the labelled images in the bucket."""
        prefix = f"{self.project.prefix}images_labeled_by_folder/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.project.bucket, Prefix=prefix)
        return sum(page["KeyCount"] for page in pages)

    def live(self) -> dict[str, Any]:
        """Read the serving pointer; empty before the first deployment."""
        try:
            key = f"{self.project.prefix}registry/live.json"
            found: dict[str, Any] = self._json(self.project.bucket, key)
        except self.s3.exceptions.NoSuchKey:
            return {}
        return found

    def versions(self) -> dict[str, ModelVersion]:
        """Describe all versions of the project by name, the newest first."""
        arn = self._project_arn()
        if arn is None:
            return {}
        pages = self.rekognition.get_paginator("describe_project_versions").paginate(ProjectArn=arn)
        found = [self._version(each) for page in pages for each in page["ProjectVersionDescriptions"]]
        return {version.name: version for version in found}

    def recognize(self, version: ModelVersion, images: Mapping[str, list[Path]]) -> tuple[int, int]:
        """Show images to a running version.

        :return: how many it named right, its surest answer counting, and how many there were.
        """
        shown = [(label, path) for label, paths in images.items() for path in paths]
        right = 0
        for label, path in shown:
            answer = self.rekognition.detect_custom_labels(
                ProjectVersionArn=version.arn, Image={"Bytes": path.read_bytes()}, MinConfidence=0
            )["CustomLabels"]
            surest = max(answer, key=lambda each: each["Confidence"], default=None)
            right += surest is not None and surest["Name"] == label
        return right, len(shown)

    def messages(self) -> list[str]:
        """Take the subjects of the messages that were sent since the last look."""
        subjects: list[str] = []
        while found := self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=0
        ).get("Messages"):
            for message in found:
                subjects.append(str(json.loads(message["Body"]).get("Subject") or "(no subject)"))
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return subjects

    def _project_arn(self) -> str | None:
        try:
            found = self.rekognition.describe_projects(ProjectNames=[self.project.name])["ProjectDescriptions"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return found[0]["ProjectArn"] if found else None

    def _version(self, described: Mapping[str, Any]) -> ModelVersion:
        result = described.get("EvaluationResult")
        summary = self._json(*_place(result["Summary"]["S3Object"])) if result else {}
        details = summary.get("EvaluationDetails", {})
        return ModelVersion(
            name=described["ProjectVersionArn"].split("/")[3],
            arn=described["ProjectVersionArn"],
            status=described["Status"],
            f1=result["F1Score"] if result else None,
            labels={each["Label"]: each["Metrics"]["F1Score"] for each in summary.get("LabelEvaluationResults", [])},
            training_images=details.get("NumberOfTrainingImages", 0),
            testing_images=details.get("NumberOfTestingImages", 0),
            training_seconds=described.get("BillableTrainingTimeInSeconds", 0),
        )

    def _json(self, bucket: str, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def _place(s3_object: Mapping[str, str]) -> tuple[str, str]:
    return s3_object["Bucket"], s3_object["Name"]
