"""Detection: how near to the allowed rate a run keeps, and what an image costs in calls, beside a plain loop.

DetectCustomLabels of the embedded AWS takes 50 ms here, as no machine learning would be measured otherwise.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rich.table import Table

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

IMAGES = 1_000
PLAIN_SHARE = 0.25
"""The plain loop is measured with a part of the images: it takes long, and all of its images are alike."""
SECONDS_A_CALL = 0.05
ANNOUNCED = 200
"""Images that come with a message; the others are found by looking. The queue of the embedded AWS slows down with its
length, which SQS does not."""
RATE = 25.0
"""Detections a second that are allowed; a plain loop cannot make 20 calls of that length."""


def run(images: int = IMAGES) -> dict[str, Any]:
    """Measure both sides on the same images."""
    from include.local_aws.process import LocalAws
    from tests.conftest import FAST, connection

    with (
        tempfile.TemporaryDirectory() as home,
        LocalAws(FAST, log=Path(home) / "aws.log") as aws,
        # Given back, since a test runs this in a process that has an AWS of its own.
        patch.dict(os.environ, {"AIRFLOW_CONN_AWS_DEFAULT": connection(aws.endpoint_url)}),
    ):
        names = _fill(aws, images)
        sides = {
            "plain": _measure(aws, lambda: _plain(aws, names[: max(1, int(images * PLAIN_SHARE))])),
            "ours": _measure(aws, lambda: _ours(images)),
        }
    return {"images": images, "rate": RATE, "seconds_a_call": SECONDS_A_CALL, "sides": sides}


def _fill(aws: LocalAws, images: int) -> list[str]:
    """Let a version serve, put images into the inbox and announce them."""
    from tests.kit.detect_runs import INBOX, event, make_queues, serve
    from tests.kit.support import BUCKET, client, picture, s3

    make_queues(aws)
    serve(aws)
    store, content = s3(aws), picture("rows", 7)
    names = [f"{number:06}.png" for number in range(images)]

    def put(name: str) -> str:
        return store.put_object(Bucket=BUCKET, Key=f"{INBOX}{name}", Body=content)["ETag"].strip('"')

    with ThreadPoolExecutor(8) as pool:
        etags = list(pool.map(put, names))
    sqs = client(aws, "sqs")
    url = sqs.get_queue_url(QueueName=f"{BUCKET}-detections")["QueueUrl"]
    bodies = [json.dumps({"Records": [event(*each)]}) for each in zip(names, etags, strict=True)][:ANNOUNCED]
    for begin in range(0, len(bodies), 10):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[begin : begin + 10])]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    aws.control.faults({"operation": "rekognition.DetectCustomLabels", "kind": "slow", "seconds": SECONDS_A_CALL})
    return names


def _measure(aws: LocalAws, work: Any) -> dict[str, Any]:
    aws.control.clear_calls()
    begun = time.perf_counter()
    done, collecting = work()
    wall = time.perf_counter() - begun
    seconds = wall - collecting
    calls = {name: int(each["calls"]) for name, each in aws.control.calls().items()}
    detections = calls["rekognition.DetectCustomLabels"]
    return {
        "images": done,
        "wall_seconds": wall,
        "collect_seconds": collecting,
        "images_a_second": done / seconds,
        "rate_kept": detections / seconds / RATE,
        "calls_an_image": sum(calls.values()) / done,
        "calls": calls,
    }


def _plain(aws: LocalAws, names: list[str]) -> tuple[int, float]:
    """Detect as anybody would at first: one image after the other, and an object for each."""
    from tests.kit.detect_runs import INBOX
    from tests.kit.support import BUCKET, client

    rekognition, s3 = client(aws, "rekognition"), client(aws, "s3")
    live = json.loads(s3.get_object(Bucket=BUCKET, Key="registry/live.json")["Body"].read())
    for name in names:
        answer = rekognition.detect_custom_labels(
            ProjectVersionArn=live["version_arn"],
            Image={"S3Object": {"Bucket": BUCKET, "Name": f"{INBOX}{name}"}},
            MinConfidence=0,
        )
        s3.put_object(Bucket=BUCKET, Key=f"plain/{name}.json", Body=json.dumps(answer["CustomLabels"]).encode())
    return len(names), 0.0


def _ours(images: int) -> tuple[int, float]:
    """Do what the DAG's tasks do, a thread for each lane: drain, sweep, share out, detect; every image is doubtful."""
    from custom_labels.core.context import ProjectContext, RunInfo
    from custom_labels.core.settings import Settings
    from custom_labels.detection.detect_batch_operator import BatchWork
    from custom_labels.detection.detect_tasks import collect_images
    from custom_labels.detection.settings import DetectionSettings
    from custom_labels.detection.work import DetectionBatch

    now = datetime.now(UTC)
    ctx = ProjectContext("digits", run=RunInfo("d", "r", when=now, as_of=now))
    workers = ctx.project.detection_workers
    every = Settings(
        detections_per_unit_second=RATE,
        detection_batch_images=-(-images // workers),
        minimum_label_detection_confidence=100,
    )
    settings = DetectionSettings(**{each.name: getattr(every, each.name) for each in fields(DetectionSettings)})
    begun = time.perf_counter()
    collected = collect_images(ctx, settings)
    collecting = time.perf_counter() - begun

    def detect(batch: DetectionBatch) -> int:
        work = BatchWork(ctx, settings, batch)
        work.finish(is_repeated=False)
        return work.counts["review"]

    with ThreadPoolExecutor(workers) as pool:
        done = sum(pool.map(detect, collected.batches))
    assert done == images, (done, images)
    return done, collecting


def table(result: dict[str, Any]) -> Table:
    """Lay out one run."""
    pause = result["seconds_a_call"] * 1000
    title = f"{result['images']:,} images, {pause:g} ms a DetectCustomLabels, {result['rate']:g} a second allowed"
    made = Table(title=title, title_justify="left")
    made.add_column("")
    for heading in ("images", "collect s", "detect s", "images/s", "allowed rate kept", "calls an image"):
        made.add_column(heading, justify="right")
    for side, words in (("plain", "Detect: one after the other"), ("ours", "Detect: this project")):
        row = result["sides"][side]
        made.add_row(
            words,
            f"{row['images']:,}",
            f"{row['collect_seconds']:.1f}",
            f"{row['wall_seconds'] - row['collect_seconds']:.1f}",
            f"{row['images_a_second']:.1f}",
            f"{row['rate_kept']:.0%}",
            f"{row['calls_an_image']:.2f}",
        )
    return made
