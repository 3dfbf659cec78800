"""Reviews on Airflow's own page, in a real Airflow and a real browser: a person sees the image and answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from custom_labels.core.names import review_name
from custom_labels.core.settings import Project, load_project
from custom_labels.review.backends.airflow_page.backend import AirflowReviewBackend
from custom_labels.review.backends.airflow_page.page_checks import WAITS_BY_ITSELF
from custom_labels.review.backends.airflow_page.places import answer_page
from custom_labels.review.review import Answered, ReviewRequest
from tests.browser.chromium import OPTIONS, NoChromiumError, chromium
from tests.kit.review_project import make_store, open_one
from tests.kit.review_requests import labels_of, request_for
from tests.kit.support import picture, s3
from tests.running.conftest import ASKS_ITSELF, WAIT_FOR_A_PERSON, Running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(900), pytest.mark.xdist_group("running")]

SCREENSHOTS = os.environ.get("CUSTOM_LABELS_SCREENSHOTS")
"""Folder for pictures of the questions; read now, since what runs here has an environment of its own."""
MANY = ("columns", "rows", "dots", "rings", "<b>waves</b>")
"""More than Airflow shows as buttons."""


@pytest.fixture
def page(running: Running) -> Iterator[Page]:
    try:
        path = chromium()
    except NoChromiumError as error:
        pytest.skip(str(error))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield browser.new_page(viewport={"width": 1400, "height": 1000})
        browser.close()


@pytest.fixture
def project(running: Running) -> Project:
    return load_project(ASKS_ITSELF)


@pytest.fixture
def backend(project: Project) -> AirflowReviewBackend:
    return AirflowReviewBackend(project, make_store(project))


def put_request(running: Running, project: Project, number: int, labels: tuple[str, ...]) -> ReviewRequest:
    """Put an image of rows, which the model takes for columns, and make the request for its review."""
    key = f"images_for_detection/{number}.png"
    body = picture("rows", number)
    etag = s3(running.aws).put_object(Bucket=project.bucket, Key=key, Body=body)["ETag"].strip('"')
    return request_for(
        key,
        name=review_name(project.name, key, etag, 1),
        etag=etag,
        image=f"s3://{project.bucket}/{key}",
        labels=labels,
        label="columns",
    )


def test_a_person_answers_by_a_button_and_by_a_choice(
    running: Running, page: Page, project: Project, backend: AirflowReviewBackend
) -> None:
    few, many = put_request(running, project, 1, MANY[:2]), put_request(running, project, 2, MANY)
    for request in (few, many):
        assert open_one(backend, request)
    # The first run of the schedule begins at once.
    for kind in ("ask_people", "harvest_reviews"):
        running.api.unpause(f"{project.name}_{kind}")
    run_id = wait_for(lambda: asking(running, 2), 300)

    find(running, page, run_id, few)
    show(page, few)
    page.get_by_test_id("hitl-option-rows").click()
    # Its answer is on record, and its image filed, while the other question still waits.
    assert labels_of(answered(backend, few)) == ["rows"]
    wait_for(lambda: filed(running, project) == 1, 300)
    assert asking(running, 1) == run_id

    find(running, page, run_id, many)
    show(page, many)
    # The guess is chosen beforehand; what takes the keys lies above its text.
    page.get_by_text("columns", exact=True).last.click(force=True)
    page.keyboard.type("waves")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Respond").click()

    assert labels_of(answered(backend, many)) == ["<b>waves</b>"]
    run = running.ended(f"{project.name}_ask_people", lambda run: run["dag_run_id"] == run_id, 300)
    assert run["note"] == "People asked: 2 of 2 questions were answered."


def asking(running: Running, questions: int) -> str | None:
    """Give the run that has so many questions which wait for an answer."""
    dag_id = f"{ASKS_ITSELF}_ask_people"
    for run in running.runs(dag_id):
        waiting = [t for t in running.api.tasks(dag_id, run["dag_run_id"]) if t["state"] in WAIT_FOR_A_PERSON]
        if len(waiting) == questions:
            return str(run["dag_run_id"])
    return None


def find(running: Running, page: Page, run_id: str, request: ReviewRequest) -> None:
    """Choose a question in the list; Airflow 3.2 lists none of a mapped task, which has it on its own page."""
    if WAITS_BY_ITSELF:
        page.goto(answer_page(ASKS_ITSELF, running.api.base_url))
        page.get_by_text(request.name).first.click(timeout=120_000)
        return
    dag_id = f"{ASKS_ITSELF}_ask_people"
    (index,) = (
        task["map_index"] for task in running.api.tasks(dag_id, run_id) if task["rendered_map_index"] == request.name
    )
    path = f"dags/{dag_id}/runs/{quote(run_id, safe='')}/tasks/ask/mapped/{index}/required_actions"
    page.goto(f"{running.api.base_url}/{path}")


def show(page: Page, request: ReviewRequest) -> None:
    """See the question, and its image."""
    name = request.key.rpartition("/")[2]
    expect(page.get_by_text(f"({ASKS_ITSELF}: {name})").first).to_be_visible(timeout=60_000)
    image = page.get_by_role("img", name="The image").first
    expect(image).to_have_attribute("src", re.compile(re.escape(request.name)), timeout=60_000)
    wait_for(lambda: image.evaluate("image => image.naturalWidth"), 120)
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS, f"question-{name}")))


def answered(backend: AirflowReviewBackend, request: ReviewRequest) -> Answered:
    """Wait for the answer."""

    def look() -> Any:
        state = backend.status(request.name)
        return state if state and state.status.is_final else None

    found = backend.answers(wait_for(look, 120))
    assert found is not None
    return found


def filed(running: Running, project: Project) -> int:
    """Count the images that were filed below their labels."""
    found = s3(running.aws).list_objects_v2(Bucket=project.bucket, Prefix="images_labeled_by_folder/")
    return int(found["KeyCount"])
