"""Harvest finished reviews, beside a plain sequential loop.

People have answered all reviews before the clock starts. Ours is what the DAG's tasks do on their schedule: look at the
list of reviews, decide, put on record, copy. The plain loop describes each review, reads its answers and copies the
image: no consensus, no ledger. The queue is left out, since moto's takes a second for ten messages once it holds a
thousand; it costs 0.2 calls a review.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from rich.table import Table

from include.local_aws.process import Control, LocalAws

if TYPE_CHECKING:
    from tests.kit.review_project import ReviewProject

ROOT = Path(__file__).resolve().parents[2]
PLAIN_LOOPS = 1_000
"""The plain loop is measured on so many at most; its rate is the same for all."""
ANSWERED_WITHIN_SECONDS = 600
SECONDS_A_CALL = 0.02
"""What each call takes beside the embedded AWS's own work, as over a network."""
SIDES = {"plain": "plain loop", "ours": "this project"}


def run(loops: list[int]) -> list[dict[str, Any]]:
    """Measure ours on each number of loops, and the plain loop on the first; each begins with an empty AWS."""
    results = []
    for number in loops:
        sides = ("plain", "ours") if number == loops[0] else ("ours",)
        results += [measure(side, min(number, PLAIN_LOOPS) if side == "plain" else number) for side in sides]
    return results


def measure(side: str, loops: int) -> dict[str, Any]:
    """Let people answer reviews, then harvest them in a process of its own."""
    from tests.conftest import FAST, airflow_environment

    with (
        tempfile.TemporaryDirectory() as home,
        LocalAws([*FAST, "--quota", "loops_per_flow=1000000"], log=Path(home) / "aws.log") as aws,
    ):
        environment = {**os.environ, **airflow_environment(Path(home), aws.endpoint_url)}
        _child(environment, "prepare", loops)
        aws.control.clear_calls()
        aws.control.faults({"operation": "*", "kind": "slow", "seconds": SECONDS_A_CALL})
        measured = _child(environment, side, loops)
        calls = sum(entry["calls"] for entry in aws.control.calls().values())
    return {"side": side, "loops": loops, **measured, "calls_a_loop": calls / loops}


def _child(environment: dict[str, str], side: str, loops: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.harvest", side, str(loops)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(results: list[dict[str, Any]]) -> Table:
    """Lay out the results."""
    made = Table(title=f"Harvest finished reviews, {SECONDS_A_CALL * 1000:g} ms a call", title_justify="left")
    made.add_column("")
    for heading in ("reviews", "wall s", "reviews/s", "AWS calls a review", "peak MiB"):
        made.add_column(heading, justify="right")
    for row in results:
        made.add_row(
            SIDES[row["side"]],
            f"{row['loops']:,}",
            f"{row['wall_seconds']:.1f}",
            f"{row['loops'] / row['wall_seconds']:.0f}",
            f"{row['calls_a_loop']:.2f}",
            f"{row['peak_mib']:.0f}",
        )
    return made


# -- in the child ----------------------------------------------------------------------------------


def prepare(review_project: ReviewProject, loops: int) -> None:
    """Ask about so many images and let people answer at once."""
    from tests.kit.review_project import open_one
    from tests.kit.review_requests import request_for
    from tests.kit.support import BUCKET, client, picture

    control, body = Control(_endpoint()), picture("rows", 1)
    store = client(_aws(), "s3")
    control.workforce(seconds=0)
    # Nobody reads the queues here, and every message in them makes moto slower.
    store.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    client(_aws(), "events").remove_targets(Rule=BUCKET, Ids=["queue"])

    def ask(number: int) -> None:
        key = f"images_for_detection/rows/{number:06d}.png"
        etag = store.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')
        open_one(review_project.backend, request_for(key, etag=etag))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(loops)))
    deadline = time.monotonic() + ANSWERED_WITHIN_SECONDS
    while control.workforce_state()["answered"] < loops:
        assert time.monotonic() < deadline, control.workforce_state()
        time.sleep(0.1)


def plain(review_project: ReviewProject, loops: int) -> None:
    """Harvest as anybody would at first: one review after the other, the first answer, straight to its label."""
    a2i, client = review_project.backend.hook.client, review_project.store.client
    for flow in review_project.backend.record.flows:
        for page in a2i.get_paginator("list_human_loops").paginate(FlowDefinitionArn=flow.arn):
            for loop in page["HumanLoopSummaries"]:
                described = a2i.describe_human_loop(HumanLoopName=loop["HumanLoopName"])
                bucket, _, key = described["HumanLoopOutput"]["OutputS3Uri"].removeprefix("s3://").partition("/")
                output = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
                label = output["humanAnswers"][0]["answerContent"]["shown"]["label"]
                source = output["inputContent"]["key"]
                client.copy_object(
                    Bucket=bucket,
                    Key=f"images_labeled_by_folder/{label}/{loop['HumanLoopName']}.png",
                    CopySource={"Bucket": bucket, "Key": source},
                )


def ours(review_project: ReviewProject, loops: int) -> None:
    """Harvest as the DAG's tasks do."""
    from custom_labels.review.harvest import HarvestRules
    from custom_labels.review.harvest_inspection_records import HarvestInspection, read_batch, write_batches
    from custom_labels.review.harvest_tasks import BATCH_REVIEWS
    from custom_labels.review.harvest_work import HarvestResult, Watermark
    from custom_labels.review.harvest_writer import Harvester

    now = datetime.now(UTC)
    found = HarvestInspection(review_project.store, review_project.backend, Watermark()).run(
        None, now, by_queue_only=False
    )
    batches = write_batches(review_project.store, f"{now:%Y-%m-%d}-benchmark", found, now, BATCH_REVIEWS)
    rules = HarvestRules("digits", "", quorum=1, maximum_rounds=3)
    harvester = Harvester(review_project.store, review_project.backend, rules, _leave)
    results = [harvester.harvest(each, read_batch(review_project.store, each), is_repeated=False) for each in batches]
    labelled = HarvestResult.total(results).counts["labelled"]
    assert labelled == loops


def _leave(messages: Iterable[object]) -> None:
    """Delete no messages: there is no queue."""


JOBS: dict[str, Callable[[ReviewProject, int], None]] = {"prepare": prepare, "plain": plain, "ours": ours}


def main(side: str, loops: int) -> None:
    """Do one side, and print what it cost; importing and connecting are not counted, in memory they are."""
    from custom_labels.core.settings import load_project
    from custom_labels.review.backends.a2i.backend import A2IReviewBackend
    from tests.kit.review_project import ReviewProject, make_store, set_up_review

    if side == "prepare":
        review_project = set_up_review(_aws(), reviewers=(1,))
    else:
        project = load_project("digits")
        store = make_store(project)
        review_project = ReviewProject(project, store, A2IReviewBackend(project, store), {})
    _ = review_project.store.client, review_project.backend.hook, review_project.backend.record
    wall, cpu = time.perf_counter(), time.process_time()
    JOBS[side](review_project, loops)
    measured = {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write("\n" + json.dumps(measured) + "\n")


def _endpoint() -> str:
    return str(json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])["extra"]["endpoint_url"])


def _aws() -> LocalAws:
    """Give the parent's AWS as the helpers of the tests want it."""
    return cast("LocalAws", SimpleNamespace(endpoint_url=_endpoint(), control=Control(_endpoint())))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
