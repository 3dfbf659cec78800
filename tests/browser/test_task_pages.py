"""The package's own pages for boxes and for several labels in a browser: what a person sees of what a model found."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import load_project
from custom_labels.review.backends.a2i.setup import plan_review
from tests.browser.boxes import Drawing, answered
from tests.browser.portal import Portal, started
from tests.kit.review_project import make_store
from tests.local_aws.box_pages import BOX, OTHER, content, put_picture
from tests.local_aws.review_support import Reviews

BOXES, SEVERAL = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION


def show(portal: Portal, reviews: Reviews, task: ProjectTask, **more: Any) -> Page:
    project = load_project("digits").model_copy(update={"task": task})
    template = plan_review(project, make_store(project), [1]).template
    put_picture(reviews)
    started(reviews, "loop", flow={"template": template}, content=content(**{"purpose": "doubt", **more}))
    return portal.task()


def test_person_corrects_the_boxes_of_the_model(portal: Portal, reviews: Reviews) -> None:
    page = show(portal, reviews, BOXES, initialValue=[BOX, OTHER])
    drawing = Drawing(portal)

    expect(page.get_by_text("The boxes are the model's.")).to_be_visible()
    expect(page.get_by_text("Choose the digit that somebody wrote here.")).to_be_visible()
    expect(drawing.tags).to_have_text(["1 kestrel", "2 quartz"])
    page.get_by_role("button", name="Delete box 2").click()
    drawing.submit("1 box")
    assert answered(reviews)["boundingBoxes"] == [BOX]
    assert answered(reviews)["initialValueModified"] is True


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"initialValue": []}, "The model found nothing. Draw what it missed."),
        ({"initialValue": [BOX], "purpose": "audit"}, "Draw a box around each thing that a label names."),
    ],
    ids=["nothing found", "audit"],
)
def test_person_begins_without_a_box(portal: Portal, reviews: Reviews, more: dict[str, Any], says: str) -> None:
    page = show(portal, reviews, BOXES, **more)
    drawing = Drawing(portal)

    expect(page.get_by_text(says)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("No box")
    drawing.submit("nothing here")
    assert answered(reviews)["boundingBoxes"] == []
    assert answered(reviews).get("initialValueModified", False) is False


def test_person_chooses_all_labels_that_fit(portal: Portal, reviews: Reviews) -> None:
    page = show(portal, reviews, SEVERAL, initialValue=["quartz"])

    expect(page.locator("#guess")).to_have_text("The model says quartz. It may have one too many, or have missed one.")
    expect(portal.categories).to_contain_text(["kestrel", "quartz", "None of the above"])
    portal.press("1", "2", "Enter")
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    assert answered(reviews) == {"labels": ["kestrel", "quartz"]}


def test_audit_of_several_labels_does_not_say_the_guess(portal: Portal, reviews: Reviews) -> None:
    page = show(portal, reviews, SEVERAL, initialValue=["quartz"], purpose="audit")

    expect(page.get_by_text("Choose the digit that somebody wrote here.")).to_be_visible()
    expect(page.locator("#guess")).to_have_count(0)
