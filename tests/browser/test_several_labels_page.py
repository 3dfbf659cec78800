"""People choose several labels in the worker portal, and it comes out in S3."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.portal import Portal, started
from tests.browser.test_hostile_input import HOSTILE, unhurt
from tests.local_aws.box_pages import SEVERAL, content, put_picture
from tests.local_aws.review_support import Reviews

LABELS = ["sun", "sea", "boat"]


def show(portal: Portal, reviews: Reviews, template: str = SEVERAL, **more: Any) -> None:
    put_picture(reviews)
    started(reviews, "loop", flow={"template": template}, content=content(**{"labels": LABELS, **more}))
    portal.task()


def chosen(portal: Portal) -> Locator:
    return portal.page.locator(".categories").get_by_role("button", pressed=True).locator("span")


def answered(reviews: Reviews) -> Any:
    [given] = reviews.output()["humanAnswers"]
    return given["answerContent"]["shown"]


def test_labels_are_chosen_by_keys_and_by_mouse(portal: Portal, reviews: Reviews) -> None:
    show(portal, reviews)
    expect(portal.categories).to_have_count(4)
    portal.press("3", "1", "2", "2")
    portal.categories.get_by_text("sea").click()
    portal.categories.get_by_text("sun").click()
    expect(chosen(portal)).to_have_text(["sea", "boat"])
    portal.press("Enter")
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert answered(reviews) == {"labels": ["sea", "boat"]}


def test_none_of_them_excludes_the_others(portal: Portal, reviews: Reviews) -> None:
    show(portal, reviews)
    portal.press("1", "2", "4")
    expect(chosen(portal)).to_have_text(["None of these"])
    portal.press("2")
    expect(chosen(portal)).to_have_text(["sea"])
    portal.press("4", "Enter")
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert answered(reviews) == {"labels": ["None of these"]}


def test_nothing_is_sent_when_nothing_is_chosen(portal: Portal, reviews: Reviews) -> None:
    show(portal, reviews)
    portal.press("1", "1", "Enter")
    expect(portal.page.get_by_role("alert")).to_have_text(
        "Choose at least one category first: click it, or press its key."
    )
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE.items()])
def test_label_is_shown_and_answered_as_it_is_when_it_is_hostile(portal: Portal, reviews: Reviews, text: str) -> None:
    show(portal, reviews, labels=["sun", text])
    assert portal.categories.locator("span").all_text_contents() == ["sun", text, "None of these"]
    portal.press("1", "2")
    assert unhurt(portal.page)
    portal.press("Enter")
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert answered(reviews) == {"labels": ["sun", text]}


def test_page_says_so_when_the_exclusion_cannot_be_read(portal: Portal, reviews: Reviews) -> None:
    show(portal, reviews, SEVERAL.replace("{ text: 'None of these' }", "None of these"))
    expect(portal.page.get_by_role("alert")).to_contain_text("exclusion-category cannot be read: None of these")
