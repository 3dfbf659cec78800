"""Look into 10,000 training images on the embedded S3, beside a plain loop that reads, decodes and hashes each.

Ours also keeps what it saw, groups near duplicates by the pictures themselves, and doubts labels by five models. The
second inspection is of as many images and one more.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
IMAGES, LABELS, SIZE = 10_000, 10, (640, 480)
BUCKET, FOLDER, DIGEST = "inspected", "images_labeled_by_folder", "0" * 64
TITLES = {"plain": "plain loop", "first": "this project, first", "again": "this project, again and one image more"}


def run(images: int = IMAGES) -> list[dict[str, Any]]:
    """Measure the plain loop, the first inspection and the second, each in a process of its own."""
    from include.local_aws.process import LocalAws
    from tests.conftest import connection

    with tempfile.TemporaryDirectory() as home, LocalAws([], log=Path(home) / "aws.log") as aws:
        environment = {**os.environ, "AIRFLOW_CONN_AWS_DEFAULT": connection(aws.endpoint_url)}
        _child(environment, "fill", images)
        return [{"side": side, "images": images, **_child(environment, side, images)} for side in TITLES]


def _child(environment: dict[str, str], side: str, images: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.inspection", side, str(images)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(results: list[dict[str, Any]]) -> Table:
    """Lay out the results."""
    width, height = SIZE
    title = f"Look into {results[0]['images']:,} images of {width} x {height} pixels with {LABELS} labels"
    made = Table(title=title, title_justify="left")
    made.add_column("")
    for heading in ("wall s", "CPU s", "of the plain loop", "peak MiB", "groups", "doubtful"):
        made.add_column(heading, justify="right")
    plain = results[0]["cpu_seconds"]
    for row in results:
        made.add_row(
            TITLES[row["side"]],
            f"{row['wall_seconds']:.1f}",
            f"{row['cpu_seconds']:.1f}",
            f"{row['cpu_seconds'] / plain:.2f} x",
            f"{row['peak_mib']:.0f}",
            str(row.get("groups", "")),
            str(row.get("suspects", "")),
        )
    return made


# -- in the child ----------------------------------------------------------------------------------


def key_of(number: int) -> str:
    """Give an image's key."""
    return f"{FOLDER}/{number % LABELS}/{number:06}.jpg"


def image_of(number: int) -> bytes:
    """Draw an image: coarse noise, in which each label has a corner of its own brightness."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(number)
    cells = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    label = number % LABELS
    cells[4 * (label // 5) : 4 * (label // 5) + 6, 6 * (label % 5) : 6 * (label % 5) + 6] //= 3
    out = io.BytesIO()
    Image.fromarray(cells).resize(SIZE, Image.Resampling.BILINEAR).save(out, "JPEG", quality=85)
    return out.getvalue()


def _store() -> Any:
    from custom_labels.s3.store import S3Store

    return S3Store(BUCKET)


def fill(images: int) -> dict[str, Any]:
    """Put the images."""
    client = _store().client
    client.create_bucket(Bucket=BUCKET)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: client.put_object(Bucket=BUCKET, Key=key_of(n), Body=image_of(n)), range(images + 1)))
    return {}


def plain(images: int) -> dict[str, Any]:
    """Read, decode and hash each image, as anybody would at first."""
    import imagehash
    from PIL import Image

    client, seen = _store().client, set()
    for number in range(images):
        body = client.get_object(Bucket=BUCKET, Key=key_of(number))["Body"].read()
        seen.add(str(imagehash.phash(Image.open(io.BytesIO(body)))))
    return {"groups": images - len(seen)}


@contextmanager
def _snapshot(images: int) -> Iterator[Path]:
    """Make the table of a snapshot's images as the checks leave it."""
    from custom_labels.datasets.image_table import ImageTable
    from custom_labels.datasets.images import Tally
    from custom_labels.datasets.split import position

    with tempfile.TemporaryDirectory() as name:
        path, rows = Path(name) / "images.sqlite", Path(name) / "rows"
        etags = {entry["Key"]: entry["ETag"].strip('"') for entry in _listed()}
        with ImageTable(path) as made:
            made.use_checks(Path(name) / "nothing.sqlite")
            for label in range(LABELS):
                keys = [key_of(number) for number in range(label, images, LABELS)]
                rows.write_text("".join(f"{key}\t{etags[key]}\n" for key in keys))
                made.load(str(label), rows)
            known = made.some(images, known=False)
            made.settle(
                [(image, position(hashlib.md5(image.key.encode()).hexdigest()), None) for image in known], Tally()
            )
        yield path


def _listed() -> Iterator[dict[str, Any]]:
    for page in _store().client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{FOLDER}/"):
        yield from page["Contents"]


def ours(images: int) -> dict[str, Any]:
    """Inspect a snapshot as the train DAG does."""
    from custom_labels.core.project_task import ProjectTask
    from custom_labels.datasets.inspection.inspection_records import SnapshotInspector
    from custom_labels.datasets.split import SplitRule

    with _snapshot(images) as path:
        begun = time.perf_counter(), time.process_time()
        inspector = SnapshotInspector(_store(), ProjectTask.IMAGE_CLASSIFICATION, path, path.parent, publish=True)
        rule = SplitRule(0.2)
        found = inspector.inspect(f"{images:064d}", rule.keeping_together(set(inspector.units().values()), {}), rule)
        return {
            "groups": found.group_count,
            "suspects": found.suspect_count,
            "read": inspector.read,
            "wall_seconds": time.perf_counter() - begun[0],
            "cpu_seconds": time.process_time() - begun[1],
        }


JOBS: dict[str, Callable[[int], dict[str, Any]]] = {
    "fill": fill,
    "plain": plain,
    "first": ours,
    "again": lambda images: ours(images + 1),
}


def main(side: str, images: int) -> None:
    """Do one side, and print what it cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = JOBS[side](images)
    measured = {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **found,
    }
    sys.stdout.write("\n" + json.dumps(measured) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
