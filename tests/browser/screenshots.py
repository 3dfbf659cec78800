"""``make screenshots``: play the demo, and take the pictures of the README of what it shows then.

They are taken of a loop that closed, so that they show what a reader of today's code gets.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from playwright.sync_api import Browser, FloatRect, sync_playwright
from rich.console import Console

from custom_labels.core.settings import load_project
from custom_labels.evaluation.learning_curve_records import PICTURE
from tests.browser.chromium import OPTIONS, chromium

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
PROJECT = "digits"
RESTS = "Everything keeps running"
WIDTH, HEIGHT = 1280, 720
DECISION_HEIGHT = 1100
"""As far as the regressions, the first thing that a person looks for."""
SHARPNESS, MARGIN = 3, 16
"""A graph is drawn small, and is shown by itself."""
AT_REST_MILLISECONDS = 2500
"""While it moves the graph to fit, Airflow's page says nothing that could be waited for."""
CONSOLE = Console(highlight=False)


def main() -> int:
    """Take them; give 0, or 1 where the demo did not close its loop."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder) / "demo.json") as shown:
        if not shown.get("closed"):
            CONSOLE.print(f"The loop did not close: {shown.get('problems')}. The pictures stay as they are.")
            return 1
        take(shown)
    return 0


@contextmanager
def demo(report: Path) -> Iterator[dict[str, Any]]:
    """Play the demo until it rests; give what it wrote, empty where it ended before."""
    command = [sys.executable, "-m", "include.demo", "--project", PROJECT, "--json", str(report)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                CONSOLE.print(line, end="", markup=False)
                if RESTS in line:
                    break
            yield json.loads(report.read_text()) if report.exists() else {}
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


def take(shown: dict[str, Any]) -> None:
    """Take each picture.

    :param shown: what the demo wrote about itself.
    """
    urls = shown["urls"]
    run = next(each["run_id"] for each in reversed(shown["runs"]) if each["dag_id"] == f"{PROJECT}_train")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        graph(browser, f"{urls['Airflow']}/dags/{PROJECT}_train/runs/{run}", "train_graph.png")
        page(browser, urls["Decision"], "decision.png", DECISION_HEIGHT)
        page(browser, f"{urls['Airflow']}/custom-labels/{PROJECT}/reviews", "reviews.png", HEIGHT)
        browser.close()
    endpoint = urls["Embedded AWS"].split()[0]
    project = load_project(PROJECT)
    any_keys = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1")
    s3 = any_keys.client("s3", endpoint_url=endpoint)
    curve = s3.get_object(Bucket=project.bucket, Key=f"{project.prefix}{PICTURE}")["Body"].read()
    (PICTURES / "learning_curve.svg").write_bytes(curve)
    CONSOLE.print(f"The pictures are in {PICTURES}.")


def graph(browser: Browser, address: str, name: str) -> None:
    """Take a picture of a run's graph, as a person sees it who has folded nothing."""
    window = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SHARPNESS)
    window.add_init_script("localStorage.setItem('default_dag_view', JSON.stringify('graph'))")
    window.goto(address)
    nodes = window.locator(".react-flow__node")
    nodes.first.wait_for(timeout=60_000)
    window.wait_for_timeout(AT_REST_MILLISECONDS)
    boxes = [box for node in nodes.all() if (box := node.bounding_box())]
    left, top = (min(box[edge] for box in boxes) - MARGIN for edge in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
    clip = FloatRect(x=left, y=top, width=right - left, height=bottom - top)
    window.screenshot(path=PICTURES / name, clip=clip)


def page(browser: Browser, address: str, name: str, height: int) -> None:
    """Take a picture of the upper part of one of our own pages."""
    window = browser.new_page(viewport={"width": WIDTH, "height": height})
    window.goto(address, wait_until="networkidle")
    window.screenshot(path=PICTURES / name)


if __name__ == "__main__":
    sys.exit(main())
