"""The page of a decision in a real browser: hostile labels are text, nothing is fetched, and it fits narrow screens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from custom_labels.core.project_task import ProjectTask
from custom_labels.evaluation.decision_page import decision_page, flips_to_show
from custom_labels.evaluation.thumbnail_records import shrink
from custom_labels.web.app import HEADERS
from tests.browser.test_hostile_input import HOSTILE, unhurt
from tests.kit.decision_records import image, make_record
from tests.local_aws.review_support import Reviews

LONG = "a label without a space and longer than a telephone is wide:" + "x" * 180


@pytest.fixture(params=ProjectTask)
def record(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A decision about labels that all mean ill."""
    labels = [*HOSTILE.values(), LONG]
    return make_record(labels, task=request.param, images=100, champion_errors=0.4, challenger_errors=0.4)


@pytest.fixture
def shown(page: Page, reviews: Reviews, record: dict[str, Any]) -> Page:
    """The page as a browser shows it, served as Airflow serves it, with thumbnails."""
    picture = shrink(image()) or ""
    html = decision_page(record, {flip["image"]: picture for flip in flips_to_show(record)})
    address = f"{reviews.aws.url}/decision.html"
    headers = {"Content-Type": "text/html; charset=utf-8", **HEADERS}
    page.route(address, lambda route: route.fulfill(body=html, headers=headers))
    page.goto(address)
    return page


def test_labels_and_keys_are_shown_as_they_are_when_they_are_hostile(shown: Page, record: dict[str, Any]) -> None:
    labels = shown.locator("tbody th > bdi").all_text_contents()
    files = shown.locator(".file bdi").all_text_contents()

    assert set(labels) == {*HOSTILE.values(), LONG}
    assert files == [flip["image"] for flip in flips_to_show(record)]
    assert shown.locator("script, iframe, form, a").count() == 0
    assert unhurt(shown)


def test_pictures_are_in_the_page_itself(shown: Page, record: dict[str, Any]) -> None:
    flips = flips_to_show(record)
    if record["task"] == ProjectTask.OBJECT_DETECTION:
        assert shown.locator(".versions image").count() == shown.locator(".versions use").count() == len(flips)
        second = shown.locator(".versions svg").nth(1)
        assert second.evaluate("svg => svg.querySelector('use').getBBox().width") == 640
    else:
        widths = shown.locator(".picture img").evaluate_all("images => images.map(image => image.naturalWidth)")
        assert widths == [480] * len(flips)


def test_a_person_pages_through_the_images_by_mouse_and_by_keys(shown: Page, record: dict[str, Any]) -> None:
    files = [flip["image"] for flip in flips_to_show(record)]

    def expect_only(number: int) -> None:
        expect(shown.locator(".file:visible")).to_have_text([files[number]])

    expect_only(0)
    shown.get_by_text("Next").locator("visible=true").click()
    expect_only(1)
    shown.keyboard.press("ArrowRight")
    expect_only(2)
    shown.get_by_text("Previous").locator("visible=true").click()
    expect_only(1)
    expect(shown.get_by_role("radio", checked=True)).to_have_accessible_name(re.compile(r"Image 2 of \d+: "))
    shown.locator("label.tab").last.click()
    expect_only(len(files) - 1)


def test_all_images_are_printed(shown: Page, record: dict[str, Any]) -> None:
    shown.emulate_media(media="print")

    expect(shown.locator(".file:visible")).to_have_count(len(flips_to_show(record)))


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_not_wider_than_the_screen(shown: Page, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})

    assert shown.evaluate("() => document.documentElement.scrollWidth") <= width


def test_the_page_is_dark_where_people_like_it_dark(shown: Page) -> None:
    def background() -> str:
        return str(shown.evaluate("() => getComputedStyle(document.body).backgroundColor"))

    shown.emulate_media(color_scheme="light")
    light = background()
    shown.emulate_media(color_scheme="dark")

    assert light == "rgb(246, 247, 249)"
    assert background() == "rgb(18, 22, 29)"
