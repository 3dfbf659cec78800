"""``make bench``: count, build manifests, detect, predict, harvest, import, inspect, ask at each backend."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks import detection, harvest, imports, inspection, predict_api, reviews, runs, whole_loop
from tests.benchmarks.child import BOX_JOBS, JOBS
from tests.benchmarks.listing_server import BUCKET, LABELS, SECONDS_A_PAGE

ROOT = Path(__file__).resolve().parents[2]
TITLES = {
    "count": "Count the images",
    "build": "Build both manifests",
    "count_boxes": "Count images with boxes",
    "build_boxes": "Build both manifests with boxes",
    "count_boxes_again": "Count them again, without a new line",
}


@contextmanager
def listing_server(images: int, seconds_a_page: float, *what: str) -> Iterator[str]:
    """Run the listing server in a process of its own; give its port."""
    command = [sys.executable, "-m", "tests.benchmarks.listing_server", str(images), str(seconds_a_page), *what]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def measure(side: str, job: str, port: str) -> dict[str, Any]:
    """Run one job in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.child", side, job, port]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{BUCKET}?stats=1") as answer:
        return {**json.loads(done.stdout), "list_calls": json.load(answer)["listings"]}


def run(images: int, seconds_a_page: float = SECONDS_A_PAGE, *what: str) -> dict[str, Any]:
    """Measure both sides of both jobs on the same images.

    :param what: ``annotated`` for images with boxes.
    """
    results: dict[str, Any] = {}
    with listing_server(images, seconds_a_page, *what) as port:
        for side, job in BOX_JOBS if what else JOBS:
            results.setdefault(job, {})[side] = measure(side, job, port)
    for sides in results.values():
        sides["ratios"] = {
            name: sides["baseline"][name] / sides["ours"][name]
            for name in ("wall_seconds", "cpu_seconds", "list_calls", "peak_mib")
        }
    kept = {"images": images, "labels": len(LABELS), "seconds_a_page": seconds_a_page, "jobs": results}
    return {
        **kept,
        "place": "one folder, with three boxes each in the mean" if what else f"{len(LABELS)} label folders",
    }


def table(result: dict[str, Any]) -> Table:
    """Lay out one run."""
    pause = result["seconds_a_page"] * 1000
    title = f"{result['images']:,} images in {result['place']}, {pause:g} ms a page"
    made = Table(title=title, title_justify="left")
    made.add_column("")
    for heading in ("wall s", "CPU s", "list calls", "peak MiB"):
        made.add_column(heading, justify="right")
    for job, sides in result["jobs"].items():
        for side, words in (("baseline", "boto3 paginator"), ("ours", "this project")):
            row = sides[side]
            made.add_row(
                f"{TITLES[job]}: {words}",
                f"{row['wall_seconds']:.2f}",
                f"{row['cpu_seconds']:.2f}",
                str(row["list_calls"]),
                f"{row['peak_mib']:.0f}",
            )
        ratios = sides["ratios"]
        made.add_row("  ratio", *(f"{value:.1f} x" for value in ratios.values()), style="bold", end_section=True)
    return made


def main() -> None:
    """Print the tables and, if asked for, write the numbers."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    parser.add_argument("--images", type=int, nargs="+", default=[25_000, 250_000], help="how many images to count")
    parser.add_argument("--annotated", type=int, nargs="*", default=[25_000, 250_000], help="how many have boxes")
    parser.add_argument("--detections", type=int, default=detection.IMAGES, help="how many images to detect")
    parser.add_argument("--predictions", type=int, default=predict_api.REQUESTS, help="how many requests to predict")
    parser.add_argument("--reviews", type=int, nargs="*", default=[1_000, 10_000], help="how many reviews to harvest")
    parser.add_argument(
        "--backend-reviews", type=int, default=reviews.REVIEWS, help="how many reviews at each backend; 0 for none"
    )
    parser.add_argument("--lines", type=int, nargs="*", default=[10_000, 100_000], help="how many lines to import")
    parser.add_argument("--objects", type=int, nargs="*", default=[25_000, 250_000], help="how many objects to import")
    parser.add_argument("--inspected", type=int, default=inspection.IMAGES, help="how many images to look into")
    parser.add_argument("--doubtful", type=int, default=whole_loop.IMAGES, help="how many go from inbox to label")
    arguments = parser.parse_args()
    console = Console(width=max(100, Console().width))
    results = []
    for images in arguments.images:
        console.print(f"Measuring with {images:,} images ...")
        results.append(run(images))
        console.print(table(results[-1]))
    for images in arguments.annotated:
        console.print(f"Measuring with {images:,} annotated images ...")
        results.append(run(images, SECONDS_A_PAGE, "annotated"))
        console.print(table(results[-1]))
    peaks = [
        f"{sides['ours']['peak_mib']:.0f} MiB with {r['images']:,} images in {r['place']}"
        for r in results
        for job, sides in r["jobs"].items()
        if job.startswith("build")
    ]
    console.print(f"Peak memory of this project while building: {', '.join(peaks)}.")
    console.print(f"Measuring with {arguments.detections:,} images to detect ...")
    detected = detection.run(arguments.detections)
    console.print(detection.table(detected))
    predicted = predict_api.run(arguments.predictions)
    console.print(predict_api.table(predicted))
    harvests = harvest.run(arguments.reviews)
    console.print(harvest.table(harvests))
    at_backends: list[dict[str, Any]] = []
    if arguments.backend_reviews:
        console.print(f"Opening and harvesting {arguments.backend_reviews:,} reviews at each backend ...")
        at_backends = reviews.run(arguments.backend_reviews)
        console.print(reviews.table(at_backends))
    imported = imports.run(arguments.lines, arguments.objects)
    console.print(imports.table(imported))
    console.print(f"Looking into {arguments.inspected:,} images ...")
    inspected = inspection.run(arguments.inspected)
    console.print(inspection.table(inspected))
    console.print(f"Counting the calls for {arguments.doubtful:,} doubtful images ...")
    looped = whole_loop.run(arguments.doubtful)
    console.print(whole_loop.table(looped))
    console.print("Counting the tasks and calls of one run of each DAG ...")
    counted = runs.run()
    console.print(runs.table(counted))
    if arguments.json:
        measured: dict[str, Any] = {"runs": results, "detection": detected, "harvests": harvests, "imports": imported}
        measured["predictions"] = predicted
        measured["whole_loop"] = looped
        measured["inspection"] = inspected
        measured["review_backends"] = at_backends
        measured["single_runs"] = [asdict(each) for each in counted]
        arguments.json.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
