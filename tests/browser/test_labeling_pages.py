"""The package's own pages for labeling jobs in a browser: a person answers each kind, and the backend reads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.review import AnyAnswer, BoxesAnswer, LabelsAnswer, ReviewAnswer
from tests.browser.boxes import Drawing
from tests.browser.portal import Portal, image_width
from tests.browser.test_hostile_input import HOSTILE, unhurt
from tests.kit.labeling import set_up_labeling, task_name
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, s3, wait_until
from tests.local_aws.box_pages import SIZE

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

HURTFUL = HOSTILE["script"]
LABELS = (HURTFUL, "rows")
KEY = "images_for_detection/a b+ä.png"
FOUND, WRONG = Box("rows", 40, 60, 80, 50), Box(HURTFUL, 200, 150, 100, 90)


def choose_one(portal: Portal) -> None:
    """Choose a label by the mouse in place of the guess."""
    expect(portal.page.locator("#guess")).to_have_text(f"The model says {HURTFUL}, 43 % sure.")
    expect(portal.categories).to_contain_text([*LABELS, "None of the above"])
    portal.categories.nth(1).click()
    portal.press("Enter")


def choose_several(portal: Portal) -> None:
    """Choose both labels by their keys."""
    expect(portal.page.locator("#guess")).to_contain_text(f"The model says {HURTFUL}. It may have one too many")
    portal.press("1", "2", "Enter")


def correct_boxes(portal: Portal) -> None:
    """Delete one of the model's boxes, and leave the other as it is."""
    expect(portal.page.locator("#guess")).to_contain_text("The boxes are the model's.")
    drawing = Drawing(portal)
    expect(drawing.tags).to_have_text(["1 rows", f"2 {HURTFUL}"])
    portal.page.get_by_role("button", name="Delete box 2").click()
    drawing.submit("1 box")


def content(answer: AnyAnswer) -> object:
    """Give what an answer says of the image."""
    if isinstance(answer, ReviewAnswer):
        return answer.label
    assert isinstance(answer, LabelsAnswer | BoxesAnswer)
    return set(answer.labels) if isinstance(answer, LabelsAnswer) else answer.boxes


@pytest.mark.parametrize(
    ("task", "answers", "said"),
    [
        (ProjectTask.IMAGE_CLASSIFICATION, choose_one, "rows"),
        (ProjectTask.MULTI_LABEL_CLASSIFICATION, choose_several, {*LABELS}),
        (ProjectTask.OBJECT_DETECTION, correct_boxes, (FOUND,)),
    ],
    ids=["one label", "several labels", "boxes"],
)
def test_a_person_answers_a_labeling_job(
    aws: LocalAws, portal: Portal, task: ProjectTask, answers: Callable[[Portal], None], said: object
) -> None:
    _, store, backend = set_up_labeling(aws, task)
    picture = io.BytesIO()
    Image.new("RGB", SIZE, "grey").save(picture, "PNG")
    etag = s3(aws).put_object(Bucket=BUCKET, Key=KEY, Body=picture.getvalue(), ContentType="image/png")["ETag"]
    found: dict[str, Any] = {"guesses": LABELS[:1]} if task is ProjectTask.MULTI_LABEL_CLASSIFICATION else {}
    if task is ProjectTask.OBJECT_DETECTION:
        found = {"boxes": (FOUND, WRONG), "size": ImageSize(*SIZE)}
    request = request_for(
        KEY, etag=etag.strip('"'), image=store.uri(KEY), task=task, label=HURTFUL, labels=LABELS, **found
    )
    assert backend.open([request]).new == {request.name}

    page = portal.task(task_name(backend, request.name))
    assert image_width(portal.image) == SIZE[0]
    expect(page.get_by_role("heading", name="Which digit is this?")).to_be_visible()
    answers(portal)
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    assert unhurt(page)

    def answered() -> bool:
        state = backend.status(request.name)
        return state is not None and state.status.is_final

    wait_until(answered)
    state = backend.status(request.name)
    assert state is not None
    read = backend.answers(state)
    assert read is not None
    assert (read.request, read.refused) == (request, ())
    assert [content(answer) for answer in read.answers] == [said]
