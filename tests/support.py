"""What tests put into the embedded AWS: real images of two or three shapes, buckets, manifests, versions."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from mypy_boto3_rekognition.client import RekognitionClient
    from mypy_boto3_s3.client import S3Client

    from include.local_aws.process import LocalAws

BUCKET = "custom-labels-digits"
SHAPES = ("circle", "square", "cross")


def client(aws: LocalAws, service: str) -> Any:
    """Give a boto3 client of the embedded AWS, patient with injected faults."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "max_attempts": 10}),
    )


def s3(aws: LocalAws) -> S3Client:
    """Give the S3 client."""
    return client(aws, "s3")  # type: ignore[no-any-return]


def rekognition(aws: LocalAws) -> RekognitionClient:
    """Give the Rekognition client."""
    return client(aws, "rekognition")  # type: ignore[no-any-return]


def shape_png(shape: str, seed: int, side: int = 96) -> bytes:
    """Draw a shape somewhere on a noisy ground; another seed is another image."""
    rng = random.Random(f"{shape}/{seed}")
    image = Image.effect_noise((side, side), rng.uniform(10, 40)).convert("RGB")
    draw = ImageDraw.Draw(image)
    size, color = rng.randint(side // 3, side // 2), tuple(rng.randint(150, 255) for _ in range(3))
    left, top = rng.randint(4, side - size - 4), rng.randint(4, side - size - 4)
    box = (left, top, left + size, top + size)
    if shape == "circle":
        draw.ellipse(box, fill=color)
    elif shape == "square":
        draw.rectangle(box, fill=color)
    else:
        draw.line(box, fill=color, width=6)
        draw.line((left, top + size, left + size, top), fill=color, width=6)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def put_images(
    aws: LocalAws, count: int, *, start: int = 0, shapes: Iterable[str] = SHAPES[:2], bucket: str = BUCKET
) -> list[str]:
    """Make the bucket and put ``count`` images a shape into their label folders; give the keys."""
    store = s3(aws)
    store.create_bucket(Bucket=bucket)
    keys = []
    for shape in shapes:
        for seed in range(start, start + count):
            key = f"images_labeled_by_folder/{shape}/{seed:04d}.png"
            store.put_object(Bucket=bucket, Key=key, Body=shape_png(shape, seed))
            keys.append(key)
    return keys


def manifest_line(key: str, bucket: str = BUCKET) -> str:
    """Give the manifest line of a labelled image."""
    metadata = {
        "confidence": 1,
        "class-name": key.split("/")[1],
        "human-annotated": "yes",
        "creation-date": "2026-11-20T12:00:00",
        "type": "groundtruth/image-classification",
    }
    return json.dumps({"source-ref": f"s3://{bucket}/{key}", "label": 1, "label-metadata": metadata})


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
