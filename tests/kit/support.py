"""What tests put into the embedded AWS: images that a model learns easily, buckets, manifests, versions."""

from __future__ import annotations

import functools
import io
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from PIL import Image

if TYPE_CHECKING:
    from mypy_boto3_rekognition.client import RekognitionClient
    from mypy_boto3_s3.client import S3Client

    from include.local_aws.process import LocalAws

BUCKET = "custom-labels-digits"
FOLDER = "images_labeled_by_folder/"
SIDE = 96
LABELS = ("columns", "rows")


def client(aws: LocalAws, service: str, **config: Any) -> Any:
    """Give a boto3 client of the embedded AWS, patient with injected faults unless its botocore config says other."""
    if config:
        return _make_client(aws.endpoint_url, service, **config)
    return _shared_client(aws.endpoint_url, service)


@functools.cache
def _shared_client(endpoint_url: str, service: str) -> Any:
    """Make a client for all tests of the process: making one takes longer than most of what they ask."""
    return _make_client(endpoint_url, service)


def _make_client(endpoint_url: str, service: str, **config: Any) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(**{"retries": {"mode": "standard", "max_attempts": 10}, **config}),
    )


def s3(aws: LocalAws) -> S3Client:
    """Give the S3 client."""
    return client(aws, "s3")  # type: ignore[no-any-return]


def rekognition(aws: LocalAws) -> RekognitionClient:
    """Give the Rekognition client."""
    return client(aws, "rekognition")  # type: ignore[no-any-return]


def picture(label: str, seed: int, file_format: str = "PNG") -> bytes:
    """Draw stripes in noise, the same for the same seed, so easy to tell apart that every model passes its smoke test.

    :param label: ``rows`` or ``columns``, the way that the stripes go.
    """
    grain = random.Random(f"{label}/{seed}")
    width, offset = grain.randint(5, 8), grain.randrange(8)
    noise = grain.randbytes(SIDE * SIDE)
    across, down = (0, 1) if label == "rows" else (1, 0)
    stripes = bytes(
        180 * (((across * x + down * y + offset) // width) % 2) + noise[SIDE * y + x] // 4
        for y in range(SIDE)
        for x in range(SIDE)
    )
    out = io.BytesIO()
    Image.frombytes("L", (SIDE, SIDE), stripes).convert("RGB").save(out, file_format)
    return out.getvalue()


def make_bucket_elsewhere(aws: LocalAws) -> None:
    """Make the project's bucket in another region than the one that its connection names."""
    client(aws, "s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def put_images(aws: LocalAws, count: int, *, start: int = 0, labels: Iterable[str] = LABELS) -> list[str]:
    """Make the bucket and put ``count`` images a label into it, numbered from ``start``; give the keys."""
    store = s3(aws)
    store.create_bucket(Bucket=BUCKET)
    keys = []
    for label in labels:
        for number in range(start, start + count):
            key = f"{FOLDER}{label}/{number:04d}.png"
            store.put_object(Bucket=BUCKET, Key=key, Body=picture(label, number))
            keys.append(key)
    return keys


def manifest_line(key: str) -> str:
    """Give the manifest line of a labelled image."""
    metadata = {
        "confidence": 1,
        "class-name": key.split("/")[1],
        "human-annotated": "yes",
        "creation-date": "2026-11-20T12:00:00",
        "type": "groundtruth/image-classification",
    }
    return json.dumps({"source-ref": f"s3://{BUCKET}/{key}", "label": 1, "label-metadata": metadata})


def put_manifest(aws: LocalAws, name: str, keys: Iterable[str]) -> str:
    """Put a manifest of labelled images and give its URI."""
    body = "".join(f"{manifest_line(key)}\n" for key in keys)
    s3(aws).put_object(Bucket=BUCKET, Key=name, Body=body.encode())
    return f"s3://{BUCKET}/{name}"


def manifests(aws: LocalAws, count: int = 10) -> dict[str, str]:
    """Put images and the manifests of a TRAIN and a TEST dataset."""
    keys = put_images(aws, count)
    return {
        "TRAIN": put_manifest(aws, "train.manifest", [key for n, key in enumerate(keys) if n % 5]),
        "TEST": put_manifest(aws, "test.manifest", keys[::5]),
    }


def effects(aws: LocalAws, operation: str) -> int:
    """Count the calls of an operation that took effect."""
    return int(aws.control.calls().get(f"rekognition.{operation}", {}).get("effects", 0))


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Do something in another thread while the block runs.

    :raises BaseException: what the other thread ended with.
    """
    with ThreadPoolExecutor(1) as other:
        done = other.submit(action)
        yield
        done.result()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.02)
