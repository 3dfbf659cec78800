"""What the tests of the embedded AWS share: clients, small images, manifest lines, and short cuts to a state."""

from __future__ import annotations

import functools
import io
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import boto3
import numpy as np
from botocore.config import Config
from PIL import Image

from include.local_aws.process import Control

BUCKET = "images"
OUTPUT = {"S3Bucket": BUCKET, "S3KeyPrefix": "evaluation"}
Value = TypeVar("Value")


@functools.cache
def _client(url: str, service: str, retries: int, region: str) -> Any:
    """Make a client for all tests of the process: making one takes longer than most of what they ask."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(
            parameter_validation=False,
            retries={"total_max_attempts": retries, "mode": "standard"},
            connect_timeout=5,
            read_timeout=60,
        ),
    )


class Aws:
    """Clients of one embedded AWS. They check no parameters and do not retry, so the server is what is tested."""

    def __init__(self, url: str, region: str = "us-east-1") -> None:
        self.url = url
        self.control = Control(url)
        self.region = region
        self.rekognition = self.client("rekognition")
        self.s3 = self.client("s3")

    def client(self, service: str, retries: int = 1, region: str | None = None) -> Any:
        return _client(self.url, service, retries, region or self.region)

    def put(self, key: str, content: bytes | str, bucket: str = BUCKET) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def read(self, key: str) -> str:
        return str(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def manifest(self, name: str, lines: Sequence[str]) -> dict[str, Any]:
        """Write a manifest and return it as a DatasetSource."""
        self.put(name, "\n".join([*lines, ""]))
        return {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": name}}}

    def project(self, name: str = "p") -> str:
        arn = self.rekognition.create_project(ProjectName=name)["ProjectArn"]
        wait_for(
            lambda: self.rekognition.describe_projects(ProjectNames=[name])["ProjectDescriptions"][0]["Status"],
            "CREATED",
        )
        return str(arn)

    def dataset(self, project: str, kind: str, lines: Sequence[str] | None = None) -> str:
        """Create a dataset from lines (None: an empty one) and wait until its creation ended."""
        source = {} if lines is None else {"DatasetSource": self.manifest(f"{kind}.manifest", lines)}
        arn = self.rekognition.create_dataset(ProjectArn=project, DatasetType=kind, **source)["DatasetArn"]
        self.settled(arn)
        return str(arn)

    def settled(self, dataset: str) -> dict[str, Any]:
        """Wait until a dataset is in no transition, return its description."""
        while True:
            description = self.rekognition.describe_dataset(DatasetArn=dataset)["DatasetDescription"]
            if not description["Status"].endswith("_IN_PROGRESS"):
                return dict(description)
            time.sleep(0.01)

    def version(self, project: str, name: str) -> dict[str, Any]:
        found = self.rekognition.describe_project_versions(ProjectArn=project, VersionNames=[name])
        return dict(found["ProjectVersionDescriptions"][0])

    def train(self, project: str, name: str = "v1", **more: Any) -> dict[str, Any]:
        """Train a version to its end, well or not, and return its description."""
        self.rekognition.create_project_version(ProjectArn=project, VersionName=name, OutputConfig=OUTPUT, **more)
        return self.trained(project, name)

    def trained(self, project: str, name: str) -> dict[str, Any]:
        while True:
            version = self.version(project, name)
            if version["Status"] != "TRAINING_IN_PROGRESS":
                return version
            time.sleep(0.02)

    def start(self, project: str, name: str) -> str:
        """Start a version, wait until that ended, and return its ARN."""
        arn = self.version(project, name)["ProjectVersionArn"]
        self.rekognition.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)
        wait_for(lambda: self.version(project, name)["Status"] != "STARTING", True)
        return str(arn)

    def colour_lines(self, counts: dict[str, int], folder: str = "train") -> list[str]:
        """Put images of plain patterns, so many a label, and return their manifest lines."""
        lines = []
        for label, count in counts.items():
            for number in range(count):
                key = f"{folder}/{label}/{number}.png"
                self.put(key, pattern(label, number + (1000 if folder == "test" else 0)))
                lines.append(line(key, label))
        return lines

    def colour_project(self, name: str = "p", labels: Sequence[str] = ("dots", "bars")) -> str:
        """Make a project with small training and test datasets that are easy to learn."""
        project = self.project(name)
        self.dataset(project, "TRAIN", self.colour_lines(dict.fromkeys(labels, 4)))
        self.dataset(project, "TEST", self.colour_lines(dict.fromkeys(labels, 2), "test"))
        return project


def wait_for(read: Callable[[], Value], expected: Value, seconds: float = 60) -> None:
    """Poll until `read` gives what is expected."""
    deadline = time.monotonic() + seconds
    while (found := read()) != expected:
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s, not {expected!r}"
        time.sleep(0.02)


def png(array: np.ndarray[Any, Any], size: tuple[int, int] = (96, 96), kind: str = "PNG") -> bytes:
    """Encode an array of grey values or RGB as an image of `size`."""
    buffer = io.BytesIO()
    Image.fromarray(array.astype(np.uint8)).resize(size).save(buffer, kind)
    return buffer.getvalue()


def pattern(label: str, seed: int, size: tuple[int, int] = (96, 96), kind: str = "PNG") -> bytes:
    """Draw a noisy picture of one of a few patterns."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:96, 0:96] + int(random.integers(0, 12))
    shapes = {
        "dots": (rows % 16 < 8) & (columns % 16 < 8),
        "bars": columns % 16 < 8,
        "rows": rows % 16 < 8,
        "plain": np.zeros((96, 96), bool),
    }
    picture = np.where(shapes[label], 220, 30) + random.normal(0, 8, (96, 96))
    return png(np.clip(picture, 0, 255), size, kind)


def line(key: str, *labels: str, bucket: str = BUCKET, **changes: Any) -> str:
    """Return a manifest line with image-level labels; `changes` replace members of each metadata."""
    document: dict[str, Any] = {"source-ref": f"s3://{bucket}/{key}"}
    for number, label in enumerate(labels):
        metadata = {
            "confidence": 1,
            "class-name": label,
            "human-annotated": "yes",
            "creation-date": "2026-01-01T00:00:00",
            "type": "groundtruth/image-classification",
        }
        merged = {**metadata, **changes}
        document[f"label{number}"] = 1
        document[f"label{number}-metadata"] = {name: value for name, value in merged.items() if value is not None}
    return json.dumps(document)


def box_line(key: str, label: str = "logo", box: tuple[int, int, int, int] = (10, 10, 40, 30), **size: int) -> str:
    """Return a manifest line with one box (left, top, width, height) in an image of 96 x 96."""
    left, top, width, height = box
    sides = {"width": 96, "height": 96, "depth": 3, **size}
    return json.dumps(
        {
            "source-ref": f"s3://{BUCKET}/{key}",
            "boxes": {
                "image_size": [sides],
                "annotations": [{"class_id": 0, "left": left, "top": top, "width": width, "height": height}],
            },
            "boxes-metadata": {
                "objects": [{"confidence": 1}],
                "class-map": {"0": label},
                "type": "groundtruth/object-detection",
                "human-annotated": "yes",
                "creation-date": "2026-01-01T00:00:00",
            },
        }
    )
