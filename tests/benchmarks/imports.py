"""Import 100,000 lines and 250,000 objects, beside a plain sequential loop.

Ours is what the DAG's tasks do one after the other: read the source, look at what is there, take it. The plain loop
copies image by image and writes one manifest: it checks nothing, and knows no conflict.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from rich.table import Table

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.datasets.imports.import_records import Import
from custom_labels.datasets.imports.import_work import Fate, ImportCounts, OnConflict
from custom_labels.datasets.imports.mapping import LabelMapping
from custom_labels.datasets.imports.source import SourceKind
from custom_labels.datasets.imports.source_records import S3SourceFiles, read_source
from custom_labels.s3.store import S3Store
from tests.benchmarks.import_server import MANIFEST, SECONDS_A_CALL, SOURCE
from tests.benchmarks.listing_server import BUCKET

ROOT = Path(__file__).resolve().parents[2]
PLAIN_IMAGES = 2_000
"""The plain loop is measured on so many at most; its rate is the same for all."""
SIDES = {"plain": "plain loop", "ours": "this project"}
TITLES = {"lines": "lines of a manifest", "objects": "objects in folders"}


def run(lines: list[int], objects: list[int]) -> list[dict[str, Any]]:
    """Measure ours on each number of lines and of objects, and the plain loop on the first of each."""
    results = []
    for job, numbers in (("lines", lines), ("objects", objects)):
        for number in numbers:
            sides = ("plain", "ours") if number == numbers[0] else ("ours",)
            results += [measure(side, job, min(number, PLAIN_IMAGES) if side == "plain" else number) for side in sides]
    return results


def measure(side: str, job: str, images: int) -> dict[str, Any]:
    """Import in a process of its own, from a server in another."""
    server = [sys.executable, "-m", "tests.benchmarks.import_server", str(images)]
    with subprocess.Popen(server, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            port = process.stdout.readline().strip()
            command = [sys.executable, "-m", "tests.benchmarks.imports", side, job, port]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{BUCKET}?stats=1") as answer:
                calls = json.load(answer)
        finally:
            process.stdin.close()
    measured = json.loads(done.stdout.splitlines()[-1])
    return {"side": side, "job": job, "images": images, **measured, "calls": calls}


def table(results: list[dict[str, Any]]) -> Table:
    """Lay out the results."""
    made = Table(title=f"Import annotated images, {SECONDS_A_CALL * 1000:g} ms a call", title_justify="left")
    made.add_column("")
    for heading in ("images", "wall s", "images/s", "S3 calls an image", "peak MiB"):
        made.add_column(heading, justify="right")
    for row in results:
        made.add_row(
            f"{TITLES[row['job']]}: {SIDES[row['side']]}",
            f"{row['images']:,}",
            f"{row['wall_seconds']:.1f}",
            f"{row['images'] / row['wall_seconds']:.0f}",
            f"{sum(row['calls'].values()) / row['images']:.2f}",
            f"{row['peak_mib']:.0f}",
        )
    return made


# -- in the child ----------------------------------------------------------------------------------


def connect(port: str) -> Any:
    """Make the same client for both sides."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="benchmark",
        aws_secret_access_key="benchmark",
    )


def plain_lines(client: Any) -> int:
    """Import a manifest as anybody would at first: read it, copy image by image, write one manifest."""
    lines = []
    for text in client.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read().splitlines():
        line = json.loads(text)
        key = line["source-ref"].removeprefix(f"s3://{BUCKET}/")
        target = f"images_imported/{key}"
        client.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": key})
        lines.append(json.dumps({**line, "source-ref": f"s3://{BUCKET}/{target}"}))
    client.put_object(Bucket=BUCKET, Key="annotations/imported.manifest", Body="\n".join(lines).encode())
    return len(lines)


def plain_objects(client: Any) -> int:
    """Import folders as anybody would at first: copy image by image."""
    copied = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=SOURCE):
        for entry in page.get("Contents", []):
            target = f"images_labeled_by_folder/{entry['Key'].removeprefix(SOURCE)}"
            client.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": entry["Key"]})
            copied += 1
    return copied


def ours(client: Any, key: str, kind: SourceKind, task: ProjectTask) -> int:
    """Import as the DAG's tasks do."""
    S3Store._connect = lambda _: client  # type: ignore[assignment, method-assign]
    project = Project(name="benchmark", bucket=BUCKET, prefix="mine/", task=task, region_name="us-east-1")
    store = S3Store(BUCKET, "mine/", region_name="us-east-1")
    an_import = Import(project, store, "benchmark", datetime.now(UTC))
    with TemporaryDirectory() as name, S3SourceFiles(project, f"s3://{BUCKET}/{key}", Path(name)) as files:
        batches, _ = an_import.plan(read_source(files, kind, task), LabelMapping(), files.listed)
    for batch in batches:
        an_import.inspect(batch, OnConflict.KEEP)
    return ImportCounts.total(an_import.take(batch) for batch in batches).number(Fate.TAKEN)


JOBS: dict[tuple[str, str], Callable[[Any], int]] = {
    ("plain", "lines"): plain_lines,
    ("plain", "objects"): plain_objects,
    ("ours", "lines"): lambda client: ours(client, MANIFEST, SourceKind.MANIFEST, ProjectTask.OBJECT_DETECTION),
    ("ours", "objects"): lambda client: ours(client, SOURCE, SourceKind.FOLDERS, ProjectTask.IMAGE_CLASSIFICATION),
}


def main(side: str, job: str, port: str) -> None:
    """Do one side, and print what it cost; importing and connecting are not counted, in memory they are."""
    client = connect(port)
    wall, cpu = time.perf_counter(), time.process_time()
    taken = JOBS[side, job](client)
    measured = {
        "taken": taken,
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write("\n" + json.dumps(measured) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
