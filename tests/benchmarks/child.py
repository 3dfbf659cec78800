"""One measured job in a process of its own: ``python -m tests.benchmarks.child <side> <job> <port>`` prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

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


def main(side: str, job: str, port: str) -> None:
    """Run one job and print what it cost; importing and connecting are not counted, in memory they are."""
    client = connect(port)
    wall, cpu = time.perf_counter(), time.process_time()
    counts = JOBS[side, job](client)
    result = {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "counts": counts,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
