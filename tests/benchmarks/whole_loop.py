"""The whole way of doubtful images, from the inbox to their labels' folders: how many AWS calls it takes.

Real runs of the detect DAG and the harvest DAG, on images that nothing announced.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

ROOT = Path(__file__).resolve().parents[2]
IMAGES = 1_000
OWN = (
    "rekognition.DetectCustomLabels",
    "s3.PutObject",
    "sagemaker-a2i-runtime.StartHumanLoop",
    "s3.GetObject",
    "s3.CopyObject",
)
"""What each image needs by itself; everything else, and more of these, is shared by some dozens or hundreds."""
SETTINGS = {
    "detections_per_unit_second": "1000",
    "minimum_label_detection_confidence": "100",
    "daily_review_budget": "1000000",
    "enable_automatic_training": "false",
}


def run(images: int = IMAGES) -> dict[str, Any]:
    """Measure in a process of its own, since Airflow writes its logs to the terminal."""
    command = [sys.executable, "-m", "tests.benchmarks.whole_loop", str(images)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(images: int) -> None:
    """Let so many doubtful images go the whole way, and count the calls."""
    from include.local_aws.process import LocalAws
    from tests.conftest import FAST, HOME, connection

    os.environ.update({f"AIRFLOW_VAR_DIGITS__{name.upper()}": value for name, value in SETTINGS.items()})
    _make_database()
    with LocalAws(FAST, log=Path(HOME) / "whole_loop.log") as aws:
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = connection(aws.endpoint_url)
        _fill(aws, images)
        began = time.perf_counter()
        calls = _go(aws, images)
        seconds = time.perf_counter() - began
        _check(aws, images)
    result = {"images": images, "wall_seconds": seconds, "calls": calls, "calls_an_image": calls.total() / images}
    sys.stdout.write("\n" + json.dumps(result) + "\n")


def _make_database() -> None:
    """Make Airflow's database, in the home that the tests' conftest has made for this process."""
    from airflow.utils import db

    db.initdb()


def _fill(aws: LocalAws, images: int) -> None:
    """Let a version serve, set the review up, and put images into the inbox without a word to any queue."""
    from tests.kit.detect_runs import serve
    from tests.kit.review_project import set_up_review
    from tests.kit.support import BUCKET, picture, s3

    set_up_review(aws, reviewers=(1,), announced=False)
    client, content = s3(aws), picture("rows", 7)
    client.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    serve(aws)

    def put(number: int) -> None:
        client.put_object(Bucket=BUCKET, Key=f"images_for_detection/rows/{number:06}.png", Body=content)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(images)))


def _go(aws: LocalAws, images: int) -> Counter[str]:
    """Run both DAGs; people answer in between."""
    from tests.kit.dag_runs import run_dag

    aws.control.clear_calls()
    assert run_dag("detect").state == "success"
    calls = _counted(aws)
    aws.control.workforce(seconds=0)
    while aws.control.workforce_state()["answered"] < images:
        time.sleep(0.1)
    aws.control.clear_calls()
    assert run_dag("harvest_reviews").state == "success"
    return calls + _counted(aws)


def _counted(aws: LocalAws) -> Counter[str]:
    return Counter({name: int(each["calls"]) for name, each in aws.control.calls().items()})


def _check(aws: LocalAws, images: int) -> None:
    """Every image has its copy."""
    from tests.kit.support import BUCKET, s3

    pages = s3(aws).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="images_labeled_by_folder/rows/")
    copies = sum(page["KeyCount"] for page in pages)
    assert copies >= images, copies


def table(result: dict[str, Any]) -> Table:
    """Lay out one run."""
    images = result["images"]
    made = Table(title=f"AWS calls for {images:,} doubtful images, from inbox to label", title_justify="left")
    made.add_column("")
    made.add_column("calls", justify="right")
    made.add_column("an image", justify="right")
    calls = Counter(result["calls"])
    own = sum(min(calls[name], images) for name in OWN)
    for name in OWN:
        made.add_row(name, f"{calls[name]:,}", f"{calls[name] / images:.2f}")
    rest = calls.total() - sum(calls[name] for name in OWN)
    made.add_row("all others, shared", f"{rest:,}", f"{rest / images:.2f}", end_section=True)
    made.add_row("an image's own", f"{own:,}", f"{own / images:.2f}")
    made.add_row("in all", f"{calls.total():,}", f"{result['calls_an_image']:.2f}", style="bold")
    return made


if __name__ == "__main__":
    main(int(sys.argv[1]))
