"""What lies in the project's bucket: images before and after a run, and the manifests between."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING

from PIL import Image

from tests.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

FOLDER = "images_labeled_by_folder/"


SIDE = 96
LABELS = ("columns", "rows")


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


def put_images(aws: LocalAws, count: int, *, start: int = 0, labels: Iterable[str] = LABELS) -> list[str]:
    """Make the bucket and put ``count`` images a label into it, numbered from ``start``; give their names."""
    s3(aws).create_bucket(Bucket=BUCKET)
    names = [f"{label}/{number:04d}.png" for label in labels for number in range(start, start + count)]
    for name in names:
        label, _, number = name.removesuffix(".png").partition("/")
        put(aws, name, picture(label, int(number)))
    return names


def put(aws: LocalAws, name: str, body: bytes) -> None:
    """Put an object below the labels' folder."""
    s3(aws).put_object(Bucket=BUCKET, Key=f"{FOLDER}{name}", Body=body)


def images(aws: LocalAws) -> dict[str, str]:
    """Give the ETag of every object below the labels' folder, by its name there."""
    listed = s3(aws).list_objects_v2(Bucket=BUCKET, Prefix=FOLDER)
    return {entry["Key"].removeprefix(FOLDER): entry["ETag"] for entry in listed["Contents"]}


def manifest(aws: LocalAws, uri: str) -> dict[str, str]:
    """Give the label of every image of a manifest, by its source-ref."""
    key = uri.removeprefix(f"s3://{BUCKET}/")
    body = s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read()
    lines = [json.loads(line) for line in body.splitlines()]
    return {line["source-ref"]: line["label-metadata"]["class-name"] for line in lines}
