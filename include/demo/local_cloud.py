"""What the demo does at AWS with boto3: puts images into the bucket, and looks at what became of versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from custom_labels.core.keys import IMAGES, INBOX
from custom_labels.core.settings import Project

if TYPE_CHECKING:
    from mypy_boto3_rekognition.client import RekognitionClient
    from mypy_boto3_s3.client import S3Client

MESSAGES_QUEUE = "custom-labels-demo-messages"
"""Hears what the topic says, as a person's mailbox would."""
MAX_MESSAGES = 10
THREADS = 8


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
        self.endpoint_url = endpoint_url
        self._session = boto3.session.Session(
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
            region_name=project.region_name or "us-east-1",
        )
        self.s3: S3Client = self.client("s3")
        self.rekognition: RekognitionClient = self.client("rekognition")
        self._sqs: Any = self.client("sqs")

    def client(self, service: str) -> Any:
        """Give a client of a service."""
        config = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=THREADS)
        return self._session.client(service, endpoint_url=self.endpoint_url, config=config)  # type: ignore[call-overload]

    def put_labelled(self, images: Mapping[str, list[Path]]) -> int:
        """Put labelled images where people would: one folder a label; returns their number."""
        return self.put_files(
            {f"{IMAGES}{label}/{path.name}": path for label, paths in images.items() for path in paths}
        )

    def put_inbox(self, images: Mapping[str, Path]) -> int:
        """Put images to be labelled into the inbox; returns their number.

        :param images: by their names there, which tell nothing of the label.
        """
        return self.put_files({f"{INBOX}{name}": path for name, path in images.items()})

    def put_files(self, images: Mapping[str, Path]) -> int:
        """Put images by their keys; returns their number."""

        def put(key: str) -> None:
            path, place = images[key], f"{self.project.prefix}{key}"
            kind = f"image/{'jpeg' if path.suffix == '.jpg' else 'png'}"
            self.s3.put_object(Bucket=self.project.bucket, Key=place, Body=path.read_bytes(), ContentType=kind)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(put, images))
        return len(images)

    def objects(self, folder: str) -> dict[str, str]:
        """List a folder of the project: ETags without quotes, by key relative to the project's prefix."""
        prefix = self.project.prefix
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.project.bucket, Prefix=f"{prefix}{folder}"
        )
        return {
            each["Key"].removeprefix(prefix): each["ETag"].strip('"')
            for page in pages
            for each in page.get("Contents", [])
        }

    def read_all(self, keys: Iterable[str]) -> list[Any]:
        """Read JSON objects of the project, in order."""
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(lambda key: self._json(self.project.bucket, f"{self.project.prefix}{key}"), keys))

    def put_text(self, key: str, text: str) -> None:
        """Put an object of the project."""
        self.s3.put_object(Bucket=self.project.bucket, Key=f"{self.project.prefix}{key}", Body=text.encode())

    def read_lines(self, key: str) -> list[Any]:
        """Read an object of the project that has JSON on each line."""
        body = self.s3.get_object(Bucket=self.project.bucket, Key=f"{self.project.prefix}{key}")["Body"].read()
        return [json.loads(line) for line in body.splitlines() if line]

    def live(self) -> dict[str, Any]:
        """Read the serving pointer; empty before the first deployment."""
        return self.read("registry/live.json")

    def read(self, key: str) -> dict[str, Any]:
        """Read a JSON object of the project; empty while it is not there."""
        try:
            found: dict[str, Any] = self._json(self.project.bucket, f"{self.project.prefix}{key}")
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

    def detect(self, version: ModelVersion, image: Path) -> Sequence[Mapping[str, Any]]:
        """Ask a running version about an image; give all that it sees, as AWS answers it."""
        found: Sequence[Any] = self.rekognition.detect_custom_labels(
            ProjectVersionArn=version.arn, Image={"Bytes": image.read_bytes()}, MinConfidence=0
        )["CustomLabels"]
        return found

    def messages(self) -> list[str]:
        """Take the subjects of the messages that were sent since the last look."""
        subjects: list[str] = []
        url = self._sqs.get_queue_url(QueueName=MESSAGES_QUEUE)["QueueUrl"]
        while found := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=0).get(
            "Messages"
        ):
            for message in found:
                subjects.append(str(json.loads(message["Body"]).get("Subject") or "(no subject)"))
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return subjects

    def queued(self) -> dict[str, int]:
        """Count the messages of each queue of the project, those that somebody holds included."""
        found = {}
        for kind, url in self.project.queues.model_dump(exclude_none=True).items():
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            counts = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            found[kind] = sum(int(counts[name]) for name in names)
        return found

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
