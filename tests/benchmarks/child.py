"""One measured job in a process of its own: ``python -m tests.benchmarks.child <side> <job> <port>`` prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import count_annotated, frozen_annotated
from custom_labels.datasets.manifest_records import build_manifests
from custom_labels.datasets.snapshot_records import count_images, frozen_snapshot
from custom_labels.s3.store import S3Store
from tests.benchmarks.listing_server import BUCKET, FOLDER

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def connect(port: str) -> Any:
    """Make the same client for both sides."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="benchmark",
        aws_secret_access_key="benchmark",
    )


def baseline_count(client: Any) -> dict[str, int]:
    """Count the images of each label as anybody would at first: with boto3's paginator."""
    counts: dict[str, int] = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=FOLDER):
        for entry in page.get("Contents", []):
            if entry["Key"].lower().endswith((".jpg", ".jpeg", ".png")) and entry["LastModified"] <= AS_OF:
                label = entry["Key"].split("/")[1]
                counts[label] = counts.get(label, 0) + 1
    return counts


def baseline_build(client: Any) -> dict[str, int]:
    """Build both manifests as anybody would at first: the paginator, one ``json.dumps`` a line, ``upload_file``."""
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("train.manifest", "test.manifest")]
        with paths[0].open("w") as train, paths[1].open("w") as test:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=FOLDER):
                for entry in page.get("Contents", []):
                    label = entry["Key"].split("/")[1]
                    counts[label] = counts.get(label, 0) + 1
                    line = {
                        "source-ref": f"s3://{BUCKET}/{entry['Key']}",
                        "label": 1,
                        "label-metadata": {
                            "confidence": 1,
                            "class-name": label,
                            "human-annotated": "yes",
                            "creation-date": AS_OF.strftime("%Y-%m-%dT%H:%M:%S"),
                            "type": "groundtruth/image-classification",
                        },
                    }
                    (train if counts[label] % 5 else test).write(json.dumps(line) + "\n")
        for path in paths:
            client.upload_file(str(path), BUCKET, f"manifests/baseline/{path.name}")
    return counts


def _baseline_lines(client: Any) -> dict[str, dict[str, Any]]:
    """Read all annotations as anybody would at first: ``json.loads`` a line, and a dictionary of the newest ones."""
    newest: dict[str, dict[str, Any]] = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="annotations/"):
        for entry in page.get("Contents", []):
            for text in client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].iter_lines():
                line = json.loads(text)
                before, created = newest.get(line["source-ref"]), line["bounding-box-metadata"]["creation-date"]
                if before is None or before["bounding-box-metadata"]["creation-date"] <= created:
                    newest[line["source-ref"]] = line
    return newest


def _baseline_boxes(client: Any) -> Iterator[dict[str, Any]]:
    """Give the lines of the images that are there."""
    newest = _baseline_lines(client)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="images/"):
        for entry in page.get("Contents", []):
            if line := newest.get(f"s3://{BUCKET}/{entry['Key']}"):
                yield line


def _labels(line: dict[str, Any]) -> set[str]:
    classes = line["bounding-box-metadata"]["class-map"]
    return {classes[str(box["class_id"])] for box in line["bounding-box"]["annotations"]}


def baseline_count_boxes(client: Any) -> dict[str, int]:
    """Count the images that have boxes of each label."""
    return dict(Counter(label for line in _baseline_boxes(client) for label in _labels(line)))


def baseline_build_boxes(client: Any) -> dict[str, int]:
    """Build both manifests of images with boxes, checking nothing of them."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("train.manifest", "test.manifest")]
        with paths[0].open("w") as train, paths[1].open("w") as test:
            for number, line in enumerate(_baseline_boxes(client)):
                counts.update(_labels(line))
                (train if number % 5 else test).write(json.dumps(line) + "\n")
        for path in paths:
            client.upload_file(str(path), BUCKET, f"manifests/baseline/{path.name}")
    return dict(counts)


def our_count_boxes(client: Any) -> dict[str, int]:
    """Count the images that have boxes of each label, and name them and their boxes by a digest."""
    snapshot = count_annotated(_store(client), ProjectTask.OBJECT_DETECTION, AS_OF)
    return {count.label: count.images for count in snapshot.labels}


def our_build_boxes(client: Any) -> dict[str, int]:
    """Do all that lies between a poll and both manifests, with every line and box checked; all test images counted."""
    store = _store(client)
    with frozen_annotated(store, ProjectTask.OBJECT_DETECTION, AS_OF, publish=True) as (frozen, _):
        build_manifests(store, frozen)
    return {count.label: count.images for count in frozen.header.snapshot.labels}


def our_count(client: Any) -> dict[str, int]:
    """Count the images of each label and name them by their digest."""
    return {count.label: count.images for count in count_images(_store(client), AS_OF).labels}


def our_build(client: Any) -> dict[str, int]:
    """Do all that lies between a poll and both manifests: list, join the checks, split, freeze, write, upload."""
    store = _store(client)
    with frozen_snapshot(store, AS_OF, None, publish=True) as (frozen, _):
        pair = build_manifests(store, frozen)
    return {label: pair.train.images[label] + pair.test.images[label] for label in pair.train.images}


def _store(client: Any) -> S3Store:
    store = S3Store(BUCKET)
    store.client = client
    return store


JOBS: dict[tuple[str, str], Callable[[Any], dict[str, int]]] = {
    ("baseline", "count"): baseline_count,
    ("ours", "count"): our_count,
    ("baseline", "build"): baseline_build,
    ("ours", "build"): our_build,
}


BOX_JOBS: dict[tuple[str, str], Callable[[Any], dict[str, int]]] = {
    ("baseline", "count_boxes"): baseline_count_boxes,
    ("ours", "count_boxes"): our_count_boxes,
    ("baseline", "build_boxes"): baseline_build_boxes,
    ("ours", "build_boxes"): our_build_boxes,
    ("baseline", "count_boxes_again"): baseline_count_boxes,
    ("ours", "count_boxes_again"): our_count_boxes,  # the lines are known from building
}


def main(side: str, job: str, port: str) -> None:
    """Run one job and print what it cost; importing and connecting are not counted, in memory they are."""
    client = connect(port)
    wall, cpu = time.perf_counter(), time.process_time()
    counts = {**JOBS, **BOX_JOBS}[side, job](client)
    result = {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "counts": counts,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
