"""The graphs of the DAGs in Airflow's own page, in a real browser: a person sees all of a DAG at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import OPTIONS, NoChromiumError, chromium
from tests.conftest import ROOT
from tests.running.conftest import ASKS_ITSELF, Running

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(900), pytest.mark.xdist_group("running")]

WIDTH, HEIGHT = 1600, 1000
SCREENSHOTS = os.environ.get("CUSTOM_LABELS_SCREENSHOTS")
"""Folder for pictures of the graphs; read now, since what runs here has an environment of its own."""
MOST_BOXES = 10
SMALLEST_TEXT = 9
"""Pixels of a box's name on the screen that a person can still read."""
KINDS = sorted({file.stem for file in (ROOT / "dags").glob("*.py")} - {"project_files"})


@pytest.fixture(scope="module")
def page(running: Running) -> Iterator[Page]:
    """Open a window of the size that the graphs are made for."""
    try:
        path = chromium()
    except NoChromiumError as error:
        pytest.skip(str(error))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        browser.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_is_read_at_a_glance(running: Running, page: Page, kind: str) -> None:
    dag_id = f"{ASKS_ITSELF if kind == 'ask_people' else 'digits'}_{kind}"
    page.add_init_script("localStorage.setItem('default_dag_view', JSON.stringify('graph'))")

    page.goto(f"{running.api.base_url}/dags/{dag_id}")
    boxes = page.locator(".react-flow__node")
    boxes.first.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)  # the page moves to fit the graph
    shot = page.screenshot()

    if SCREENSHOTS:
        Path(SCREENSHOTS, f"{dag_id}.png").write_bytes(shot)
    tasks = [box for box in boxes.all() if "join" not in (box.get_attribute("class") or "")]
    assert 3 <= len(tasks) <= MOST_BOXES, [box.inner_text() for box in tasks]
    for box in tasks:
        place = box.bounding_box()
        assert place is not None
        assert place["x"] >= 0
        assert place["y"] >= 0
        assert place["x"] + place["width"] <= WIDTH, box.inner_text()
        assert place["y"] + place["height"] <= HEIGHT, box.inner_text()
        assert place["height"] >= SMALLEST_TEXT
