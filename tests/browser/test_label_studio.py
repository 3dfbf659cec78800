"""A person answers at a real Label Studio: one label, several labels and boxes, with what the model found filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.review import BoxesAnswer, LabelsAnswer, ReviewAnswer, ReviewRequest
from tests.browser.conftest import PATIENCE_MS
from tests.kit.label_studio import Asked, harvest, make_project, put_image, set_up_asking
from tests.kit.review_requests import request_for

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

LABELS = ("<script>alert(1)</script>", 'b "c" & {{ x }}', "$image", "../ä")
KEY = "images_for_detection/a b+ä.png"
SIDE = 96


@pytest.fixture(scope="module")
def person(browser: Browser, label_studio_process: LabelStudio) -> Iterator[Page]:
    """Somebody who has signed in; no page of theirs asks other servers for anything, or opens a dialog."""
    server = label_studio_process
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    hosts, dialogs = set[str](), list[str]()
    context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname or ""))

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    context.on("dialog", refuse)
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", server.account.email)
    page.fill("input[name=password]", server.account.password)
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(f"{server.url}/user/login/")
    yield page
    context.close()
    assert dialogs == []
    assert hosts <= {"127.0.0.1", ""}


def asking(aws: LocalAws, task: ProjectTask) -> tuple[Asked, ReviewRequest]:
    """Open a review of one image."""
    asked = set_up_asking(aws, make_project(aws, f"browser/{task.value}", task), labels=LABELS)
    etag = put_image(asked, KEY)
    base = request_for(
        KEY, etag=etag, labels=LABELS, label=LABELS[0], task=task, guesses=LABELS[:1], size=ImageSize(SIDE, SIDE)
    )
    request = replace(base, image=asked.store.uri(KEY), boxes=(Box(LABELS[0], 12, 24, 36, 48),))
    assert asked.backend.open([request]).new
    return asked, request


def open_task(page: Page, asked: Asked) -> None:
    """Begin to label, as the button of the project does, and read the instructions."""
    page.goto(f"{asked.client.connection.url}/projects/{asked.backend.asking[1].id}/data?labeling=1")
    instructions = page.get_by_text("Look & choose.")
    expect(instructions).to_be_visible()
    for _ in range(20):  # On a slow machine the page hears the key only a while after it shows the text.
        page.keyboard.press("Escape")
        page.wait_for_timeout(250)
        if not instructions.is_visible():
            break
    expect(instructions).to_be_hidden()
    image = page.locator("img[alt=image]")
    expect(image).to_be_attached()
    assert image.evaluate("async image => { await image.decode(); return image.naturalWidth; }") == SIDE


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit").first.click()
    expect(
        page.get_by_text("No more", exact=False).or_(page.get_by_text("All done", exact=False)).first
    ).to_be_visible()


def test_one_label_is_chosen_by_its_key_in_place_of_the_guess(
    aws: LocalAws, label_studio: LabelStudio, person: Page
) -> None:
    asked, request = asking(aws, ProjectTask.IMAGE_CLASSIFICATION)
    open_task(person, asked)
    person.keyboard.press("1")
    submit(person)

    (answer,) = asked.answered(request.name).answers
    assert isinstance(answer, ReviewAnswer)
    assert answer.label == "$image" != request.label
    (image,) = harvest(asked)
    assert image.startswith("images_labeled_by_folder/$image/")


def test_several_labels_are_chosen_beside_the_guess(aws: LocalAws, label_studio: LabelStudio, person: Page) -> None:
    asked, request = asking(aws, ProjectTask.MULTI_LABEL_CLASSIFICATION)
    open_task(person, asked)
    person.get_by_text(LABELS[1]).click()
    submit(person)

    (answer,) = asked.answered(request.name).answers
    assert isinstance(answer, LabelsAnswer)
    assert answer.labels == tuple(sorted(LABELS[:2]))
    assert len(harvest(asked)) == 1


def test_a_box_is_drawn_beside_the_one_that_the_model_found(
    aws: LocalAws, label_studio: LabelStudio, person: Page
) -> None:
    asked, request = asking(aws, ProjectTask.OBJECT_DETECTION)
    open_task(person, asked)
    regions = person.get_by_role("treeitem")
    expect(regions).to_have_count(1)
    person.keyboard.press("2")
    where = person.locator("img[alt=image]").bounding_box()
    assert where
    person.mouse.move(where["x"] + where["width"] * 0.6, where["y"] + where["height"] * 0.5)
    person.mouse.down()
    person.mouse.move(where["x"] + where["width"] * 0.9, where["y"] + where["height"] * 0.75, steps=5)
    person.mouse.up()
    expect(regions).to_have_count(2)
    submit(person)

    (answer,) = asked.answered(request.name).answers
    assert isinstance(answer, BoxesAnswer)
    first, second = sorted(answer.boxes, key=lambda box: box.left)
    assert first == request.boxes[0]
    assert second.label == asked.backend.asking[1].labels[1]
    assert (second.left, second.top, second.width, second.height) == pytest.approx((57.6, 48, 28.8, 24), abs=1)
    assert len(harvest(asked)) == 1
